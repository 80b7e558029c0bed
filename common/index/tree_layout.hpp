// The tree that keeps keys in order: an adaptive radix tree whose leaves are anchors, eight bytes
// that name a key's newest record, so that an update touches no node.
//
// (a) Kind, depth and prefix of a node never change; a split of a prefix and growth copy the node,
// and the copy takes its place in the parent. (b) Children are appended, in no order, then the
// count is released; a child is only replaced by something that holds at least the same keys.
// cursor.hpp has the reader's half, (c) and (d).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/index/control_page.hpp"

namespace dfs::index {

/// A key's newest record: its offset. Written by the daemon, read by clients.
struct Anchor {
  std::atomic<std::uint64_t> record;
};
static_assert(sizeof(Anchor) == 8);
static_assert(offsetof(Anchor, record) == 0);

/// Child words: above the offset the code, which is 0 for the key that ends here and the next byte
/// + 1 for the others, so that words sort as keys do; bit 0 says that the offset is an anchor's.
inline constexpr std::uint64_t kLeaf = 1;
inline constexpr std::uint64_t kCodes = 257;

[[nodiscard]] constexpr bool is_leaf(std::uint64_t child) noexcept { return (child & kLeaf) != 0; }
[[nodiscard]] constexpr std::uint64_t code_of(std::uint64_t child) noexcept {
  return rest_of(child);
}
/// The code under which `key` hangs in a node whose keys share their first `depth` bytes.
[[nodiscard]] constexpr std::uint64_t code_at(std::string_view key, std::uint64_t depth) noexcept {
  if (depth == key.size()) return 0;
  return static_cast<std::uint64_t>(static_cast<std::uint8_t>(key[depth])) + 1;
}
[[nodiscard]] constexpr std::uint64_t child_offset(std::uint64_t child) noexcept {
  return child & (kOffsetMask & ~kLeaf);
}

/// How many children a node can have. The first four list them; `direct` has a place for each code.
/// Ten for the decimal digits that keys are full of: 13 bytes a key less than with eight.
enum class NodeKind : std::uint8_t { four = 1, ten, sixteen, thirty_two, direct };

/// Prefixes up to this long stand in the node; of a longer one it has the offset, in some key.
inline constexpr std::uint64_t kInlinePrefixBytes = 8;

/// 16 bytes, then the child words.
struct TreeNode {
  NodeKind kind;                     ///< Constant after construction.
  std::uint8_t reserved;             ///< 0.
  std::uint16_t prefix_size;         ///< Constant after construction; 0 in a direct node.
  std::atomic<std::uint32_t> count;  ///< Children listed. Written by the daemon, read by clients.
  std::uint64_t prefix;              ///< The bytes, or their offset. Constant after construction.

  [[nodiscard]] std::atomic<std::uint64_t>* children() noexcept {
    return reinterpret_cast<std::atomic<std::uint64_t>*>(this + 1);
  }
  [[nodiscard]] const std::atomic<std::uint64_t>* children() const noexcept {
    return reinterpret_cast<const std::atomic<std::uint64_t>*>(this + 1);
  }
};
static_assert(sizeof(TreeNode) == 16);
static_assert(offsetof(TreeNode, kind) == 0);
static_assert(offsetof(TreeNode, prefix_size) == 2);
static_assert(offsetof(TreeNode, count) == 4);
static_assert(offsetof(TreeNode, prefix) == 8);

/// Child words of a kind; 0 for a byte that is no kind.
[[nodiscard]] constexpr std::uint64_t capacity_of(NodeKind kind) noexcept {
  switch (kind) {
    case NodeKind::four:
      return 4;
    case NodeKind::ten:
      return 10;
    case NodeKind::sixteen:
      return 16;
    case NodeKind::thirty_two:
      return 32;
    case NodeKind::direct:
      return kCodes;
  }
  return 0;
}
[[nodiscard]] constexpr std::uint64_t node_bytes(NodeKind kind) noexcept {
  return sizeof(TreeNode) + capacity_of(kind) * sizeof(std::uint64_t);
}

}  // namespace dfs::index
