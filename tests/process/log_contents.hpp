// What stands in a log, commit by commit: what the processes of a test were told is compared with
// it.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/log/recovery.hpp"

namespace dfs::test {

struct LogRecord {
  std::string key;
  std::uint64_t version = 0;
  bool erased = false;
  std::string value;
};

struct LogCommit {
  std::uint64_t sequence = 0;
  bool begins_batch = false;
  std::vector<LogRecord> records;
};

[[nodiscard]] inline std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();  // logs of a hundred megabytes, not byte by byte
  return std::move(bytes).str();
}

/// A log as recovery finds it.
class LogContents final : public log::RecordVisitor {
 public:
  [[nodiscard]] static LogContents of(std::string bytes) {
    LogContents contents;
    contents.bytes_ = std::move(bytes);
    contents.recovery_ = log::recover(contents.bytes_, contents);
    return contents;
  }
  [[nodiscard]] static LogContents at(const std::string& path) { return of(file_bytes(path)); }

  [[nodiscard]] const log::Recovery& recovery() const { return recovery_; }
  [[nodiscard]] const std::vector<LogCommit>& commits() const { return commits_; }
  /// What counts of it: up to the first byte that recovery would cut off.
  [[nodiscard]] std::string_view good() const {
    return std::string_view(bytes_).substr(0, recovery_.good_end);
  }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

  /// The commits of its last batch.
  [[nodiscard]] std::size_t last_batch() const {
    std::size_t count = 0;
    for (auto commit = commits_.rbegin(); commit != commits_.rend(); ++commit) {
      ++count;
      if (commit->begins_batch) break;
    }
    return count;
  }
  /// Fails the test unless every key's versions rise by one from 1, and sequences rise.
  void expect_versions_rise_by_one() const {
    std::map<std::string_view, std::uint64_t> versions;
    std::uint64_t last = 0;
    for (const LogCommit& commit : commits_) {
      ASSERT_GT(commit.sequence, last);
      last = commit.sequence;
      for (const LogRecord& record : commit.records) {
        ASSERT_EQ(record.version, ++versions[record.key])
            << record.key << " in commit " << commit.sequence;
      }
    }
  }

  Result<void> record(const log::Record& record) override {
    if (record.commit_position == 0) {
      commits_.push_back({record.sequence, record.watermark.has_value(), {}});
    }
    commits_.back().records.push_back(
        {std::string(record.key), record.version, record.erased, std::string(record.value)});
    return {};
  }

 private:
  std::string bytes_;
  log::Recovery recovery_;
  std::vector<LogCommit> commits_;
};

}  // namespace dfs::test
