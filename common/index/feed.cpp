#include "common/index/feed.hpp"

#include <algorithm>

#include "common/index/chain.hpp"

namespace dfs::index {
namespace {

/// The offset of the last entry not above `sequence`, or `begin` where there is none.
std::uint64_t entry_before(Reach& reach, std::uint64_t sequence, std::uint64_t begin,
                           bool& broken) noexcept {
  // SYNC POINT: feed. Acquire: the block was made before; pairs with FeedWriter::room.
  std::uint64_t offset = reach.view().slot->feed.load(std::memory_order_acquire);
  while (offset != 0) {
    const auto* block = reach.at<FeedBlock>(offset);
    if (block == nullptr) break;
    const std::uint64_t capacity = block->capacity;
    // SYNC POINT: entries. Acquire: entries up to the count; pairs with FeedWriter::note.
    const std::uint64_t count = block->count.load(std::memory_order_acquire);
    if (capacity > kMaxFeedBlockEntries || count > capacity ||
        reach.bytes_at(offset, sizeof(FeedBlock) + capacity * sizeof(FeedEntry)) == nullptr) {
      break;
    }
    const auto* entries = reinterpret_cast<const FeedEntry*>(block + 1);
    const auto* behind = std::upper_bound(
        entries, entries + count, sequence,
        [](std::uint64_t s, const FeedEntry& entry) { return s < entry.sequence; });
    if (behind != entries) return behind[-1].offset;
    if (block->previous >= offset) break;  // blocks lie in the order of their making
    offset = block->previous;
    if (offset == 0) return begin;
  }
  broken = offset != 0;
  return begin;
}

/// Follows jumps from `offset` to a record, `end` or a place that cannot be.
FeedStep record_behind(Reach& reach, std::uint64_t offset, std::uint64_t end) noexcept {
  while (offset != end) {
    const auto* jump = reach.at<Jump>(offset);
    if (jump == nullptr) return {reach.refused(), nullptr, offset};
    if (jump->zero != 0) {
      const RecordHeader* record = record_at(reach, offset);
      if (record == nullptr) return {reach.refused(), nullptr, offset};
      return {Outcome::found, record, offset};
    }
    if (jump->next <= offset) return {reach.refused(), nullptr, offset};
    offset = jump->next;
  }
  return {Outcome::absent, nullptr, offset};
}

std::uint64_t behind(const RecordHeader& record, std::uint64_t offset) noexcept {
  return offset +
         record_bytes(record.key_size(), record.value_size, (record.flags() & kFarLink) != 0);
}

}  // namespace

std::uint64_t feed_base(const View& view) noexcept {
  // Acquire, as `published`: it was stored before the generation became current.
  return view.slot->feed_base.load(std::memory_order_acquire);
}

FeedStep first_after(const View& view, std::uint64_t after) noexcept {
  Reach reach(view);
  const GenerationSlot& slot = *view.slot;
  if (after < feed_base(view))
    return {look(view) ? Outcome::absent : Outcome::given_back, nullptr, 0};
  // SYNC POINT: publish. Acquire; then the end of the records, which was stored before it.
  const std::uint64_t published = slot.published.load(std::memory_order_acquire);
  const std::uint64_t end = slot.records_end.load(std::memory_order_acquire);
  const std::uint64_t begin = slot.feed_begin.load(std::memory_order_acquire);

  bool broken = false;
  // Entries above what is published may stand there already, for records that do not count yet.
  const std::uint64_t known = std::min(after, published);
  std::uint64_t offset = entry_before(reach, known, begin, broken);
  if (broken) return {reach.refused(), nullptr, 0};
  while (true) {
    const FeedStep step = record_behind(reach, offset, end);
    if (step.outcome == Outcome::absent) break;
    if (step.outcome != Outcome::found) return step;
    if (step.record->sequence > known) break;
    offset = behind(*step.record, step.next);
    if (!look(view)) return {Outcome::given_back, nullptr, 0};
  }
  return {look(view) ? Outcome::found : Outcome::given_back, nullptr, offset};
}

FeedStep feed_step(const View& view, std::uint64_t offset, std::uint64_t up_to) noexcept {
  Reach reach(view);
  // SYNC POINT: publish. Acquire: every record before this end was made before it was stored.
  const std::uint64_t end = view.slot->records_end.load(std::memory_order_acquire);
  FeedStep step = record_behind(reach, offset, end);
  if (step.outcome == Outcome::found) {
    if (step.record->sequence > up_to) {
      step = {Outcome::absent, nullptr, offset};
    } else {
      step.next = behind(*step.record, step.next);
    }
  }
  if (!look(view)) return {Outcome::given_back, nullptr, offset};
  return step;
}

}  // namespace dfs::index
