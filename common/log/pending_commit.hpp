// A commit of several records while its lines are read: it counts when all of them are there, next
// to each other (I3).
#pragma once

#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/log/record.hpp"

namespace dfs::log {

/// Collects the records of one commit after the other. Threads: one.
class PendingCommit {
 public:
  /// `bytes` is the log: views into it are kept, others are copied.
  explicit PendingCommit(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool empty() const { return records_.empty(); }
  /// Requires: !empty().
  [[nodiscard]] bool complete() const { return records_.size() == records_[0].commit_records; }
  /// Whether a record can be the next of this commit. Requires: !empty().
  [[nodiscard]] bool continued_by(const Record& record) const;
  /// Takes the next record and gives it its place in the commit; false where its key stands in it
  /// already: a commit has each key once. Requires: empty() or continued_by(record).
  [[nodiscard]] bool add(const Record& record);

  [[nodiscard]] const std::vector<Record>& records() const { return records_; }
  void clear();

  /// The line that should stand next, for a person. Requires: !empty().
  [[nodiscard]] std::string next_text() const;

 private:
  std::string_view bytes_;
  std::vector<Record> records_;
  std::set<std::string_view> keys_;  // ordered: clients choose the keys, and could fill one bucket
  std::deque<std::string> texts_;    // what is viewed and is not in the log itself
};

}  // namespace dfs::log
