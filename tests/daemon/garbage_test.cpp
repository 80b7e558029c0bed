#include "daemon/garbage.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "common/index/writer.hpp"
#include "daemon/opening.hpp"
#include "tests/daemon/scratch_directory.hpp"

namespace dfs::daemon {
namespace {

constexpr std::uint64_t kKiB = 1024;
// What an empty generation has in use, and a log that nothing was written to.
constexpr std::uint64_t kEmptyIndex = 131'200;
constexpr std::uint64_t kNewLog = 183;

/// Of a store whose counters say anything.
class GarbageTest : public testing::Test {
 protected:
  GarbageTest() {
    options_.store = scratch_.file("store.db");
    store_ = open_store({options_, mark_, pulse_}).value();
    generations_.emplace(store_.control->page(), std::move(store_.budget),
                         std::move(store_.generation), mark_);
    garbage_.emplace(*generations_, counters_, *store_.log);
  }
  /// Bytes of live records, of the index, and of the log.
  void count(std::uint64_t live, std::uint64_t used, std::uint64_t log) {
    counters_.live_bytes = index::IndexWriter::kFirstBytes + live;
    counters_.used_bytes = used;
    counters_.log_bytes = log;
  }
  [[nodiscard]] wire::Relief advice() const { return garbage_->disk_relief().what; }

  const ScratchDirectory scratch_;
  const os::ForkMark mark_;
  Pulse pulse_;
  Options options_;
  Counters counters_;
  OpenedStore store_;
  std::optional<Generations> generations_;
  std::optional<Garbage> garbage_;
};

TEST_F(GarbageTest, a_log_without_records_has_none) {
  count(0, kEmptyIndex, kNewLog);
  EXPECT_EQ(advice(), wire::Relief::unknown);
}

TEST_F(GarbageTest, a_small_log_that_is_all_live_has_none) {
  count(100, kEmptyIndex + 64 * kKiB, kNewLog + 120);
  EXPECT_EQ(advice(), wire::Relief::unknown);
  count(64 * kKiB, kEmptyIndex + 128 * kKiB, kNewLog + 80 * kKiB);
  EXPECT_EQ(advice(), wire::Relief::unknown);
}

TEST_F(GarbageTest, of_a_log_of_erased_keys_a_few_lines_are_left) {
  count(0, kEmptyIndex + 3072 * kKiB, 4096 * kKiB);
  const Relief relief = garbage_->disk_relief();
  EXPECT_EQ(relief.what, wire::Relief::compacting);
  EXPECT_LT(relief.bytes, 4096 * kKiB);
  EXPECT_GT(relief.bytes, 4095 * kKiB);
}

}  // namespace
}  // namespace dfs::daemon
