#include "common/log/gaps.hpp"

#include <algorithm>

#include "common/base/assert.hpp"

namespace dfs::log {

void Gaps::add(std::uint64_t after, std::uint64_t next) {
  DFS_ASSERT(after < next, "a gap goes forward");
  if (next == after + 1) return;
  if (!gaps_.empty()) {
    Gap& newest = gaps_.back();
    if (newest.after == after) {
      newest.next = std::max(newest.next, next);
      return;
    }
    DFS_ASSERT(newest.next <= after, "gaps are added in order (I5)");
  }
  gaps_.push_back({.after = after, .next = next});
  if (gaps_.size() <= kMaxGaps) return;
  gaps_[1].after = 0;
  gaps_.erase(gaps_.begin());
}

bool Gaps::lost(std::uint64_t sequence) const {
  const auto above =
      std::upper_bound(gaps_.begin(), gaps_.end(), sequence,
                       [](std::uint64_t value, const Gap& gap) { return value < gap.next; });
  return above != gaps_.end() && above->after < sequence;
}

}  // namespace dfs::log
