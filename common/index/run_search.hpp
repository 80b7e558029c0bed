// The reader's steps in the runs: where a key lies in them, or would.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/index/reach.hpp"
#include "common/index/record.hpp"
#include "common/index/run_layout.hpp"
#include "common/index/tree_search.hpp"

namespace dfs::index {

/// A place in the runs. found, absent where there is none, or broken where the search met a place
/// that cannot be. Does not look.
struct RunPlace {
  Outcome outcome = Outcome::absent;
  std::uint64_t run = 0;
  std::int64_t position = 0;
  LeafSeen leaf;            ///< Of a floor: the newest record there.
  std::uint64_t steps = 0;  ///< Nodes and records that were looked at.
};

/// Of the last key that is not above `key`. Neither allocates nor throws.
[[nodiscard]] RunPlace floor_in_runs(Reach& reach, std::string_view key) noexcept;
/// The first anchor of the first run, and of the last.
[[nodiscard]] RunPlace first_run(Reach& reach) noexcept;
[[nodiscard]] RunPlace last_run(Reach& reach) noexcept;

/// The newest record of `key`, as search_tree.
[[nodiscard]] TreeHit search_runs(Reach& reach, std::string_view key) noexcept;

}  // namespace dfs::index
