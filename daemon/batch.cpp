#include "daemon/batch.hpp"

#include <algorithm>

#include "common/base/assert.hpp"
#include "common/base/limits.hpp"
#include "common/log/encode.hpp"

namespace dfs::daemon {

namespace {

constexpr std::size_t kFirstPlaces = 1024;
/// A larger table is not kept for the next batch.
constexpr std::size_t kMostPlacesKept = 4 * kMaxBatchCommits;
/// Half full, a search of so many places ends by chance once in millions of batches.
constexpr std::size_t kMostProbes = 64;

}  // namespace

void CommitPlan::clear() {
  records.clear();
  versions.clear();
  new_keys = 0;
  index_bytes = 0;
  needed_bytes = 0;
  only_erases = true;
}

void Batch::begin(Stamp stamp, bool synced) {
  stamp_ = stamp;
  // A huge batch's memory goes back; a common one's is used again.
  lines_.clear(2 * kMaxBatchLineBytes);
  records_.clear();
  texts_.clear();
  if (table_.empty() || table_.size() > kMostPlacesKept || ++number_ == 0) {
    table_.assign(kFirstPlaces, Place());
    number_ = 1;
  }
  crowded_out_.clear();
  ordered_.clear();
  ordered_to_ = 0;
  commits_ = 0;
  new_keys_ = 0;
  index_bytes_ = 0;
  needed_bytes_ = 0;
  wants_sync_ = synced;
}

void Batch::add(const CommitPlan& plan, std::uint64_t sequence, std::string_view origin) {
  log::Record line;
  line.sequence = sequence;
  line.commit_records = static_cast<std::uint32_t>(plan.records.size());
  for (std::size_t i = 0; i < plan.records.size(); ++i) {
    PlannedRecord& record = records_.emplace_back(plan.records[i]);
    record.sequence = sequence;
    record.last_of_commit = i + 1 == plan.records.size();
    line.key = record.key;
    line.version = record.version;
    line.erased = record.erased;
    line.value = record.value;
    const bool first = lines_.empty();
    line.watermark = first ? std::optional(stamp_.watermark) : std::nullopt;
    line.time_ms = first ? std::optional(stamp_.time_ms) : std::nullopt;
    line.origin = i == 0 ? origin : std::string_view();
    log::append_record(lines_, line);
    if (2 * records_.size() > table_.size()) grow_table();
    enter(record.location.hash, static_cast<std::uint32_t>(records_.size() - 1));
  }
  ++commits_;
  new_keys_ += plan.new_keys;
  index_bytes_ += plan.index_bytes;
  needed_bytes_ += plan.needed_bytes;
}

std::string_view Batch::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

const PlannedRecord* Batch::find(std::uint64_t hash, std::string_view key) const {
  const std::size_t mask = table_.size() - 1;
  for (std::size_t i = 0; i < kMostProbes; ++i) {
    const Place& place = table_[(hash + i) & mask];
    if (place.batch != number_) return nullptr;
    const PlannedRecord& record = records_[place.record];
    if (record.location.hash == hash && record.key == key) return &record;
  }
  const auto found = crowded_out_.find(key);
  return found == crowded_out_.end() ? nullptr : &records_[found->second];
}

void Batch::enter(std::uint64_t hash, std::uint32_t record) {
  const std::size_t mask = table_.size() - 1;
  const std::string_view key = records_[record].key;
  for (std::size_t i = 0; i < kMostProbes; ++i) {
    Place& place = table_[(hash + i) & mask];
    const PlannedRecord& other = records_[place.batch == number_ ? place.record : record];
    if (other.location.hash != hash || other.key != key) continue;
    place = {number_, record};
    return;
  }
  crowded_out_.insert_or_assign(key, record);
}

void Batch::grow_table() {
  DFS_ASSERT(records_.size() <= UINT32_MAX, "a batch is bounded by its lines");
  table_.assign(2 * table_.size(), Place());
  crowded_out_.clear();
  for (std::size_t i = 0; i + 1 < records_.size(); ++i) {
    enter(records_[i].location.hash, static_cast<std::uint32_t>(i));
  }
}

const std::map<std::string_view, std::size_t>& Batch::in_order() {
  for (; ordered_to_ < records_.size(); ++ordered_to_) {
    ordered_.insert_or_assign(records_[ordered_to_].key, ordered_to_);
  }
  return ordered_;
}

std::size_t Batch::commits_left() const {
  if (lines_.size() >= kMaxBatchLineBytes) return 0;
  const std::size_t most = wants_sync_ ? kMaxBatchCommits : kMaxUnsyncedBatchCommits;
  return most - std::min(most, commits_);
}

}  // namespace dfs::daemon
