// Walking the keys that lie in runs, both ways.
//
// A cursor keeps a place, and reads links and anchors as it comes to them: a snapshot's keys are
// there before it is taken, and none ever moves.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/index/record.hpp"
#include "common/index/run_search.hpp"
#include "common/index/vantage.hpp"

namespace dfs::index {

/// One half of a Cursor. Threads: one at a time.
class RunCursor {
 public:
  void seek_first(Vantage& vantage) noexcept;
  void seek_last(Vantage& vantage) noexcept;
  /// To the first key that is not below `key`.
  void seek(Vantage& vantage, std::string_view key) noexcept;
  /// To the last key that is not above `key`.
  void seek_for_prev(Vantage& vantage, std::string_view key) noexcept;
  /// Requires: it stands on a record.
  void next(Vantage& vantage) noexcept;
  void prev(Vantage& vantage) noexcept;

  /// nullptr where it stands on none; then `outcome` says why.
  [[nodiscard]] const RecordHeader* record() const noexcept { return record_; }
  [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }

 private:
  /// Stands at `place`. False: the walk has ended.
  [[nodiscard]] bool stand(Vantage& vantage, Reach& reach, const RunPlace& place) noexcept;
  [[nodiscard]] const Run* enter(Reach& reach, std::uint64_t run, Way way) noexcept;
  template <Way way>
  void settle(Vantage& vantage) noexcept;
  void end(Outcome outcome) noexcept;

  std::uint64_t run_ = 0;      ///< Offset of the run.
  std::int64_t position_ = 0;  ///< In the run.
  const RecordHeader* record_ = nullptr;
  Outcome outcome_ = Outcome::absent;
};

}  // namespace dfs::index
