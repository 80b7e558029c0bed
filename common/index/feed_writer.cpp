#include "common/index/feed_writer.hpp"

#include <algorithm>

namespace dfs::index {

void FeedWriter::begin(std::uint64_t sequence, std::uint64_t offset) noexcept {
  block_ = 0;
  last_sequence_ = 0;
  // Relaxed: readers come by `current` or `published`, stored after this with release.
  slot_.feed.store(0, std::memory_order_relaxed);
  slot_.feed_base.store(sequence, std::memory_order_relaxed);
  slot_.feed_begin.store(offset, std::memory_order_relaxed);
}

void FeedWriter::note(std::uint64_t sequence, std::uint64_t offset) {
  ++records_;
  if (sequence == last_sequence_) return;
  const bool first = last_sequence_ == 0;
  last_sequence_ = sequence;
  ++commits_;
  if (!first && commits_ <= kCommitsPerFeedEntry && records_ <= kRecordsPerFeedEntry) return;
  FeedBlock* block = room();
  if (block == nullptr) return;
  // Relaxed: the writer reads what it alone has written.
  const std::uint64_t count = block->count.load(std::memory_order_relaxed);
  reinterpret_cast<FeedEntry*>(block + 1)[count] = FeedEntry{sequence, offset};
  // SYNC POINT: entries. Release: the entry comes before the count that reaches it.
  block->count.store(count + 1, std::memory_order_release);
  commits_ = 1;
  records_ = 1;
}

FeedBlock* FeedWriter::room() {
  std::uint64_t capacity = kMinFeedBlockEntries;
  if (block_ != 0) {
    auto* block = arena_.at<FeedBlock>(block_);
    if (block->count.load(std::memory_order_relaxed) < block->capacity) return block;
    capacity = std::min(2 * block->capacity + 2, kMaxFeedBlockEntries);
  }
  const std::uint64_t place = arena_.try_place(sizeof(FeedBlock) + capacity * sizeof(FeedEntry));
  if (place == 0) return nullptr;
  auto* block = arena_.at<FeedBlock>(place);
  block->previous = block_;
  block->capacity = capacity;
  block_ = place;
  // SYNC POINT: feed. Release: the block was made before it is reached.
  slot_.feed.store(place, std::memory_order_release);
  return block;
}

}  // namespace dfs::index
