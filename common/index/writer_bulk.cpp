// Adding many records at once: compaction, the start, the new keys of a batch. The rest of
// IndexWriter is in writer.cpp.
//
// One insertion waits for memory three to six times, each for what the one before has shown. So a
// group goes down together, a step of each in turn, and only loads; then each is added as ever, and
// finds its way in the cache.
#include <algorithm>
#include <array>

#include "common/index/hash.hpp"
#include "common/index/writer.hpp"

namespace dfs::index {
namespace {

/// As many misses as a processor has under way at once, and a little more.
constexpr std::size_t kGroup = TreeWriter::kMostWarmed;

}  // namespace

bool IndexWriter::reserve(std::span<const NewRecord> records) {
  std::uint64_t bytes = 0;
  for (const NewRecord& record : records) {
    bytes += record_bytes(record.key.size(), record.value.size(), true);
  }
  return reserve(records.size(), bytes);
}

void IndexWriter::add_all(std::span<const NewRecord> records) {
  std::array<std::uint64_t, kGroup> hashes{};
  while (!records.empty()) {
    const auto group = records.first(std::min(kGroup, records.size()));
    warm(group, hashes);
    for (std::size_t i = 0; i < group.size(); ++i) {
      add(locate(hashes[i], group[i].key), group[i]);
    }
    records = records.subspan(group.size());
  }
}

void IndexWriter::warm(std::span<const NewRecord> records,
                       std::span<std::uint64_t> hashes) const noexcept {
  for (std::size_t i = 0; i < records.size(); ++i) {
    hashes[i] = hash_key(records[i].key, generation_.seed);
    table_.prefetch(hashes[i]);
  }
  std::array<std::string_view, kGroup> fresh;
  std::size_t count = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const bool known = table_.prefetch_record(hashes[i]).slot != 0;
    if (!known) fresh[count++] = records[i].key;
  }
  prefetch_order(std::span(fresh).first(count));
}

void IndexWriter::prefetch_order(std::span<const std::string_view> new_keys) const noexcept {
  // Keys in order meet in the tree where the one before them left it; and one alone waits as long.
  if (new_keys.size() < 2 || std::is_sorted(new_keys.begin(), new_keys.end())) return;
  tree_.warm(new_keys);
}

}  // namespace dfs::index
