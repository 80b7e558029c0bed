#include "common/index/lookup.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/base/assert.hpp"
#include "common/index/chain.hpp"
#include "common/index/hash.hpp"
#include "common/index/table_layout.hpp"
#include "common/index/tree_search.hpp"

namespace dfs::index {
namespace {

/// Lookups whose cache misses overlap. More than a core's outstanding misses (10 to 16) gains
/// nothing.
constexpr std::size_t kGroup = 16;

bool same(std::string_view key, const RecordHeader& record) noexcept {
  return record.key_size() == key.size() &&
         std::memcmp(record.key().data(), key.data(), key.size()) == 0;
}

/// The home bucket of a hash; nullptr where directory or segment cannot be.
const Bucket* home_bucket(Reach& reach, std::uint64_t hash) noexcept {
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

Newest ask_tree(Reach& reach, std::string_view key) noexcept {
  const TreeHit hit = search_tree(reach, key);
  return {hit.outcome, hit.leaf.record, hit.leaf.offset};
}

Newest search_table(Reach& reach, const Bucket* home, std::uint64_t hash,
                    std::string_view key) noexcept {
  const std::uint64_t tag = tag_of(hash);
  const Bucket* const last = home + kBucketsPerSearch;
  for (const Bucket* bucket = home; bucket != last; ++bucket) {
    for (const auto& slot : bucket->slots) {
      // SYNC POINT: newest. Acquire: the record was made before its offset was stored; pairs with
      // TableWriter::insert and replace.
      const std::uint64_t word = slot.load(std::memory_order_acquire);
      const std::uint64_t offset = slot_offset(word);
      if (rest_of(word) == tag && offset != 0) {
        const RecordHeader* record = record_at(reach, offset);
        if (record == nullptr) return {Outcome::broken, nullptr, 0};
        if (same(key, *record)) return {Outcome::found, record, offset};
      } else if (offset == 0) {
        bucket = last - 1;  // an empty place ends the search: nothing was ever taken out
        break;
      }
    }
  }
  // Relaxed: a mark that the snapshot needs was there before its publish.
  const std::uint64_t first = home->slots[0].load(std::memory_order_relaxed);
  return (first & kOverflowMark) != 0 ? ask_tree(reach, key) : Newest{};
}

/// From the newest record to the snapshot's. Does not look.
Lookup as_of(Reach& reach, const Newest& newest, std::uint64_t sequence) noexcept {
  if (newest.outcome != Outcome::found) return {newest.outcome, nullptr};
  const RecordHeader* record = newest.record;
  if (__builtin_expect(record->sequence > sequence, 0)) {
    const ChainEnd end = walk_back(reach, record, newest.offset, sequence);
    if (end.outcome != Outcome::found) return {end.outcome, nullptr};
    record = end.record;
  }
  return {record->erased() ? Outcome::absent : Outcome::found, record};
}

/// The look that every lookup ends with.
Lookup judged(const Reach& reach, const Lookup& lookup) noexcept {
  if (__builtin_expect(!look(reach.view()), 0)) return {Outcome::given_back, nullptr};
  if (__builtin_expect(lookup.outcome == Outcome::broken, 0)) return {reach.refused(), nullptr};
  return lookup;
}

}  // namespace

Lookup find(const View& view, std::string_view key, std::uint64_t sequence) noexcept {
  const std::uint64_t hash = hash_key(key, view.seed);
  Reach reach(view);
  const Bucket* home = home_bucket(reach, hash);
  if (home == nullptr) return {reach.refused(), nullptr};
  return judged(reach, as_of(reach, search_table(reach, home, hash, key), sequence));
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
    for (const auto& slot : homes[i]->slots) {
      // Relaxed: a hint; the search loads it again.
      const std::uint64_t word = slot.load(std::memory_order_relaxed);
      if (rest_of(word) != tag_of(hashes[i])) continue;
      prefetch(view, slot_offset(word));
      break;
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = homes[i] == nullptr
                 ? Lookup{Outcome::broken, nullptr}
                 : as_of(reach, search_table(reach, homes[i], hashes[i], keys[i]), sequence);
  }
  // One look for the group, after all of its reads.
  for (std::size_t i = 0; i < count; ++i) out[i] = judged(reach, out[i]);
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
