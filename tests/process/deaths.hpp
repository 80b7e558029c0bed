// The logs of one store's daemons, from death to death.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/log_contents.hpp"

namespace dfs::test {

/// What the daemons of a store left behind that is never compacted: each log begins with the last.
class Deaths {
 public:
  /// Reads the log of a dead daemon.
  LogContents examine(const std::string& path) {
    LogContents log = LogContents::at(path);
    EXPECT_TRUE(log.recovery().usable()) << log.recovery().reason;
    expect_prefix(log);
    left_.emplace_back(log.good().size(), std::hash<std::string_view>()(log.good()));
    torn_ += log.recovery().kind == log::RecoveryKind::cut ? 1 : 0;
    return log;
  }
  /// What a dead daemon's log held is what its successors' begin with.
  void expect_prefix(const LogContents& log) const {
    for (const auto& [size, hash] : left_) {
      ASSERT_LE(size, log.good().size());
      EXPECT_EQ(std::hash<std::string_view>()(log.good().substr(0, size)), hash);
    }
  }
  [[nodiscard]] int torn() const { return torn_; }

 private:
  std::vector<std::pair<std::size_t, std::size_t>> left_;
  int torn_ = 0;
};

}  // namespace dfs::test
