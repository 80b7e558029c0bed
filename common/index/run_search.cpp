#include "common/index/run_search.hpp"

#include <cstddef>

#include "common/index/chain.hpp"

namespace dfs::index {
namespace {

std::uint64_t root_of(const Reach& reach) noexcept {
  // SYNC POINT: root. Acquire, as in search_tree.
  return reach.view().slot->runs.load(std::memory_order_acquire);
}

/// The run whose first anchor a leaf of the runs' tree is.
RunPlace place_of(const LeafPlace& leaf) noexcept {
  if (leaf.outcome != Outcome::found) return {leaf.outcome, 0, 0, {}, leaf.nodes};
  const std::uint64_t anchor = child_offset(leaf.child);
  if (anchor <= offsetof(Run, anchors)) return {Outcome::broken, 0, 0, {}, leaf.nodes};
  return {Outcome::found, anchor - offsetof(Run, anchors), 0, {}, leaf.nodes};
}

}  // namespace

RunPlace floor_in_runs(Reach& reach, std::string_view key) noexcept {
  const LeafPlace leaf = floor_leaf(reach, root_of(reach), key);
  RunPlace place = place_of(leaf);
  if (place.outcome != Outcome::found) return place;
  const auto broken = [] { return RunPlace{Outcome::broken, 0, 0, {}, 0}; };
  const auto* run = reach.at<Run>(place.run);
  if (run == nullptr) return broken();
  place.leaf = see_leaf(reach, leaf.child);
  if (place.leaf.record == nullptr) return broken();

  std::int64_t above = kRunKeys;
  while (above - place.position > 1) {
    const std::int64_t middle = place.position + (above - place.position) / 2;
    // SYNC POINT: newest. Acquire, as in see_leaf.
    const std::uint64_t offset = run->anchors[middle].record.load(std::memory_order_acquire);
    if (offset == 0) {
      above = middle;
      continue;
    }
    const RecordHeader* record = record_at(reach, offset);
    if (record == nullptr) return broken();
    ++place.steps;
    if (record->key() <= key) {
      place.position = middle;
      place.leaf = {record, offset};
    } else {
      above = middle;
    }
  }
  return place;
}

RunPlace first_run(Reach& reach) noexcept {
  return place_of(edge_leaf(reach, root_of(reach), Edge::first));
}

RunPlace last_run(Reach& reach) noexcept {
  return place_of(edge_leaf(reach, root_of(reach), Edge::last));
}

TreeHit search_runs(Reach& reach, std::string_view key) noexcept {
  const RunPlace place = floor_in_runs(reach, key);
  if (place.outcome != Outcome::found) return {place.outcome, {}};
  if (place.leaf.record->key() != key) return {};
  return {Outcome::found, place.leaf};
}

}  // namespace dfs::index
