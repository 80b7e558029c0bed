// The keys that came in order: anchors laid out side by side, in runs, which are an order by
// themselves. A key above all that lie in runs goes behind them; any other goes into the tree.
//
// (a) Runs are linked in order; all but the last are full, of the last the anchors behind its end
// are 0. (b) What lies in a run stays there; new keys only come behind the last. A second small
// tree has the first anchor of each run, so that a run is found by a key.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/index/tree_layout.hpp"

namespace dfs::index {

/// A run takes half a kilobyte: fewer bytes for links and tree than a shorter one, and six steps to
/// find a key in it.
inline constexpr std::uint64_t kRunKeys = 62;

struct Run {
  std::uint64_t previous;           ///< Offset of the run before, or 0. Constant once linked.
  std::atomic<std::uint64_t> next;  ///< Offset of the run behind, or 0.
  Anchor anchors[kRunKeys];
};
static_assert(sizeof(Run) == 512);
static_assert(offsetof(Run, previous) == 0);
static_assert(offsetof(Run, next) == 8);
static_assert(offsetof(Run, anchors) == 16);

}  // namespace dfs::index
