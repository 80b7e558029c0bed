// The reader's steps in a tree: a checked node, the leaf of a key, the leaf before a key.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/index/reach.hpp"
#include "common/index/record.hpp"
#include "common/index/tree_layout.hpp"

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

/// The leaf of a key in the tree below `child`, which may be 0. found, absent, or broken as above.
struct LeafPlace {
  Outcome outcome = Outcome::absent;
  std::uint64_t child = 0;
  std::uint64_t nodes = 0;  ///< Looked at.
};
/// Of the first or the last key.
enum class Edge : std::uint8_t { first, last };
[[nodiscard]] LeafPlace edge_leaf(Reach& reach, std::uint64_t child, Edge edge) noexcept;
/// Of the last key that is not above `key`.
[[nodiscard]] LeafPlace floor_leaf(Reach& reach, std::uint64_t child,
                                   std::string_view key) noexcept;

}  // namespace dfs::index
