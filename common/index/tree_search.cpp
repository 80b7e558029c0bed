#include "common/index/tree_search.hpp"

#include "common/index/chain.hpp"

namespace dfs::index {

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
    const std::uint64_t code =
        depth == key.size() ? 0
                            : static_cast<std::uint64_t>(static_cast<std::uint8_t>(key[depth])) + 1;
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

}  // namespace dfs::index
