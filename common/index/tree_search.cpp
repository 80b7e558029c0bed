#include "common/index/tree_search.hpp"

#include "common/base/limits.hpp"
#include "common/index/chain.hpp"

namespace dfs::index {
namespace {

/// No path is longer: each level but the last takes at least a byte of the key.
constexpr std::uint64_t kMaxLevels = kMaxKeyBytes + 2;

/// A node's child with `code`, and the last one below it; 0 where there is none.
struct Neighbours {
  std::uint64_t at = 0;
  std::uint64_t below = 0;
};
Neighbours neighbours(const NodeSeen& seen, std::uint64_t code) noexcept {
  Neighbours found;
  const std::atomic<std::uint64_t>* children = seen.node->children();
  // Acquire: what hangs below was made before the word; pairs with the release store of a link.
  if (seen.node->kind == NodeKind::direct) {
    found.at = children[code].load(std::memory_order_acquire);
    while (code > 0 && found.below == 0) {
      found.below = children[--code].load(std::memory_order_acquire);
    }
    return found;
  }
  for (std::uint64_t i = 0; i < seen.children; ++i) {
    const std::uint64_t word = children[i].load(std::memory_order_acquire);
    if (code_of(word) == code) found.at = word;
    if (code_of(word) < code && word > found.below) found.below = word;
  }
  return found;
}

/// A node's child with the lowest or the highest code; 0 where it has none.
std::uint64_t edge_child(const NodeSeen& seen, Edge edge) noexcept {
  std::uint64_t found = 0;
  for (std::uint64_t i = 0; i < seen.children; ++i) {
    const std::uint64_t word = seen.node->children()[i].load(std::memory_order_acquire);
    if (word == 0) continue;
    if (found == 0 || (word < found) == (edge == Edge::first)) found = word;
  }
  return found;
}

}  // namespace

NodeSeen see_node(Reach& reach, std::uint64_t child) noexcept {
  const std::uint64_t offset = child_offset(child);
  const auto* node = reach.at<TreeNode>(offset);
  if (node == nullptr) return {};
  const std::uint64_t capacity = capacity_of(node->kind);
  if (capacity == 0 || reach.bytes_at(offset, node_bytes(node->kind)) == nullptr) return {};

  const std::uint64_t size = node->prefix_size;
  const char* prefix = size <= kInlinePrefixBytes
                           ? reinterpret_cast<const char*>(&node->prefix)
                           : reach.bytes_at(node->prefix & kOffsetMask, size);
  if (prefix == nullptr) return {};

  // SYNC POINT: children. Acquire, so that the words up to the count were stored before it; pairs
  // with the release store in TreeWriter::append.
  const std::uint64_t count =
      node->kind == NodeKind::direct ? capacity : node->count.load(std::memory_order_acquire);
  if (count > capacity) return {};
  return {node, std::string_view(prefix, size), count};
}

LeafSeen see_leaf(Reach& reach, std::uint64_t child) noexcept {
  const auto* anchor = reach.at<Anchor>(child_offset(child));
  if (anchor == nullptr) return {};
  // SYNC POINT: newest. Acquire, so that the record was made before it is read; pairs with the
  // release store of the anchor in IndexWriter::add.
  const std::uint64_t offset = anchor->record.load(std::memory_order_acquire);
  return {record_at(reach, offset), offset};
}

TreeHit search_tree(Reach& reach, std::string_view key) noexcept {
  // SYNC POINT: root. Acquire: the nodes below were made before it; pairs with the release store of
  // a link in TreeWriter.
  std::uint64_t child = reach.view().slot->root.load(std::memory_order_acquire);
  std::uint64_t depth = 0;
  // Each round takes a byte of the key or ends, so the walk is bounded whatever the nodes say.
  while (child != 0) {
    if (is_leaf(child)) {
      const LeafSeen leaf = see_leaf(reach, child);
      if (leaf.record == nullptr) return {Outcome::broken, {}};
      if (leaf.record->key() != key) return {};
      return {Outcome::found, leaf};
    }
    const NodeSeen seen = see_node(reach, child);
    if (seen.node == nullptr) return {Outcome::broken, {}};
    if (depth > key.size()) return {Outcome::broken, {}};
    if (!key.substr(depth).starts_with(seen.prefix)) return {};
    depth += seen.prefix.size();
    const std::uint64_t code = code_at(key, depth);
    ++depth;

    const std::atomic<std::uint64_t>* children = seen.node->children();
    child = 0;
    // Acquire: what hangs below was made before the word; pairs with the release store of a link.
    if (seen.node->kind == NodeKind::direct) {
      child = children[code].load(std::memory_order_acquire);
    } else {
      for (std::uint64_t i = 0; i < seen.children && child == 0; ++i) {
        const std::uint64_t word = children[i].load(std::memory_order_acquire);
        if (code_of(word) == code) child = word;
      }
    }
  }
  return {};
}

LeafPlace edge_leaf(Reach& reach, std::uint64_t child, Edge edge) noexcept {
  if (child == 0) return {};
  for (std::uint64_t level = 0; level < kMaxLevels; ++level) {
    if (is_leaf(child)) return {Outcome::found, child, level};
    const NodeSeen seen = see_node(reach, child);
    if (seen.node == nullptr) break;
    child = edge_child(seen, edge);
    if (child == 0) break;
  }
  return {Outcome::broken, 0, 0};
}

LeafPlace floor_leaf(Reach& reach, std::uint64_t child, std::string_view key) noexcept {
  std::uint64_t below = 0;  // of all that was passed the nearest whose keys are below `key`
  std::uint64_t depth = 0;
  std::uint64_t nodes = 0;
  while (child != 0) {
    ++nodes;
    if (is_leaf(child)) {
      const LeafSeen leaf = see_leaf(reach, child);
      if (leaf.record == nullptr) return {Outcome::broken, 0, 0};
      if (leaf.record->key() <= key) below = child;
      break;
    }
    const NodeSeen seen = see_node(reach, child);
    if (seen.node == nullptr || depth > key.size()) return {Outcome::broken, 0, 0};
    const int order = seen.prefix.compare(key.substr(depth, seen.prefix.size()));
    if (order < 0) below = child;
    if (order != 0) break;
    depth += seen.prefix.size();
    const Neighbours found = neighbours(seen, code_at(key, depth));
    ++depth;
    if (found.below != 0) below = found.below;
    child = found.at;
  }
  const LeafPlace last = edge_leaf(reach, below, Edge::last);
  return {last.outcome, last.child, nodes + last.nodes};
}

}  // namespace dfs::index
