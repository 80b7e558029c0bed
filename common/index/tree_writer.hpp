// The writer's side of a tree: a new key's leaf, with the nodes that it takes.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/index/arena.hpp"
#include "common/index/tree_layout.hpp"

namespace dfs::index {

/// Writer thread only; readers descend meanwhile. Each insertion becomes visible by one release
/// store, of a child word or of a count.
class TreeWriter {
 public:
  /// `root` is the tree's, in the generation's slot.
  TreeWriter(Arena& arena, std::atomic<std::uint64_t>& root) noexcept
      : arena_(arena), root_(root) {}

  /// Adds the leaf of a key that the tree does not have. `key` lies in a record, and stays there:
  /// long prefixes are not copied. Requires: its bytes were reserved.
  void insert(std::string_view key, std::uint64_t anchor);

  /// How many keys go down together, at the most.
  static constexpr std::size_t kMostWarmed = 16;
  /// Loads what insert() of each of these keys will touch.
  void warm(std::span<const std::string_view> keys) const noexcept;

  /// The most that `new_keys` new keys can take from here on.
  [[nodiscard]] std::uint64_t bytes_at_most(std::uint64_t new_keys) const noexcept;

  /// Amortised: an anchor, and the larger of a split prefix (a new node, a copy of the largest that
  /// has a prefix) and a child's part of all growths (2,120 bytes paid by the 16 children that a
  /// node of 32 takes after its own).
  static constexpr std::uint64_t kBytesPerNewKey =
      sizeof(Anchor) + node_bytes(NodeKind::four) + node_bytes(NodeKind::thirty_two);
  static_assert(node_bytes(NodeKind::direct) + node_bytes(NodeKind::four) <=
                16 * (kBytesPerNewKey - sizeof(Anchor)));

 private:
  using Link = std::atomic<std::uint64_t>;

  [[nodiscard]] const Link* child_of(const TreeNode& node, std::uint64_t code) const noexcept;
  [[nodiscard]] const char* prefix_of(const TreeNode& node) const noexcept;
  [[nodiscard]] std::string_view key_of(std::uint64_t leaf) const noexcept;
  [[nodiscard]] std::uint64_t make_node(NodeKind kind, std::string_view prefix);
  [[nodiscard]] std::uint64_t copy_node(const TreeNode& node, NodeKind kind,
                                        std::string_view prefix);
  [[nodiscard]] std::uint64_t grow(const TreeNode& node);
  [[nodiscard]] bool step_down(std::string_view key, std::uint64_t& depth,
                               std::uint64_t& child) const noexcept;
  void append(std::uint64_t node, std::uint64_t child) noexcept;
  void split_leaf(Link& link, std::string_view key, std::uint64_t depth, std::uint64_t anchor);
  void split_prefix(Link& link, std::string_view key, std::uint64_t depth, std::uint64_t common,
                    std::uint64_t anchor);
  void add_child(Link& link, TreeNode& node, std::uint64_t child);

  // Constant after construction.
  Arena& arena_;
  Link& root_;

  // Writer thread only.
  std::uint64_t wide_nodes_ = 0;  ///< Nodes of 32: each may become a direct one.
};

}  // namespace dfs::index
