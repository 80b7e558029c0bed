// The steps of a lookup through the table, to be inlined into the few functions that make one:
// hash, slot, record (lookup.hpp).
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "common/index/hash.hpp"
#include "common/index/reach.hpp"
#include "common/index/record.hpp"
#include "common/index/table_layout.hpp"
#include "common/index/view.hpp"

namespace dfs::index {

/// Longer keys are hashed by a call, for which a function would have to save what it has at hand.
inline constexpr std::size_t kHashedInline = 240;

inline constexpr std::size_t kWord = sizeof(std::uint64_t);

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
template <class AnyReach>
[[gnu::always_inline]] inline const Bucket* home_bucket(AnyReach& reach,
                                                        std::uint64_t hash) noexcept {
  // SYNC POINT: directory. Acquire: its entries were stored before it; pairs with
  // TableWriter::double_directory. At least as new as the snapshot's publish, so whatever the
  // snapshot has was put into this directory's segments.
  const std::uint64_t directory = reach.view().slot->directory.load(std::memory_order_acquire);
  const std::uint64_t depth = rest_of(directory);
  if (depth > kMaxDirectoryDepth) return nullptr;
  const auto* entries =
      reach.template at<DirectoryEntry>(offset_of(directory), sizeof(DirectoryEntry) << depth);
  if (entries == nullptr) return nullptr;
  // SYNC POINT: segment. Acquire: its slots were filled before it; pairs with TableWriter::split.
  const std::uint64_t entry = entries[entry_of(hash, depth)].word.load(std::memory_order_acquire);
  const auto* segment = reach.template at<Segment>(offset_of(entry));
  return segment == nullptr ? nullptr : &segment->buckets[home_of(hash)];
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

/// What nearly every lookup comes to, in as few instructions as can be: the record of `key` as of
/// `sequence` where its home bucket names it first and it is the key's newest. nullptr says
/// nothing: `find` must be asked. Nothing of it counts before a look.
[[nodiscard, gnu::always_inline]] inline const RecordHeader* find_at_home(
    const View& view, std::string_view key, std::uint64_t sequence) noexcept {
  if (key.size() > kHashedInline) return nullptr;
  const std::uint64_t hash = hash_key(key, view.seed);
  const NearReach reach(view);
  const Bucket* bucket = home_bucket(reach, hash);
  if (bucket == nullptr) return nullptr;
  const std::uint64_t tag = tag_of(hash);
  const unsigned slots = slots_with(*bucket, tag);
  if (slots == 0) return nullptr;
  // SYNC POINT: newest. Acquire: the record was made before its offset was stored; pairs with
  // TableWriter::insert and replace.
  const std::uint64_t word = bucket->slots[__builtin_ctz(slots)].load(std::memory_order_acquire);
  if (rest_of(word) != tag) return nullptr;
  const std::uint64_t offset = slot_offset(word);
  prefetch(view, offset);
  const auto* record = reach.at<RecordHeader>(offset);
  // 0, of a Jump, is as good as too new.
  if (record == nullptr || record->sequence - 1 >= sequence || record->erased()) return nullptr;
  const std::uint64_t bytes = sizeof(RecordHeader) + record->key_size() + record->value_size;
  if (reach.bytes_at(offset, bytes) == nullptr || !same(key, *record)) return nullptr;
  return record;
}

}  // namespace dfs::index
