// The sequences that were skipped: after an unclean stop, and after a refused batch.
//
// A snapshot, position or unanswered commit in a gap belongs to a history that was lost (I4, I5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/limits.hpp"

namespace dfs::log {

/// The sequences strictly between `after` and `next`.
struct Gap {
  std::uint64_t after = 0;
  std::uint64_t next = 0;

  friend bool operator==(const Gap&, const Gap&) = default;
};

/// The gaps of a store, oldest first. The newest kMaxGaps are kept: when one more comes, the oldest
/// two become one that begins at 0, so that whatever lies below counts as lost.
/// Threads: as a container.
class Gaps {
 public:
  /// Sequences go from `after` straight to `next`; nothing is added where none is skipped. A gap
  /// that begins where the newest does replaces it (a start that was followed by no commit).
  /// Requires: after < next, and not before the newest gap.
  void add(std::uint64_t after, std::uint64_t next);

  /// True for a sequence that was skipped, or is older than what is remembered. O(log gaps).
  [[nodiscard]] bool lost(std::uint64_t sequence) const;

  [[nodiscard]] const std::vector<Gap>& list() const { return gaps_; }
  [[nodiscard]] bool empty() const { return gaps_.empty(); }
  void clear() { gaps_.clear(); }

  friend bool operator==(const Gaps&, const Gaps&) = default;

 private:
  std::vector<Gap> gaps_;
};

}  // namespace dfs::log
