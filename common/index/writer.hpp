// The writer's side of a generation: what is in the log becomes records, slots and nodes, and then
// visible.
//
// On the way of a write it stands behind the log: `locate` while a commit is checked, `reserve`
// before its lines are appended, `add` once they are in the log, beside its sync, `publish` once
// for the batch, behind it. Nothing that was added is ever unmade.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/index/arena.hpp"
#include "common/index/feed_writer.hpp"
#include "common/index/record.hpp"
#include "common/index/run_writer.hpp"
#include "common/index/space.hpp"
#include "common/index/table_writer.hpp"
#include "common/index/tree_writer.hpp"
#include "common/index/view.hpp"

namespace dfs::index {

/// What a new generation is called, and how many keys to lay its table out for.
struct NewGeneration {
  std::uint64_t number = 0;
  std::uint64_t seed = 0;  ///< Of the hash; random for each generation.
  StoreId store{};
  std::uint64_t expected_keys = 0;
};

/// A change of one key, as it stands in the log. Views for the call.
struct NewRecord {
  std::string_view key;
  std::string_view value;  ///< Empty where erased.
  std::uint64_t version = 0;
  std::uint64_t sequence = 0;
  std::uint64_t time_ms = 0;
  std::uint32_t connection = 0;
  bool erased = false;
  bool last_of_commit = true;
};

/// Where a key was found, for `add` to use again. Plain data; may be kept for any time, and is
/// checked when it is used.
struct Location {
  std::uint64_t hash = 0;
  std::uint64_t slot = 0;    ///< Offset of the table's slot, or 0.
  std::uint64_t record = 0;  ///< Offset of the newest record, or 0 for a key never seen.
  std::uint64_t splits = 0;  ///< Of the table, when it was found: slots move with a split.
  std::uint64_t changes = 0;
};

/// Builds one generation. Writer thread only; readers use the same memory meanwhile.
class IndexWriter {
 public:
  /// Lays out an empty generation. Requires: the slot was opened for `generation.number`; `space`
  /// is empty, stores into that slot, and has room for kFirstBytes (`reserve` says whether).
  IndexWriter(Space& space, GenerationSlot& slot, const NewGeneration& generation);

  /// What an empty generation takes, at the most.
  static constexpr std::uint64_t kFirstBytes = std::uint64_t{512} << 10;
  /// What the smallest one takes that has keys, rounded up: header, directory, one segment of the
  /// table, a chunk each of records and of nodes, blocks of the feed.
  static constexpr std::uint64_t kLeastBytes = std::uint64_t{200} << 10;

  /// The newest record of `key`, published or not, tombstones too; nullptr for a key never seen.
  [[nodiscard]] const RecordHeader* newest(std::string_view key) const noexcept;
  /// The same, for `add` to use again without a second hash and, mostly, without a second search.
  [[nodiscard]] Location locate(std::string_view key) const noexcept;
  [[nodiscard]] Location locate(std::uint64_t hash, std::string_view key) const noexcept;
  /// The same, which looks first where `prefetch_record` has seen that it may be.
  [[nodiscard]] Location locate(const Location& likely, std::string_view key) const noexcept;
  [[nodiscard]] const RecordHeader* record_at(const Location& location) const noexcept;
  /// Of a key, in this generation.
  [[nodiscard]] std::uint64_t hash(std::string_view key) const noexcept;
  /// Begins to load what `locate` will look at first; then, when that may be there, what it will
  /// look at next (and fills in what `place`, whose hash is known, seems to be); then what `add`
  /// will change. For many keys side by side, so that their cache misses are waited for together.
  void prefetch(std::uint64_t hash) const noexcept { table_.prefetch(hash); }
  void prefetch_record(Location& place) const noexcept {
    const TableWriter::Found found = table_.prefetch_record(place.hash);
    place = {place.hash, found.slot, found.record, table_.splits(), changes_};
  }
  void prefetch_change(const Location& location) const noexcept;
  /// Loads what `add` will walk through to find these keys' places in the order. Requires: at most
  /// kMostPrefetched, which the index does not have.
  void prefetch_order(std::span<const std::string_view> new_keys) const noexcept;
  static constexpr std::size_t kMostPrefetched = TreeWriter::kMostWarmed;

  /// What one record adds to `used`, amortised over any series of records: its own bytes; for a new
  /// key also its anchor, its part of the nodes (a split of a prefix, or the part of all growths of
  /// a node that one child pays for: kBytesPerNewKey), and its part of the table. For refusing.
  [[nodiscard]] static std::uint64_t bytes_needed(std::uint64_t key_size, std::uint64_t value_size,
                                                  bool new_key) noexcept;
  /// Makes sure that memory is there for records of `bytes` (summed from `record_bytes` with the
  /// far link) of which `new_keys` may be new: the worst case, not amortised. True: every `add` up
  /// to that will succeed. False: there is no memory; nothing has changed.
  [[nodiscard]] bool reserve(std::uint64_t new_keys, std::uint64_t bytes);

  /// The same for these, each of a new key.
  [[nodiscard]] bool reserve(std::span<const NewRecord> records);

  /// Makes record and nodes, visible to nobody until `publish`. Requires: its bytes were reserved;
  /// sequences do not fall once the feed has begun.
  const RecordHeader& add(const NewRecord& record);
  const RecordHeader& add(const Location& location, const NewRecord& record);
  /// The same for each, in this order; what one waits for in memory the others load meanwhile.
  void add_all(std::span<const NewRecord> records);

  /// What was added so far is what compaction carried over, in any order, up to `sequence`; the
  /// feed begins behind it. Called at most once; without it the feed begins with the first record.
  void begin_feed(std::uint64_t sequence);

  /// Makes everything added so far visible: the one release store (I1, I3). Requires: whole commits
  /// up to `sequence` were added.
  void publish(std::uint64_t sequence);

  /// Bytes of the generation in use, and what the next one would need for what is live now.
  [[nodiscard]] std::uint64_t used() const noexcept { return arena_.used(); }
  [[nodiscard]] std::uint64_t live_bytes() const noexcept;
  [[nodiscard]] std::uint64_t live_keys() const noexcept { return live_keys_; }
  /// Keys that are live or tombstones.
  [[nodiscard]] std::uint64_t keys() const noexcept { return keys_; }
  [[nodiscard]] std::uint64_t records() const noexcept { return records_; }
  /// Keys that found no place in the table; the tree alone finds them.
  [[nodiscard]] std::uint64_t left_out() const noexcept { return table_.left_out(); }
  [[nodiscard]] std::uint64_t number() const noexcept { return generation_.number; }

  /// For cursors and lookups on the writer's own thread; valid as long as the writer.
  [[nodiscard]] View view() const noexcept;

 private:
  [[nodiscard]] RecordHeader& make_record(const NewRecord& record, std::uint64_t previous,
                                          std::uint64_t anchor);
  [[nodiscard]] FarLink far_link(std::uint64_t previous) const noexcept;
  [[nodiscard]] std::uint64_t offset_in(const RecordHeader& record) const noexcept;
  void warm(std::span<const NewRecord> records, std::span<std::uint64_t> hashes) const noexcept;
  void count_live(const NewRecord& record, const RecordHeader* before) noexcept;

  // Constant after construction.
  GenerationSlot& slot_;
  const NewGeneration generation_;

  // Writer thread only.
  Arena arena_;
  RunWriter runs_;
  TreeWriter tree_;
  TableWriter table_;
  FeedWriter feed_;
  std::uint64_t changes_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t keys_ = 0;
  std::uint64_t live_keys_ = 0;
  std::uint64_t live_record_bytes_ = 0;
};

}  // namespace dfs::index
