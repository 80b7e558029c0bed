#include "common/index/lookup.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "common/base/assert.hpp"
#include "common/index/chain.hpp"
#include "common/index/hash.hpp"
#include "common/index/run_search.hpp"
#include "common/index/table_layout.hpp"
#include "common/index/tree_search.hpp"

namespace dfs::index {
namespace {

/// Lookups whose cache misses overlap. More than a core's outstanding misses (10 to 16) gains
/// nothing.
constexpr std::size_t kGroup = 16;

constexpr std::size_t kWord = sizeof(std::uint64_t);

[[gnu::always_inline]] inline bool same_word(const char* a, const char* b) noexcept {
  std::uint64_t one = 0;
  std::uint64_t other = 0;
  std::memcpy(&one, a, kWord);
  std::memcpy(&other, b, kWord);
  return one == other;
}

/// Keys are short, and here mostly equal: eight bytes at a time is less than a call.
[[gnu::always_inline]] inline bool same(std::string_view key, const RecordHeader& record) noexcept {
  const std::size_t size = key.size();
  if (record.key_size() != size) return false;
  const char* a = key.data();
  const char* b = record.key().data();
  if (size < kWord) {
    for (std::size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  const std::size_t last = size - kWord;
  for (std::size_t i = 0; i < last; i += kWord) {
    if (!same_word(a + i, b + i)) return false;
  }
  return same_word(a + last, b + last);
}

/// The home bucket of a hash; nullptr where directory or segment cannot be.
[[gnu::always_inline]] inline const Bucket* home_bucket(Reach& reach, std::uint64_t hash) noexcept {
  // SYNC POINT: directory. Acquire: its entries were stored before it; pairs with
  // TableWriter::double_directory. At least as new as the snapshot's publish, so whatever the
  // snapshot has was put into this directory's segments.
  const std::uint64_t directory = reach.view().slot->directory.load(std::memory_order_acquire);
  const std::uint64_t depth = rest_of(directory);
  if (depth > kMaxDirectoryDepth) return nullptr;
  const auto* entries =
      reach.at<DirectoryEntry>(offset_of(directory), sizeof(DirectoryEntry) << depth);
  if (entries == nullptr) return nullptr;
  // SYNC POINT: segment. Acquire: its slots were filled before it; pairs with TableWriter::split.
  const std::uint64_t entry = entries[entry_of(hash, depth)].word.load(std::memory_order_acquire);
  const auto* segment = reach.at<Segment>(offset_of(entry));
  return segment == nullptr ? nullptr : &segment->buckets[home_of(hash)];
}

/// The newest record of a key, before its snapshot's version is looked for.
struct Newest {
  Outcome outcome = Outcome::absent;
  const RecordHeader* record = nullptr;
  std::uint64_t offset = 0;
};

// What few lookups need stands apart and makes its own Reach: that of the others stays in
// registers.

[[gnu::noinline, gnu::cold]] Newest ask_order(const View& view, std::string_view key) noexcept {
  Reach reach(view);
  TreeHit hit = search_tree(reach, key);
  if (hit.outcome == Outcome::absent) hit = search_runs(reach, key);
  if (hit.outcome == Outcome::broken) return {reach.refused_before_look(), nullptr, 0};
  return {hit.outcome, hit.leaf.record, hit.leaf.offset};
}

/// The snapshot's record of a key that has newer ones.
[[gnu::noinline]] ChainEnd step_back(const View& view, const Newest& newest,
                                     std::uint64_t sequence) noexcept {
  Reach reach(view);
  ChainEnd end = walk_back(reach, newest.record, newest.offset, sequence);
  if (end.outcome == Outcome::broken) end.outcome = reach.refused_before_look();
  return end;
}

/// The slots of a bucket whose tag this is, a bit each. A hint: each one is loaded again.
[[gnu::always_inline]] inline unsigned slots_with(const Bucket& bucket,
                                                  std::uint64_t tag) noexcept {
#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
  // The upper halves of eight words are packed to their upper quarters, and compared at once:
  // where a key lies in its bucket is then nothing that a branch has to guess, and the processor
  // goes on to the record, and to the next lookup, while the bucket is still on its way.
  const auto* words = reinterpret_cast<const __m128i*>(bucket.slots);
  const auto upper = [words](int i) {
    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(_mm_load_si128(words + i)),
                                           _mm_castsi128_ps(_mm_load_si128(words + i + 1)), 0xDD));
  };
  const __m128i tags = _mm_packs_epi32(_mm_srai_epi32(upper(0), 16), _mm_srai_epi32(upper(2), 16));
  const __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<short>(tag)));
  const auto found =
      static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
  // SYNC POINT: newest. Acquire: a key that has moved on is found where the search comes later;
  // pairs with TableWriter::displace.
  std::atomic_thread_fence(std::memory_order_acquire);
#else
  unsigned found = 0;
  for (unsigned i = 0; i < kSlotsPerBucket; ++i) {
    // SYNC POINT: newest. Acquire, for the same.
    const bool equal = rest_of(bucket.slots[i].load(std::memory_order_acquire)) == tag;
    found |= (equal ? 1U : 0U) << i;
  }
#endif
  return found;
}

[[gnu::always_inline]] inline Newest search_table(Reach& reach, const Bucket* home,
                                                  std::uint64_t hash,
                                                  std::string_view key) noexcept {
  const std::uint64_t tag = tag_of(hash);
  const Bucket* const last = home + kBucketsPerSearch;
  for (const Bucket* bucket = home; bucket != last; ++bucket) {
    for (unsigned slots = slots_with(*bucket, tag); slots != 0; slots &= slots - 1) {
      // SYNC POINT: newest. Acquire: the record was made before its offset was stored; pairs with
      // TableWriter::insert and replace.
      const std::uint64_t word =
          bucket->slots[__builtin_ctz(slots)].load(std::memory_order_acquire);
      const std::uint64_t offset = slot_offset(word);
      if (rest_of(word) != tag || offset == 0) continue;  // empty, or moved on since
      prefetch(reach.view(), offset);
      const RecordHeader* record = record_at(reach, offset);
      if (record == nullptr) return {Outcome::broken, nullptr, 0};
      if (same(key, *record)) return {Outcome::found, record, offset};
    }
    // Slots are filled from the first on, and an empty one ends the search: nothing was ever taken
    // out. Relaxed: what stood here when the snapshot was published is seen.
    if (slot_offset(bucket->slots[kSlotsPerBucket - 1].load(std::memory_order_relaxed)) == 0) break;
  }
  // Relaxed: a mark that the snapshot needs was there before its publish.
  const std::uint64_t first = home->slots[0].load(std::memory_order_relaxed);
  return (first & kOverflowMark) != 0 ? ask_order(reach.view(), key) : Newest{};
}

/// From the newest record to the snapshot's. Does not look.
[[gnu::always_inline]] inline Lookup as_of(const View& view, const Newest& newest,
                                           std::uint64_t sequence) noexcept {
  if (newest.outcome != Outcome::found) return {newest.outcome, nullptr};
  const RecordHeader* record = newest.record;
  if (__builtin_expect(record->sequence > sequence, 0)) {
    const ChainEnd end = step_back(view, newest, sequence);
    if (end.outcome != Outcome::found) return {end.outcome, nullptr};
    record = end.record;
  }
  return {record->erased() ? Outcome::absent : Outcome::found, record};
}

/// All of a lookup but its look.
[[gnu::always_inline]] inline Lookup search(Reach& reach, const Bucket* home, std::uint64_t hash,
                                            std::string_view key, std::uint64_t sequence) noexcept {
  Lookup found{Outcome::broken, nullptr};
  if (home != nullptr) {
    found = as_of(reach.view(), search_table(reach, home, hash, key), sequence);
  }
  if (__builtin_expect(found.outcome == Outcome::broken, 0)) {
    found.outcome = reach.refused_before_look();
  }
  return found;
}

}  // namespace

Lookup find_before_look(const View& view, std::string_view key, std::uint64_t sequence) noexcept {
  const std::uint64_t hash = hash_key(key, view.seed);
  Reach reach(view);
  return search(reach, home_bucket(reach, hash), hash, key, sequence);
}

Lookup find(const View& view, std::string_view key, std::uint64_t sequence) noexcept {
  return judged(view, find_before_look(view, key, sequence));
}

namespace {

/// Sixteen lookups side by side: all home buckets on their way, then all records, then each one
/// found as `find` does, in the cache.
void find_group(const View& view, const std::string_view* keys, std::size_t count,
                std::uint64_t sequence, Lookup* out) noexcept {
  std::array<std::uint64_t, kGroup> hashes;
  std::array<const Bucket*, kGroup> homes;
  Reach reach(view);
  for (std::size_t i = 0; i < count; ++i) {
    hashes[i] = hash_key(keys[i], view.seed);
    homes[i] = home_bucket(reach, hashes[i]);
    if (homes[i] != nullptr) __builtin_prefetch(homes[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (homes[i] == nullptr) continue;
    const unsigned slots = slots_with(*homes[i], tag_of(hashes[i]));
    if (slots == 0) continue;
    // Relaxed: a hint; the search loads it again.
    const auto& slot = homes[i]->slots[__builtin_ctz(slots)];
    prefetch(view, slot_offset(slot.load(std::memory_order_relaxed)));
  }
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = search(reach, homes[i], hashes[i], keys[i], sequence);
  }
  // One look for the group, after all of its reads.
  if (look(view)) return;
  for (std::size_t i = 0; i < count; ++i) out[i] = {Outcome::given_back, nullptr};
}

}  // namespace

void find_many(const View& view, std::span<const std::string_view> keys, std::uint64_t sequence,
               std::span<Lookup> out) noexcept {
  DFS_ASSERT(out.size() >= keys.size(), "a place for each answer");
  for (std::size_t i = 0; i < keys.size(); i += kGroup) {
    find_group(view, keys.data() + i, std::min(kGroup, keys.size() - i), sequence, out.data() + i);
  }
}

}  // namespace dfs::index
