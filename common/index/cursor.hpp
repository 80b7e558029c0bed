// Walking the keys of a snapshot in byte order, both ways, while the writer goes on: the runs and
// the tree side by side, since each key lies in one of them.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/index/record.hpp"
#include "common/index/run_cursor.hpp"
#include "common/index/tree_cursor.hpp"
#include "common/index/vantage.hpp"
#include "common/index/view.hpp"

namespace dfs::index {

/// A place among the records of a snapshot. One half stands on the record; the other on its own
/// next key in the way that the walk goes. Threads: one at a time.
class Cursor {
 public:
  using Show = index::Show;

  /// A cursor on nothing; seek first. `sequence` may be above the published one only on the
  /// writer's own thread. Copies the view; its memory must outlive the cursor.
  Cursor(const View& view, std::uint64_t sequence, Show show = Show::live);

  void seek_first();
  void seek_last();
  /// To the first key that is not below `key`.
  void seek(std::string_view key);
  /// To the last key that is not above `key`.
  void seek_for_prev(std::string_view key);
  /// To the next or previous key. Requires: valid().
  void next();
  void prev();

  /// Whether the cursor stands on a record, whose generation stood when it was read.
  [[nodiscard]] bool valid() const noexcept { return outcome_ == Outcome::found; }
  /// Requires: valid(). In shared memory.
  [[nodiscard]] const RecordHeader& record() const noexcept { return *record_; }
  /// found while valid; absent at either end; else why the walk ended early.
  [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
  [[nodiscard]] bool given_back() const noexcept { return outcome_ == Outcome::given_back; }
  /// Asks again whether the generation still stands, after what was read was used.
  [[nodiscard]] bool stands() const noexcept { return look(vantage_.view()); }

  /// Nodes loaded, keys passed and versions walked since it was made.
  [[nodiscard]] std::uint64_t steps() const noexcept { return vantage_.steps(); }
  /// Ends the walk with out_of_steps when steps() would pass `limit`.
  void limit_steps(std::uint64_t limit) noexcept { vantage_.limit_steps(limit); }

 private:
  void turn(Way way);
  void choose() noexcept;

  Vantage vantage_;
  RunCursor runs_;
  TreeCursor tree_;
  Way way_ = Way::forward;
  bool in_runs_ = false;  ///< Where the record is.
  Outcome outcome_ = Outcome::absent;
  const RecordHeader* record_ = nullptr;
};

}  // namespace dfs::index
