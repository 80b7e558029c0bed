#include "common/index/tree_writer.hpp"

#include <algorithm>
#include <array>

#include "common/base/assert.hpp"
#include "common/index/record.hpp"

namespace dfs::index {
namespace {

std::uint64_t common_bytes(std::string_view a, std::string_view b) noexcept {
  const auto end = std::mismatch(
      a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  return static_cast<std::uint64_t>(end.first - a.begin());
}

std::uint64_t leaf_word(std::uint64_t anchor, std::uint64_t code) noexcept {
  return word_of(anchor | kLeaf, code);
}

NodeKind larger(NodeKind kind) noexcept {
  return static_cast<NodeKind>(static_cast<std::uint8_t>(kind) + 1);
}

}  // namespace

// Relaxed loads below: the writer reads what it alone has written.

const char* TreeWriter::prefix_of(const TreeNode& node) const noexcept {
  if (node.prefix_size <= kInlinePrefixBytes) return reinterpret_cast<const char*>(&node.prefix);
  return arena_.at<const char>(node.prefix);
}

std::string_view TreeWriter::key_of(std::uint64_t leaf) const noexcept {
  const auto* anchor = arena_.at<Anchor>(child_offset(leaf));
  return arena_.at<RecordHeader>(anchor->record.load(std::memory_order_relaxed))->key();
}

// The link with that code; null where none is listed.
const TreeWriter::Link* TreeWriter::child_of(const TreeNode& node,
                                             std::uint64_t code) const noexcept {
  const Link* children = node.children();
  if (node.kind == NodeKind::direct) return &children[code];
  const std::uint32_t count = node.count.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (code_of(children[i].load(std::memory_order_relaxed)) == code) return &children[i];
  }
  return nullptr;
}

void TreeWriter::insert(std::string_view key, std::uint64_t anchor) {
  Link* link = &root_;
  std::uint64_t depth = 0;
  while (true) {
    const std::uint64_t child = link->load(std::memory_order_relaxed);
    if (child == 0) {
      DFS_ASSERT(depth == 0, "only the root is ever empty");
      // SYNC POINT: root. Release: the anchor comes before the word that leads to it.
      link->store(leaf_word(anchor, 0), std::memory_order_release);
      return;
    }
    if (is_leaf(child)) return split_leaf(*link, key, depth, anchor);

    auto& node = *arena_.at<TreeNode>(child_offset(child));
    const std::string_view prefix(prefix_of(node), node.prefix_size);
    const std::uint64_t common = common_bytes(prefix, key.substr(depth));
    if (common < prefix.size()) return split_prefix(*link, key, depth, common, anchor);
    depth += common;
    const std::uint64_t code = code_at(key, depth);
    Link* children = node.children();
    Link* next = nullptr;
    if (node.kind == NodeKind::direct) {
      if (children[code].load(std::memory_order_relaxed) != 0) next = &children[code];
    } else {
      const std::uint32_t count = node.count.load(std::memory_order_relaxed);
      for (std::uint32_t i = 0; i < count && next == nullptr; ++i) {
        if (code_of(children[i].load(std::memory_order_relaxed)) == code) next = &children[i];
      }
    }
    if (next == nullptr) return add_child(*link, node, leaf_word(anchor, code));
    DFS_ASSERT(code != 0, "a key is inserted once");
    link = next;
    ++depth;
  }
}

// One step of a descent that only loads; false where it has ended.
bool TreeWriter::step_down(std::string_view key, std::uint64_t& depth,
                           std::uint64_t& child) const noexcept {
  const auto prefetch = [this](std::uint64_t offset, std::uint64_t bytes) {
    for (std::uint64_t line = 0; line < bytes; line += 64) {
      __builtin_prefetch(arena_.at<std::byte>(offset + line));
    }
  };
  const std::uint64_t offset = child_offset(child);
  if (is_leaf(child)) {
    // The key that stands there, to be compared: header and key of its record.
    prefetch(arena_.at<Anchor>(offset)->record.load(std::memory_order_relaxed), 128);
    return false;
  }
  const auto& node = *arena_.at<TreeNode>(offset);
  const std::string_view prefix(prefix_of(node), node.prefix_size);
  if (!key.substr(depth).starts_with(prefix)) return false;
  depth += prefix.size();
  const Link* next = child_of(node, code_at(key, depth));
  if (next == nullptr) return false;
  child = next->load(std::memory_order_relaxed);
  if (child == 0) return false;
  ++depth;
  prefetch(child_offset(child), is_leaf(child) ? sizeof(Anchor) : node_bytes(NodeKind::sixteen));
  return true;
}

void TreeWriter::warm(std::span<const std::string_view> keys) const noexcept {
  struct Descent {
    std::string_view key;
    std::uint64_t depth;
    std::uint64_t child;
  };
  std::array<Descent, kMostWarmed> descents;
  DFS_ASSERT(keys.size() <= descents.size(), "a group fits the array");
  std::size_t left = 0;
  const std::uint64_t root = root_.load(std::memory_order_relaxed);
  if (root == 0) return;
  for (const std::string_view key : keys) descents[left++] = {key, 0, root};
  // In each round every descent has what it asked for in the round before.
  while (left > 0) {
    std::size_t going = 0;
    for (std::size_t i = 0; i < left; ++i) {
      Descent at = descents[i];
      if (step_down(at.key, at.depth, at.child)) descents[going++] = at;
    }
    left = going;
  }
}

std::uint64_t TreeWriter::bytes_at_most(std::uint64_t new_keys) const noexcept {
  // Each new key may make an existing node of 32 grow; one made meanwhile has taken 16 keys first.
  const std::uint64_t growing = std::min(new_keys, wide_nodes_ + new_keys / 16);
  return new_keys * kBytesPerNewKey +
         growing * (node_bytes(NodeKind::direct) + node_bytes(NodeKind::four));
}

std::uint64_t TreeWriter::make_node(NodeKind kind, std::string_view prefix) {
  const std::uint64_t place = arena_.place_node(node_bytes(kind));
  auto* node = arena_.at<TreeNode>(place);
  // Memory is zero before its first use, so count and children need no store.
  node->kind = kind;
  node->prefix_size = static_cast<std::uint16_t>(prefix.size());
  if (prefix.size() <= kInlinePrefixBytes) {
    std::copy(prefix.begin(), prefix.end(), reinterpret_cast<char*>(&node->prefix));
  } else {
    // Keys in records stay as long as the generation, so the prefix lies there.
    node->prefix = static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(prefix.data()) -
                                              arena_.base());
  }
  if (kind == NodeKind::thirty_two) ++wide_nodes_;
  return place;
}

std::uint64_t TreeWriter::copy_node(const TreeNode& node, NodeKind kind, std::string_view prefix) {
  const std::uint64_t place = make_node(kind, prefix);
  auto* copy = arena_.at<TreeNode>(place);
  const std::uint32_t count = node.count.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t word = node.children()[i].load(std::memory_order_relaxed);
    const std::uint64_t at = kind == NodeKind::direct ? code_of(word) : i;
    // Relaxed: the copy is reached by its link, which is released.
    copy->children()[at].store(word, std::memory_order_relaxed);
  }
  copy->count.store(count, std::memory_order_relaxed);
  if (node.kind == NodeKind::thirty_two) --wide_nodes_;
  return place;
}

std::uint64_t TreeWriter::grow(const TreeNode& node) {
  const std::string_view prefix(prefix_of(node), node.prefix_size);
  const NodeKind kind = larger(node.kind);
  if (kind != NodeKind::direct || prefix.empty()) return copy_node(node, kind, prefix);
  // A direct node has no prefix, so that none of its size is ever copied: a node of one child
  // above it has the prefix.
  const std::uint64_t last = prefix.size() - 1;
  const std::uint64_t stem = make_node(NodeKind::four, prefix.substr(0, last));
  const std::uint64_t direct = copy_node(node, kind, {});
  append(stem, word_of(direct, code_at(prefix, last)));
  return stem;
}

void TreeWriter::append(std::uint64_t node, std::uint64_t child) noexcept {
  auto* to = arena_.at<TreeNode>(node);
  if (to->kind == NodeKind::direct) {
    to->count.store(to->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    // SYNC POINT: children. Release: what hangs there comes before the word.
    to->children()[code_of(child)].store(child, std::memory_order_release);
    return;
  }
  const std::uint32_t count = to->count.load(std::memory_order_relaxed);
  to->children()[count].store(child, std::memory_order_relaxed);
  // SYNC POINT: children. Release: the word comes before the count that reaches it.
  to->count.store(count + 1, std::memory_order_release);
}

void TreeWriter::split_leaf(Link& link, std::string_view key, std::uint64_t depth,
                            std::uint64_t anchor) {
  const std::uint64_t child = link.load(std::memory_order_relaxed);
  const std::string_view other = key_of(child);
  const std::uint64_t common = common_bytes(other.substr(depth), key.substr(depth));
  const std::uint64_t end = depth + common;
  DFS_ASSERT(other != key, "a key is inserted once");
  const std::uint64_t node = make_node(NodeKind::four, key.substr(depth, common));
  append(node, leaf_word(child_offset(child), code_at(other, end)));
  append(node, leaf_word(anchor, code_at(key, end)));
  // SYNC POINT: link. Release: the node with both keys comes before the word that leads to it (b).
  link.store(word_of(node, code_of(child)), std::memory_order_release);
}

void TreeWriter::split_prefix(Link& link, std::string_view key, std::uint64_t depth,
                              std::uint64_t common, std::uint64_t anchor) {
  const std::uint64_t child = link.load(std::memory_order_relaxed);
  const auto& node = *arena_.at<TreeNode>(child_offset(child));
  const std::string_view prefix(prefix_of(node), node.prefix_size);
  const std::uint64_t upper = make_node(NodeKind::four, prefix.substr(0, common));
  const std::uint64_t lower = copy_node(node, node.kind, prefix.substr(common + 1));
  append(upper, word_of(lower, code_at(prefix, common)));
  append(upper, leaf_word(anchor, code_at(key, depth + common)));
  // SYNC POINT: link. Release, as in split_leaf.
  link.store(word_of(upper, code_of(child)), std::memory_order_release);
}

void TreeWriter::add_child(Link& link, TreeNode& node, std::uint64_t child) {
  const std::uint64_t word = link.load(std::memory_order_relaxed);
  const bool listed = node.kind != NodeKind::direct;
  if (!listed || node.count.load(std::memory_order_relaxed) < capacity_of(node.kind)) {
    append(child_offset(word), child);
    return;
  }
  const std::uint64_t grown = grow(node);
  auto* top = arena_.at<TreeNode>(grown);
  std::uint64_t at = grown;
  if (node.prefix_size != 0 && node.kind == NodeKind::thirty_two) {
    at = child_offset(top->children()[0].load(std::memory_order_relaxed));
  }
  append(at, child);
  // SYNC POINT: link. Release, as in split_leaf.
  link.store(word_of(grown, code_of(word)), std::memory_order_release);
}

}  // namespace dfs::index
