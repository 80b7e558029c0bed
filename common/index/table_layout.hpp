// The table that finds a key's newest record: an extendible hash table of cache-line buckets.
//
// A key lies in its home bucket or one of the next three, the first that had a place when it came.
// A slot that was filled stays filled: a key may move further on within its four buckets, there
// first and then its old slot taken by another, so a search that goes forward meets it, and a
// bucket with an empty slot ends the search. A key for which there was no place is left out, and
// its home bucket marked: the tree has it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/index/control_page.hpp"

namespace dfs::index {

inline constexpr std::uint64_t kSlotsPerBucket = 8;
inline constexpr std::uint64_t kBucketsPerSegment = 1024;
/// Buckets that a key may lie in: its home and the next three.
inline constexpr std::uint64_t kBucketsPerSearch = 4;
/// The last three buckets are nobody's home, so that no search wraps round.
inline constexpr std::uint64_t kHomesPerSegment = kBucketsPerSegment - (kBucketsPerSearch - 1);
inline constexpr std::uint64_t kSlotsPerSegment = kSlotsPerBucket * kBucketsPerSegment;
/// The hash has its top 26 bits for the directory: the rest are the home and the tag.
inline constexpr std::uint64_t kMaxDirectoryDepth = 26;

/// A slot: the hash's low 16 bits above the offset of the key's newest record; empty while the
/// offset is 0. Offsets are multiples of eight; bit 0 of a bucket's first slot is its mark.
inline constexpr std::uint64_t kOverflowMark = 1;

/// Eight slots, one cache line. Written by the daemon, read by clients.
struct alignas(64) Bucket {
  std::atomic<std::uint64_t> slots[kSlotsPerBucket];
};
static_assert(sizeof(Bucket) == 64);
static_assert(offsetof(Bucket, slots) == 0);

/// Written by the daemon, read by clients. Once it has split, nothing changes in it any more.
struct Segment {
  Bucket buckets[kBucketsPerSegment];
};
static_assert(sizeof(Segment) == 65536);
static_assert(offsetof(Segment, buckets) == 0);

/// An entry of the directory, and the directory's own word in the generation's slot: an offset,
/// and above it a depth. A directory of depth d has 2^d entries, chosen by the hash's top d bits;
/// a segment of depth d holds the keys that share their top d bits.
struct DirectoryEntry {
  std::atomic<std::uint64_t> word;
};
static_assert(sizeof(DirectoryEntry) == 8);
static_assert(offsetof(DirectoryEntry, word) == 0);

[[nodiscard]] constexpr std::uint64_t tag_of(std::uint64_t hash) noexcept { return hash & 0xFFFF; }

/// The home bucket: 22 bits of the hash between the tag and the directory's, spread over the homes.
/// The same at every depth, so a split moves no key to another home.
[[nodiscard]] constexpr std::uint64_t home_of(std::uint64_t hash) noexcept {
  return ((hash >> 16 & 0x3FFFFF) * kHomesPerSegment) >> 22;
}

[[nodiscard]] constexpr std::uint64_t entry_of(std::uint64_t hash, std::uint64_t depth) noexcept {
  return depth == 0 ? 0 : hash >> (64 - depth);
}

/// The offset in a slot's word, without the mark.
[[nodiscard]] constexpr std::uint64_t slot_offset(std::uint64_t word) noexcept {
  return word & (kOffsetMask & ~kOverflowMark);
}

}  // namespace dfs::index
