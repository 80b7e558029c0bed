#include "common/index/table_writer.hpp"

#include <algorithm>
#include <array>

#include "common/index/hash.hpp"
#include "common/index/record.hpp"

namespace dfs::index {
namespace {

/// A segment at most this full does not split for a key that has no place: it would cost memory
/// for nothing, since only keys chosen to meet do that.
constexpr std::uint32_t kSplitAbove = kSlotsPerSegment / 4;
/// Below this a key without a place has others moved on for it. Simulated: up to 0.8 that always
/// works, takes one insertion in a hundred, and leaves nine keys in ten in their home bucket; at
/// 0.9 it fails in two segments of three.
constexpr std::uint32_t kDisplaceBelow = kSlotsPerSegment * 4 / 5;
/// How far to look for an empty slot, in buckets.
constexpr std::uint64_t kDisplaceReach = 40;
/// A directory has at most one entry for so many keys (about one for 5,000 with random hashes), so
/// that keys chosen to share their top bits cannot make it grow.
constexpr std::uint64_t kKeysPerEntry = 64;
constexpr std::uint64_t kSmallDirectoryDepth = 4;
/// A table laid out beforehand is filled to three quarters on average, which leaves the fullest
/// segment below 0.8.
constexpr std::uint64_t kExpectedFill = kSlotsPerSegment * 3 / 4;

std::uint64_t word_in_slot(std::uint64_t hash, std::uint64_t record) noexcept {
  return word_of(record, tag_of(hash));
}

std::uint64_t bytes_between(const void* from, const void* to) noexcept {
  return static_cast<std::uint64_t>(static_cast<const std::byte*>(to) -
                                    static_cast<const std::byte*>(from));
}

}  // namespace

TableWriter::TableWriter(Arena& arena, GenerationSlot& slot, std::uint64_t seed,
                         std::uint64_t expected_keys)
    : arena_(arena), slot_(slot), seed_(seed) {
  while ((kExpectedFill << depth_) < expected_keys && depth_ < kMaxDirectoryDepth) ++depth_;
  std::uint64_t first = 0;
  while (true) {
    // Directory and segments in one piece, so that a smaller table is tried where it does not fit.
    const std::uint64_t entries = std::uint64_t{1} << depth_;
    const std::uint64_t bytes = std::max<std::uint64_t>(64, entries * sizeof(DirectoryEntry));
    first = arena_.try_place(bytes + entries * sizeof(Segment));
    if (first != 0) {
      directory_ = first;
      first += bytes;
      break;
    }
    DFS_ASSERT(depth_ > 0, "memory for an empty generation");
    --depth_;
  }
  segments_ = std::uint64_t{1} << depth_;
  fill_.assign(segments_, 0);
  for (std::uint64_t i = 0; i < segments_; ++i) {
    // Relaxed: readers come by the directory's word, stored below with release.
    directory()[i].word.store(word_of(first + i * sizeof(Segment), depth_),
                              std::memory_order_relaxed);
  }
  slot_.directory.store(word_of(directory_, depth_), std::memory_order_release);
}

DirectoryEntry* TableWriter::directory() const noexcept {
  return arena_.at<DirectoryEntry>(directory_);
}

std::uint64_t TableWriter::first_entry(std::uint64_t entry) const noexcept {
  // Relaxed here and below: the writer reads what it alone has written.
  const std::uint64_t depth = rest_of(directory()[entry].word.load(std::memory_order_relaxed));
  const std::uint64_t shift = depth_ - depth;
  return entry >> shift << shift;
}

void TableWriter::prefetch(std::uint64_t hash) const noexcept {
  const std::uint64_t entry =
      directory()[entry_of(hash, depth_)].word.load(std::memory_order_relaxed);
  __builtin_prefetch(&arena_.at<Segment>(offset_of(entry))->buckets[home_of(hash)]);
}

TableWriter::Found TableWriter::prefetch_record(std::uint64_t hash) const noexcept {
  const std::uint64_t entry =
      directory()[entry_of(hash, depth_)].word.load(std::memory_order_relaxed);
  const Bucket& home = arena_.at<Segment>(offset_of(entry))->buckets[home_of(hash)];
  for (const auto& slot : home.slots) {
    const std::uint64_t word = slot.load(std::memory_order_relaxed);
    const std::uint64_t record = slot_offset(word);
    if (record == 0 || rest_of(word) != tag_of(hash)) continue;
    __builtin_prefetch(arena_.at<std::byte>(record));
    __builtin_prefetch(arena_.at<std::byte>(record) + 64);
    return {bytes_between(arena_.base(), &slot), record, false};
  }
  return {};
}

TableWriter::Found TableWriter::find(std::uint64_t hash, std::string_view key) const noexcept {
  const std::uint64_t entry =
      directory()[entry_of(hash, depth_)].word.load(std::memory_order_relaxed);
  auto* segment = arena_.at<Segment>(offset_of(entry));
  const Bucket* home = &segment->buckets[home_of(hash)];
  // The slots of a segment's buckets lie one behind the other.
  const auto* slot = home->slots;
  for (const auto* end = slot + kBucketsPerSearch * kSlotsPerBucket; slot != end; ++slot) {
    const std::uint64_t word = slot->load(std::memory_order_relaxed);
    const std::uint64_t record = slot_offset(word);
    if (record == 0) break;
    if (rest_of(word) == tag_of(hash) && arena_.at<RecordHeader>(record)->key() == key) {
      return {bytes_between(arena_.base(), slot), record, false};
    }
  }
  return {0, 0, (home->slots[0].load(std::memory_order_relaxed) & kOverflowMark) != 0};
}

std::uint64_t TableWriter::place(Segment& segment, std::uint64_t base, std::uint64_t hash,
                                 std::uint64_t record) noexcept {
  Bucket* home = &segment.buckets[home_of(hash)];
  for (std::uint64_t i = 0; i < kBucketsPerSearch * kSlotsPerBucket; ++i) {
    auto& slot = home[i / kSlotsPerBucket].slots[i % kSlotsPerBucket];
    const std::uint64_t word = slot.load(std::memory_order_relaxed);
    if (slot_offset(word) != 0) continue;
    // SYNC POINT: newest. Release: the record was made before its offset is seen. The mark stays.
    slot.store(word_in_slot(hash, record) | (word & kOverflowMark), std::memory_order_release);
    return base + bytes_between(&segment, &slot);
  }
  return 0;
}

/// A slot before bucket `to` whose key may lie in `to`; the one furthest back, so that few move.
std::atomic<std::uint64_t>* TableWriter::movable(Segment& segment, std::uint64_t to) noexcept {
  const std::uint64_t first_home = to - (kBucketsPerSearch - 1);
  for (std::uint64_t b = first_home; b < to; ++b) {
    for (auto& slot : segment.buckets[b].slots) {
      const std::uint64_t record = slot_offset(slot.load(std::memory_order_relaxed));
      if (record == 0) continue;
      if (home_of(hash_key(arena_.at<RecordHeader>(record)->key(), seed_)) >= first_home) {
        return &slot;
      }
    }
  }
  return nullptr;
}

/// Moves keys further on, each within its own four buckets, until one of the new key's slots can be
/// taken; 0 where that cannot be done.
std::uint64_t TableWriter::displace(Segment& segment, std::uint64_t base, std::uint64_t hash,
                                    std::uint64_t record) noexcept {
  const auto empty_in = [&segment](std::uint64_t b) -> std::atomic<std::uint64_t>* {
    for (auto& slot : segment.buckets[b].slots) {
      if (slot_offset(slot.load(std::memory_order_relaxed)) == 0) return &slot;
    }
    return nullptr;
  };
  const std::uint64_t home = home_of(hash);
  std::uint64_t to = home + kBucketsPerSearch;
  const std::uint64_t end = std::min(kBucketsPerSegment, to + kDisplaceReach);
  std::atomic<std::uint64_t>* free = nullptr;
  while (to < end && (free = empty_in(to)) == nullptr) ++to;
  if (free == nullptr) return 0;

  // Planned first, since a chain that ends nowhere must not have begun.
  std::array<std::atomic<std::uint64_t>*, kDisplaceReach + kBucketsPerSearch> chain;
  std::size_t moves = 0;
  chain[moves++] = free;
  while (to >= home + kBucketsPerSearch) {
    std::atomic<std::uint64_t>* from = movable(segment, to);
    if (from == nullptr) return 0;
    chain[moves++] = from;
    to = bytes_between(&segment, from) / sizeof(Bucket);
  }
  const auto fill_slot = [](std::atomic<std::uint64_t>& slot, std::uint64_t word) {
    const std::uint64_t mark = slot.load(std::memory_order_relaxed) & kOverflowMark;
    // SYNC POINT: newest. Release: a key lies further on before its old slot is taken.
    slot.store((word & ~kOverflowMark) | mark, std::memory_order_release);
  };
  for (std::size_t i = 0; i + 1 < moves; ++i) {
    fill_slot(*chain[i], chain[i + 1]->load(std::memory_order_relaxed));
  }
  std::atomic<std::uint64_t>& taken = *chain[moves - 1];
  fill_slot(taken, word_in_slot(hash, record));
  return base + bytes_between(&segment, &taken);
}

std::uint64_t TableWriter::insert(std::uint64_t hash, std::uint64_t record) {
  ++keys_;
  while (true) {
    const std::uint64_t entry = entry_of(hash, depth_);
    const std::uint64_t segment =
        offset_of(directory()[entry].word.load(std::memory_order_relaxed));
    std::uint32_t& fill = fill_[first_entry(entry)];
    auto& buckets = *arena_.at<Segment>(segment);
    std::uint64_t slot = place(buckets, segment, hash, record);
    if (slot == 0 && fill < kDisplaceBelow) slot = displace(buckets, segment, hash, record);
    if (slot != 0) {
      ++fill;
      return slot;
    }
    if (fill > kSplitAbove && split(entry)) continue;
    ++left_out_;
    auto& first = buckets.buckets[home_of(hash)].slots[0];
    // Release, though the next publish orders it as well: the tree's leaf is there by then.
    first.store(first.load(std::memory_order_relaxed) | kOverflowMark, std::memory_order_release);
    return 0;
  }
}

void TableWriter::replace(std::uint64_t slot, std::uint64_t record) noexcept {
  auto& word = *arena_.at<std::atomic<std::uint64_t>>(slot);
  const std::uint64_t before = word.load(std::memory_order_relaxed);
  // SYNC POINT: newest. Release, as in place; tag and mark stay.
  word.store((before & ~(kOffsetMask & ~kOverflowMark)) | record, std::memory_order_release);
}

bool TableWriter::holds(std::uint64_t slot, std::uint64_t record) const noexcept {
  const auto& word = *arena_.at<std::atomic<std::uint64_t>>(slot);
  return slot_offset(word.load(std::memory_order_relaxed)) == record;
}

bool TableWriter::double_directory() {
  const std::uint64_t depth = depth_ + 1;
  if (depth > kMaxDirectoryDepth) return false;
  const std::uint64_t entries = std::uint64_t{1} << depth;
  if (depth > kSmallDirectoryDepth && entries > keys_ / kKeysPerEntry) return false;
  const std::uint64_t place = arena_.try_place(entries * sizeof(DirectoryEntry));
  if (place == 0) return false;
  auto* doubled = arena_.at<DirectoryEntry>(place);
  std::vector<std::uint32_t> fill(entries);
  for (std::uint64_t i = 0; i < entries; ++i) {
    doubled[i].word.store(directory()[i / 2].word.load(std::memory_order_relaxed),
                          std::memory_order_relaxed);
    if (i % 2 == 0) fill[i] = fill_[i / 2];
  }
  directory_ = place;
  depth_ = depth;
  fill_ = std::move(fill);
  // SYNC POINT: directory. Release: the entries come before the word that leads to them.
  slot_.directory.store(word_of(directory_, depth_), std::memory_order_release);
  return true;
}

bool TableWriter::split(std::uint64_t entry) {
  const std::uint64_t word = directory()[entry].word.load(std::memory_order_relaxed);
  const std::uint64_t depth = rest_of(word);
  if (depth == depth_) {
    if (!double_directory()) return false;
    entry *= 2;
  }
  const std::uint64_t halves = arena_.try_place(2 * sizeof(Segment));
  if (halves == 0) return false;
  const std::uint64_t zero = halves;
  const std::uint64_t one = halves + sizeof(Segment);

  const std::uint64_t range = std::uint64_t{1} << (depth_ - depth);
  const std::uint64_t first = entry / range * range;
  const std::uint64_t middle = first + range / 2;
  const std::uint32_t ones = copy_halves(*arena_.at<Segment>(offset_of(word)), depth, zero, one);
  fill_[first] -= ones;
  fill_[middle] = ones;
  for (std::uint64_t i = first; i < first + range; ++i) {
    // SYNC POINT: segment. Release: all that the old segment holds is in the new ones. A reader
    // that has the old one still finds there all that its snapshot can have.
    directory()[i].word.store(word_of(i < middle ? zero : one, depth + 1),
                              std::memory_order_release);
  }
  ++segments_;
  ++splits_;
  return true;
}

std::uint32_t TableWriter::copy_halves(const Segment& from, std::uint64_t depth, std::uint64_t zero,
                                       std::uint64_t one) noexcept {
  std::uint32_t ones = 0;
  // The hash's top bits are not in the slot, so each record's key is read: the misses overlap.
  constexpr std::uint64_t kAhead = 2;
  for (std::uint64_t b = 0; b < kBucketsPerSegment; ++b) {
    if (b + kAhead < kBucketsPerSegment) {
      for (const auto& slot : from.buckets[b + kAhead].slots) {
        const std::byte* record = arena_.base() + slot_offset(slot.load(std::memory_order_relaxed));
        __builtin_prefetch(record);
        __builtin_prefetch(record + 64);
      }
    }
    if ((from.buckets[b].slots[0].load(std::memory_order_relaxed) & kOverflowMark) != 0) {
      // A left-out key may belong to either half.
      for (const std::uint64_t half : {zero, one}) {
        auto& first = arena_.at<Segment>(half)->buckets[b].slots[0];
        first.store(first.load(std::memory_order_relaxed) | kOverflowMark,
                    std::memory_order_relaxed);
      }
    }
    for (const auto& slot : from.buckets[b].slots) {
      const std::uint64_t record = slot_offset(slot.load(std::memory_order_relaxed));
      if (record == 0) continue;
      const std::uint64_t hash = hash_key(arena_.at<RecordHeader>(record)->key(), seed_);
      const bool in_one = (hash >> (63 - depth) & 1) != 0;
      const std::uint64_t half = in_one ? one : zero;
      // Taken in the order of buckets, each key finds a place no further on than it had: a bucket
      // can only have been filled from the same bucket so far.
      const std::uint64_t placed = place(*arena_.at<Segment>(half), half, hash, record);
      DFS_ASSERT(placed != 0, "half of a segment's keys have places in a whole one");
      ones += in_one ? 1 : 0;
    }
  }
  return ones;
}

}  // namespace dfs::index
