#include "common/index/tree_cursor.hpp"

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/index/tree_search.hpp"

namespace dfs::index {
namespace {

/// How many leaves ahead a record is prefetched: a record read costs about a third of a miss.
constexpr std::int32_t kAhead = 3;

/// A key's bytes bound the depth: each level but the last takes at least one.
constexpr std::size_t kMaxFrames = kMaxKeyBytes + 2;

void sort_words(std::uint64_t* begin, std::uint64_t* end) {
  // Mostly in order already: keys often come in it, and growth and splits keep it.
  if (!std::is_sorted(begin, end)) std::sort(begin, end);
}

}  // namespace

void TreeCursor::end(Outcome outcome) noexcept {
  outcome_ = outcome;
  record_ = nullptr;
}

bool TreeCursor::load_root(const View& view) {
  frames_.clear();
  words_.clear();
  end(Outcome::absent);
  // SYNC POINT: root. Acquire, and after the snapshot was taken (d): the tree has all of its keys.
  const std::uint64_t root = view.slot->root.load(std::memory_order_acquire);
  if (root == 0) {
    if (!look(view)) outcome_ = Outcome::given_back;
    return false;
  }
  words_.push_back(root);
  frames_.push_back({0, 1, 0});
  return true;
}

/// Loads the children of a node that `see_node` has checked into a new frame, sorted.
void TreeCursor::push(const View& view, const TreeNode& node, std::uint64_t children) {
  const std::size_t begin = words_.size();
  words_.resize(begin + children);
  std::uint64_t* to = words_.data() + begin;
  for (std::uint64_t i = 0; i < children; ++i) {
    // SYNC POINT: link. Acquire: what hangs there was made before the word.
    const std::uint64_t word = node.children()[i].load(std::memory_order_acquire);
    if (word == 0) continue;
    *to++ = word;
    if (is_leaf(word)) prefetch(view, child_offset(word));
  }
  words_.resize(static_cast<std::size_t>(to - words_.data()));
  if (node.kind != NodeKind::direct) sort_words(words_.data() + begin, to);
  frames_.push_back({static_cast<std::int32_t>(begin), static_cast<std::int32_t>(words_.size()),
                     static_cast<std::int32_t>(begin)});
}

void TreeCursor::seek_first(Vantage& vantage) {
  if (load_root(vantage.view())) settle(vantage, Way::forward);
}

void TreeCursor::seek_last(Vantage& vantage) {
  if (load_root(vantage.view())) settle(vantage, Way::backward);
}

void TreeCursor::seek(Vantage& vantage, std::string_view key) {
  seek_from(vantage, key, Way::forward);
}

void TreeCursor::seek_for_prev(Vantage& vantage, std::string_view key) {
  seek_from(vantage, key, Way::backward);
}

void TreeCursor::next(Vantage& vantage) {
  ++frames_.back().position;
  settle(vantage, Way::forward);
}

void TreeCursor::prev(Vantage& vantage) {
  --frames_.back().position;
  settle(vantage, Way::backward);
}

void TreeCursor::seek_from(Vantage& vantage, std::string_view key, Way way) {
  if (!load_root(vantage.view())) return;
  Reach reach(vantage.view());
  std::uint64_t depth = 0;
  while (true) {
    Frame& frame = frames_.back();
    const std::uint64_t child = words_[static_cast<std::size_t>(frame.position)];
    int order = 0;  // of what hangs here, against the key
    if (is_leaf(child)) {
      const LeafSeen leaf = see_leaf(reach, child);
      if (leaf.record == nullptr) return end(reach.refused());
      order = leaf.record->key().compare(key);
    } else {
      const NodeSeen seen = see_node(reach, child);
      if (seen.node == nullptr || depth > key.size()) return end(reach.refused());
      order = seen.prefix.compare(key.substr(depth, seen.prefix.size()));
      if (order == 0) {
        if (!vantage.count_step()) return end(Outcome::out_of_steps);
        depth += seen.prefix.size();
        const std::uint64_t code = code_at(key, depth);
        ++depth;
        push(vantage.view(), *seen.node, seen.children);
        Frame& inner = frames_.back();
        const auto* first = words_.data() + inner.begin;
        const auto* last = words_.data() + inner.end;
        const auto* found = std::lower_bound(first, last, word_of(0, code));
        inner.position = static_cast<std::int32_t>(found - words_.data());
        if (found != last && code_of(*found) == code) continue;
        if (way == Way::backward) --inner.position;
        return settle(vantage, way);
      }
    }
    if (way == Way::forward && order < 0) ++frame.position;
    if (way == Way::backward && order > 0) --frame.position;
    return settle(vantage, way);
  }
}

/// From where the top frame stands, going `way`, to the first leaf that the snapshot shows.
void TreeCursor::settle(Vantage& vantage, Way way) {
  Reach reach(vantage.view());
  end(Outcome::absent);
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    if (frame.position < frame.begin || frame.position >= frame.end) {
      words_.resize(static_cast<std::size_t>(frame.begin));
      frames_.pop_back();
      if (!frames_.empty()) frames_.back().position += way == Way::forward ? 1 : -1;
      continue;
    }
    if (!vantage.count_step()) return end(Outcome::out_of_steps);
    const std::uint64_t child = words_[static_cast<std::size_t>(frame.position)];
    if (is_leaf(child)) {
      prefetch_ahead(reach, way);
      if (visit(vantage, reach, child)) return;
      frame.position += way == Way::forward ? 1 : -1;
    } else {
      const NodeSeen seen = see_node(reach, child);
      if (seen.node == nullptr || frames_.size() >= kMaxFrames) return end(reach.refused());
      push(vantage.view(), *seen.node, seen.children);
      if (way == Way::backward) frames_.back().position = frames_.back().end - 1;
    }
    // Each step, so that a walk over pages that are gone ends soon.
    if (!look(vantage.view())) return end(Outcome::given_back);
  }
  if (!look(vantage.view())) end(Outcome::given_back);
}

void TreeCursor::prefetch_ahead(Reach& reach, Way way) noexcept {
  const Frame& frame = frames_.back();
  const std::int32_t ahead = frame.position + (way == Way::forward ? kAhead : -kAhead);
  if (ahead < frame.begin || ahead >= frame.end) return;
  const std::uint64_t child = words_[static_cast<std::size_t>(ahead)];
  if (!is_leaf(child)) return;
  const auto* anchor = reach.at<Anchor>(child_offset(child));
  if (anchor == nullptr) return;
  // Relaxed: a hint.
  prefetch(reach.view(), anchor->record.load(std::memory_order_relaxed));
}

/// Whether the walk ends at this leaf: with the snapshot's record there, or with a refusal.
bool TreeCursor::visit(Vantage& vantage, Reach& reach, std::uint64_t leaf) noexcept {
  const auto* anchor = reach.at<Anchor>(child_offset(leaf));
  if (anchor == nullptr) {
    end(reach.refused());
    return true;
  }
  // SYNC POINT: newest. Acquire, as in see_leaf.
  const Vantage::Seen seen = vantage.see(reach, anchor->record.load(std::memory_order_acquire));
  outcome_ = seen.outcome;
  record_ = seen.record;
  return seen.outcome != Outcome::absent;
}

}  // namespace dfs::index
