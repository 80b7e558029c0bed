#include "daemon/batch.hpp"

#include "common/base/limits.hpp"
#include "common/log/encode.hpp"

namespace dfs::daemon {

void CommitPlan::clear() {
  records.clear();
  versions.clear();
  new_keys = 0;
  index_bytes = 0;
  needed_bytes = 0;
  only_erases = true;
}

void Batch::begin(Stamp stamp) {
  stamp_ = stamp;
  // A huge batch's memory goes back; a common one's is used again.
  if (lines_.capacity() > 2 * kMaxBatchLineBytes) lines_ = {};
  lines_.clear();
  records_.clear();
  texts_.clear();
  newest_.clear();
  ordered_.clear();
  ordered_to_ = 0;
  commits_ = 0;
  new_keys_ = 0;
  index_bytes_ = 0;
  needed_bytes_ = 0;
  wants_sync_ = false;
}

void Batch::add(const CommitPlan& plan, std::uint64_t sequence, std::string_view origin) {
  log::Record line;
  line.sequence = sequence;
  line.commit_records = static_cast<std::uint32_t>(plan.records.size());
  for (std::size_t i = 0; i < plan.records.size(); ++i) {
    PlannedRecord record = plan.records[i];
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
    newest_.insert_or_assign(record.key, records_.size());
    records_.push_back(record);
  }
  ++commits_;
  new_keys_ += plan.new_keys;
  index_bytes_ += plan.index_bytes;
  needed_bytes_ += plan.needed_bytes;
}

std::string_view Batch::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

const PlannedRecord* Batch::newest(std::string_view key) const {
  if (newest_.empty()) return nullptr;
  const auto found = newest_.find(key);
  return found == newest_.end() ? nullptr : &records_[found->second];
}

const std::map<std::string_view, std::size_t>& Batch::in_order() {
  for (; ordered_to_ < records_.size(); ++ordered_to_) {
    ordered_.insert_or_assign(records_[ordered_to_].key, ordered_to_);
  }
  return ordered_;
}

bool Batch::full() const {
  return commits_ >= kMaxBatchCommits || lines_.size() >= kMaxBatchLineBytes;
}

}  // namespace dfs::daemon
