#include "common/log/pending_commit.hpp"

namespace dfs::log {

bool PendingCommit::continued_by(const Record& record) const {
  const Record& first = records_[0];
  return record.sequence == first.sequence && record.commit_records == first.commit_records &&
         !record.watermark && record.origin.empty();
}

bool PendingCommit::add(const Record& record) {
  Record& kept = records_.emplace_back(record);
  kept.commit_position = static_cast<std::uint32_t>(records_.size() - 1);
  for (std::string_view* view : {&kept.key, &kept.value, &kept.origin}) {
    const bool inside =
        view->data() >= bytes_.data() && view->data() <= bytes_.data() + bytes_.size();
    if (!view->empty() && !inside) *view = texts_.emplace_back(*view);
  }
  return keys_.insert(kept.key).second;
}

void PendingCommit::clear() {
  records_.clear();
  keys_.clear();
  texts_.clear();
}

std::string PendingCommit::next_text() const {
  return "record " + std::to_string(records_.size() + 1) + " of the " +
         std::to_string(records_[0].commit_records) + " of commit " +
         std::to_string(records_[0].sequence);
}

}  // namespace dfs::log
