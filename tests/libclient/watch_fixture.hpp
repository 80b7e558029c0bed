// What tests of watches share.
#pragma once

#include <dfs/admin.hpp>
#include <dfs/store.hpp>
#include <dfs/watch.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/libclient/served_store.hpp"
#include "tests/process/client_process.hpp"

namespace dfs::test {

// Not a time that any test waits for: what is expected to come, comes.
inline constexpr std::chrono::minutes kPatience{2};

/// A store without a past, and a handle of it.
class WatchFixture : public ::testing::Test {
 protected:
  Change next(Watch& watch) { return need(watch.next(kPatience), "next"); }
  std::uint64_t set(const std::string& key, const std::string& value) {
    return need(store_.set(key, value), "set").sequence;
  }
  /// Everything before now leaves the feed.
  void compact() {
    set("noise", "1");
    need(Admin(store_).compact(kPatience), "compact");
  }

  ServedStore served_{{"--feed-retention", "0s"}};
  Store store_ = served_.open();
};

}  // namespace dfs::test
