#include "common/index/lookup.hpp"

#include <algorithm>
#include <array>

#include "common/base/assert.hpp"
#include "common/index/chain.hpp"
#include "common/index/run_search.hpp"
#include "common/index/table_layout.hpp"
#include "common/index/table_search.hpp"
#include "common/index/tree_search.hpp"

namespace dfs::index {
namespace {

/// Lookups whose cache misses overlap. More than a core's outstanding misses (10 to 16) gains
/// nothing.
constexpr std::size_t kGroup = 16;

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
