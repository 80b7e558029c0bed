// From where a walk looks: its snapshot, what of it is shown, and how many steps it may take.
#pragma once

#include <cstdint>

#include "common/index/chain.hpp"
#include "common/index/reach.hpp"
#include "common/index/record.hpp"

namespace dfs::index {

enum class Show : std::uint8_t {
  live,         ///< Keys that the snapshot has.
  also_erased,  ///< Tombstones too.
};

/// Which way a walk goes.
enum class Way : std::uint8_t { forward, backward };

/// Shared by the halves of a Cursor. Threads: one at a time.
class Vantage {
 public:
  Vantage(const View& view, std::uint64_t sequence, Show show) noexcept
      : view_(view), sequence_(sequence), show_(show) {}

  [[nodiscard]] const View& view() const noexcept { return view_; }

  /// Nodes loaded, keys passed and versions walked since it was made.
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  void limit_steps(std::uint64_t limit) noexcept { step_limit_ = limit; }
  void add_steps(std::uint64_t steps) noexcept { steps_ += steps; }
  /// One more step. False: it is one too many.
  [[nodiscard]] bool count_step() noexcept { return ++steps_ <= step_limit_; }

  /// What the snapshot has of a key whose newest record lies at `newest`. found: `record`, from a
  /// generation that stood after it was read. absent: nothing to be shown. Else why the walk ends.
  struct Seen {
    Outcome outcome = Outcome::absent;
    const RecordHeader* record = nullptr;
  };
  [[nodiscard, gnu::always_inline]] Seen see(Reach& reach, std::uint64_t newest) noexcept {
    const RecordHeader* record = record_at(reach, newest);
    if (record == nullptr) return {reach.refused(), nullptr};
    if (__builtin_expect(record->sequence > sequence_, 0)) {
      return see_older(newest);
    }
    return show(*record);
  }

 private:
  /// The same where the newest record is newer than the snapshot. It has a Reach of its own, so
  /// that the others' stays in registers.
  [[nodiscard]] Seen see_older(std::uint64_t newest) noexcept;
  [[nodiscard, gnu::always_inline]] Seen show(const RecordHeader& record) const noexcept {
    if (record.erased() && show_ == Show::live) return {};
    if (!look(view_)) return {Outcome::given_back, nullptr};
    return {Outcome::found, &record};
  }

  const View view_;
  const std::uint64_t sequence_;
  const Show show_;
  std::uint64_t steps_ = 0;
  std::uint64_t step_limit_ = UINT64_MAX;
};

}  // namespace dfs::index
