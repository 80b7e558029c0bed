// The reader's steps in the tree: a checked node, and the leaf of one key.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/index/record.hpp"
#include "common/index/tree_layout.hpp"
#include "common/index/view.hpp"

namespace dfs::index {

/// A node that was checked with its children and its prefix; `node` is nullptr where it cannot be.
struct NodeSeen {
  const TreeNode* node = nullptr;
  std::string_view prefix;
  std::uint64_t children = 0;  ///< Child words to look at; in a direct node some of them are 0.
};

[[nodiscard]] NodeSeen see_node(Reach& reach, std::uint64_t child) noexcept;

/// The newest record that a leaf's anchor names; nullptr where it cannot be.
struct LeafSeen {
  const RecordHeader* record = nullptr;
  std::uint64_t offset = 0;
};

[[nodiscard]] LeafSeen see_leaf(Reach& reach, std::uint64_t child) noexcept;

/// The newest record of `key`. found, absent, or broken where the descent met a place that cannot
/// be. Does not look.
struct TreeHit {
  Outcome outcome = Outcome::absent;
  LeafSeen leaf;
};
[[nodiscard]] TreeHit search_tree(Reach& reach, std::string_view key) noexcept;

}  // namespace dfs::index
