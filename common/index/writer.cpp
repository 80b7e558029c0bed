#include "common/index/writer.hpp"

#include <cstring>

#include "common/base/assert.hpp"
#include "common/index/hash.hpp"
#include "common/index/run_search.hpp"
#include "common/index/table_layout.hpp"

namespace dfs::index {
namespace {

/// What a live key costs beside its record in a generation that compaction has laid out: its part
/// of a run, and of a table that is at least three eighths full.
constexpr std::uint64_t kLiveBytesPerKey =
    RunWriter::kBytesPerKey + sizeof(Segment) / (kSlotsPerSegment * 3 / 8) + 1;

std::uint64_t place_of(const RecordHeader& record) noexcept {
  return record.flags() >> kPlaceShift & (kFarLinkDistance - 1);
}

FarLink& far_link_of(RecordHeader& record) noexcept {
  return *reinterpret_cast<FarLink*>(reinterpret_cast<std::byte*>(&record) +
                                     far_link_at(record.key_size(), record.value_size));
}

/// The number of the link after this one must fit its 32 bits.
constexpr std::uint64_t kMaxFarLinks = (std::uint64_t{1} << 32) - 1;

}  // namespace

IndexWriter::IndexWriter(Space& space, GenerationSlot& slot, const NewGeneration& generation)
    : slot_(slot),
      generation_(generation),
      arena_(space, sizeof(GenerationHeader)),
      runs_(arena_, slot),
      tree_(arena_, slot.root),
      table_(arena_, slot, generation.seed, generation.expected_keys),
      feed_(arena_, slot) {
  auto& header = *arena_.at<GenerationHeader>(0);
  header.magic = kGenerationMagic;
  header.layout = kGenerationLayout;
  header.number = generation.number;
  header.seed = generation.seed;
  header.store = generation.store;
  DFS_ASSERT(arena_.reserve(0, 0), "memory for an empty generation");
  arena_.open_records();
  feed_.begin(0, arena_.records_end());
  // Release: the header comes before it; whoever maps the generation has seen `current` first.
  slot_.records_end.store(arena_.records_end(), std::memory_order_release);
}

const RecordHeader* IndexWriter::newest(std::string_view key) const noexcept {
  return record_at(locate(key));
}

const RecordHeader* IndexWriter::record_at(const Location& location) const noexcept {
  return location.record == 0 ? nullptr : arena_.at<RecordHeader>(location.record);
}

Location IndexWriter::locate(std::string_view key) const noexcept { return locate(hash(key), key); }

Location IndexWriter::locate(std::uint64_t hash, std::string_view key) const noexcept {
  const TableWriter::Found found = table_.find(hash, key);
  Location location{hash, found.slot, found.record, table_.splits(), changes_};
  if (found.ask_tree) {
    const View own = view();
    Reach reach(own);
    TreeHit hit = search_tree(reach, key);
    if (hit.outcome == Outcome::absent) hit = search_runs(reach, key);
    DFS_ASSERT(hit.outcome != Outcome::broken, "the writer's own order holds what can be");
    location.record = hit.leaf.offset;
  }
  return location;
}

Location IndexWriter::locate(const Location& likely, std::string_view key) const noexcept {
  const bool there = likely.slot != 0 && likely.changes == changes_ &&
                     arena_.at<RecordHeader>(likely.record)->key() == key;
  return there ? likely : locate(likely.hash, key);
}

std::uint64_t IndexWriter::hash(std::string_view key) const noexcept {
  return hash_key(key, generation_.seed);
}

void IndexWriter::prefetch_change(const Location& location) const noexcept {
  const RecordHeader* record = record_at(location);
  if (record != nullptr) __builtin_prefetch(arena_.at<Anchor>(record->anchor()), 1);
}

std::uint64_t IndexWriter::bytes_needed(std::uint64_t key_size, std::uint64_t value_size,
                                        bool new_key) noexcept {
  // A sixteenth of a far link, and the jump of a chunk.
  const std::uint64_t record = record_bytes(key_size, value_size, false) + 2;
  return new_key ? record + TreeWriter::kBytesPerNewKey + TableWriter::kBytesPerNewKey : record;
}

bool IndexWriter::reserve(std::uint64_t new_keys, std::uint64_t bytes) {
  return arena_.reserve(bytes, tree_.bytes_at_most(new_keys) + runs_.bytes_at_most(new_keys));
}

const RecordHeader& IndexWriter::add(const NewRecord& record) {
  return add(locate(record.key), record);
}

const RecordHeader& IndexWriter::add(const Location& location, const NewRecord& record) {
  // As found: nothing was added since, or its slot names that record still.
  const bool fresh =
      location.changes == changes_ || (location.slot != 0 && table_.splits() == location.splits &&
                                       table_.holds(location.slot, location.record));
  const Location at = fresh ? location : locate(location.hash, record.key);
  ++changes_;
  const RecordHeader* before = record_at(at);
  const bool in_run = before == nullptr && runs_.takes(record.key);
  const std::uint64_t anchor = before != nullptr ? before->anchor()
                               : in_run          ? runs_.place_anchor()
                                                 : arena_.place_anchor();
  RecordHeader& made = make_record(record, at.record, anchor);
  const std::uint64_t offset = offset_in(made);

  // SYNC POINT: newest. Release: the record comes before the words that lead to it. Visible from
  // here on, and skipped by every snapshot until `publish`.
  arena_.at<Anchor>(anchor)->record.store(offset, std::memory_order_release);
  if (before == nullptr) {
    ++keys_;
    // The order first: a mark in the table sends readers there.
    if (in_run) {
      runs_.link(made.key(), anchor);
    } else {
      tree_.insert(made.key(), anchor);
    }
    table_.insert(at.hash, offset);
  } else if (at.slot != 0) {
    table_.replace(at.slot, offset);
  }
  count_live(record, before);
  feed_.note(record.sequence, offset);
  return made;
}

RecordHeader& IndexWriter::make_record(const NewRecord& record, std::uint64_t previous,
                                       std::uint64_t anchor) {
  std::uint64_t place = 0;
  std::uint64_t flags = (record.erased ? kErased : 0) | (record.last_of_commit ? kLastOfCommit : 0);
  if (previous != 0) {
    place = (place_of(*arena_.at<RecordHeader>(previous)) + 1) % kFarLinkDistance;
  }
  const FarLink far = previous != 0 && place == 0 ? far_link(previous) : FarLink{};
  if (far.near_word != 0) flags |= kFarLink;
  flags |= place << kPlaceShift;

  const std::uint64_t bytes =
      record_bytes(record.key.size(), record.value.size(), far.near_word != 0);
  auto& made = *arena_.at<RecordHeader>(arena_.place_record(bytes));
  made.sequence = record.sequence;
  made.version = record.version;
  made.previous_word = word_of(previous, record.key.size());
  made.anchor_word = word_of(anchor, flags);
  made.time_ms = record.time_ms;
  made.value_size = static_cast<std::uint32_t>(record.value.size());
  made.connection = record.connection;
  char* bytes_at = reinterpret_cast<char*>(&made + 1);
  std::memcpy(bytes_at, record.key.data(), record.key.size());
  if (!record.value.empty()) {
    std::memcpy(bytes_at + record.key.size(), record.value.data(), record.value.size());
  }
  if (far.near_word != 0) far_link_of(made) = far;
  ++records_;
  return made;
}

FarLink IndexWriter::far_link(std::uint64_t previous) const noexcept {
  std::uint64_t near = previous;
  for (std::uint64_t i = 1; i < kFarLinkDistance; ++i) {
    near = arena_.at<RecordHeader>(near)->previous();
  }
  // Jumps as in a skew-binary list: two equal jumps in a row make one of both, so that any record
  // is a logarithm of links away. The key's first record has no link; it counts as number 0.
  struct Node {
    std::uint64_t offset;
    std::uint64_t number;
    std::uint64_t jump;
  };
  const auto node_at = [this](std::uint64_t offset) {
    auto& record = *arena_.at<RecordHeader>(offset);
    if ((record.flags() & kFarLink) == 0) return Node{offset, 0, offset};
    const FarLink& link = far_link_of(record);
    return Node{offset, link.number(), link.jump()};
  };
  const Node one = node_at(near);
  const Node two = node_at(one.jump);
  const Node three = node_at(two.jump);
  const bool equal = one.number - two.number == two.number - three.number;
  const std::uint64_t jump = equal ? three.offset : near;
  const std::uint64_t number = one.number + 1;
  if (number >= kMaxFarLinks) return FarLink{};
  return FarLink{word_of(near, number & 0xFFFF), word_of(jump, number >> 16)};
}

void IndexWriter::count_live(const NewRecord& record, const RecordHeader* before) noexcept {
  if (before != nullptr && !before->erased()) {
    --live_keys_;
    live_record_bytes_ -= record_bytes(before->key_size(), before->value_size, false);
  }
  if (!record.erased) {
    ++live_keys_;
    live_record_bytes_ += record_bytes(record.key.size(), record.value.size(), false);
  }
}

void IndexWriter::begin_feed(std::uint64_t sequence) {
  feed_.begin(sequence, arena_.records_end());
}

void IndexWriter::publish(std::uint64_t sequence) {
  // Release, before `published`: a reader of the feed loads them in the other order.
  slot_.records_end.store(arena_.records_end(), std::memory_order_release);
  // SYNC POINT: publish. Release: records, slots and nodes of every commit up to it (I1, I3); pairs
  // with the acquire load in `take`. And seq_cst: whoever watches stores a word, then looks here
  // once more; the writer stores this, then looks at that word.
  slot_.published.store(sequence, std::memory_order_seq_cst);
}

std::uint64_t IndexWriter::live_bytes() const noexcept {
  return kFirstBytes + live_record_bytes_ + live_keys_ * kLiveBytesPerKey;
}

View IndexWriter::view() const noexcept {
  return View{arena_.base(), kOffsetMask, &slot_, generation_.number, generation_.seed};
}

std::uint64_t IndexWriter::offset_in(const RecordHeader& record) const noexcept {
  return static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(&record) - arena_.base());
}

}  // namespace dfs::index
