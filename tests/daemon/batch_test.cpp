// The batch finds its own newest record of a key, however keys meet in its table.
#include "daemon/batch.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "common/base/limits.hpp"

namespace dfs::daemon {
namespace {

class BatchTable : public testing::Test {
 protected:
  void add(std::string_view key, std::uint64_t hash) {
    CommitPlan plan;
    PlannedRecord record;
    record.key = keys_.emplace_back(key);
    record.value = "1";
    record.version = ++version_;
    record.location.hash = hash;
    plan.records.push_back(record);
    batch_.add(plan, version_, {});
  }
  [[nodiscard]] std::uint64_t version_of(std::string_view key, std::uint64_t hash) const {
    const PlannedRecord* found = batch_.newest(hash, key);
    return found == nullptr ? 0 : found->version;
  }

  Batch batch_;
  std::uint64_t version_ = 0;
  std::deque<std::string> keys_;  // the batch views them
};

TEST_F(BatchTable, newest_record_of_a_key_wins_also_after_the_table_has_grown) {
  batch_.begin({1, 1}, false);
  constexpr int kKeys = 3000;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kKeys; ++i) {
      add("key" + std::to_string(i), static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15U);
    }
  }
  for (int i = 0; i < kKeys; ++i) {
    EXPECT_EQ(
        version_of("key" + std::to_string(i), static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15U),
        static_cast<std::uint64_t>(kKeys + i + 1));
  }
}

TEST_F(BatchTable, keys_chosen_to_meet_are_all_found) {
  batch_.begin({1, 1}, false);
  constexpr int kKeys = 1500;
  for (int i = 0; i < kKeys; ++i) add("key" + std::to_string(i), 7);
  add("key1400", 7);
  for (int i = 0; i < kKeys; ++i) {
    const std::uint64_t version = i == 1400 ? kKeys + 1 : i + 1;
    EXPECT_EQ(version_of("key" + std::to_string(i), 7), version);
  }
  EXPECT_EQ(version_of("another", 7), 0U);
}

TEST_F(BatchTable, next_batch_knows_nothing_of_the_last) {
  batch_.begin({1, 1}, false);
  for (int i = 0; i < 100; ++i) add("key" + std::to_string(i), 7);
  batch_.begin({1, 1}, false);
  EXPECT_EQ(version_of("key1", 7), 0U);
  add("key2", 7);
  EXPECT_EQ(version_of("key1", 7), 0U);
  EXPECT_EQ(version_of("key99", 7), 0U);
  EXPECT_EQ(version_of("key2", 7), 101U);
  // So many that a search goes on among those that found no place.
  for (int i = 0; i < 100; ++i) add("other" + std::to_string(i), 7);
  EXPECT_EQ(version_of("key99", 7), 0U);
  EXPECT_EQ(version_of("other99", 7), 201U);
}

TEST_F(BatchTable, batch_without_a_sync_is_full_sooner_until_a_commit_asks_for_one) {
  const auto add_until_full = [this](std::size_t most) {
    while (!batch_.full() && batch_.commits() < most) add("key", 7);
    return batch_.commits();
  };
  batch_.begin({1, 1}, false);
  EXPECT_EQ(add_until_full(10'000), kMaxUnsyncedBatchCommits);
  batch_.want_sync();
  EXPECT_EQ(add_until_full(10'000), kMaxBatchCommits);
  batch_.begin({1, 1}, true);
  EXPECT_EQ(add_until_full(10'000), kMaxBatchCommits);
  batch_.begin({1, 1}, false);
  EXPECT_EQ(add_until_full(10'000), kMaxUnsyncedBatchCommits);
}

}  // namespace
}  // namespace dfs::daemon
