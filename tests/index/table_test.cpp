// The table: splits, and keys chosen to meet.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/index/cursor.hpp"
#include "common/index/hash.hpp"
#include "common/index/table_layout.hpp"
#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

constexpr std::uint64_t kSeed = 7;

/// Keys whose hashes satisfy `wanted`, by trying.
template <class Wanted>
std::vector<std::string> keys_where(std::size_t count, Wanted wanted) {
  std::vector<std::string> keys;
  for (std::uint64_t i = 0; keys.size() < count; ++i) {
    std::string key = "chosen" + std::to_string(i);
    if (wanted(hash_key(key, kSeed))) keys.push_back(std::move(key));
  }
  return keys;
}

std::uint64_t depth_of(Subject& subject) { return rest_of(subject.slot().directory.load()); }

TEST(Table, finds_every_key_through_many_splits) {
  Subject subject;
  constexpr int kKeys = 100'000;
  for (int i = 0; i < kKeys; ++i) {
    subject.set("key" + std::to_string(i), std::to_string(i));
    if (i % 1000 == 0) {
      for (int j = 0; j <= i; j += 97) {
        ASSERT_EQ(subject.get("key" + std::to_string(j), subject.sequence()), std::to_string(j));
      }
    }
  }
  EXPECT_GE(depth_of(subject), 4U);
  EXPECT_EQ(subject.writer().left_out(), 0U);
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_EQ(subject.get("key" + std::to_string(i), subject.sequence()), std::to_string(i));
    ASSERT_EQ(subject.get("none" + std::to_string(i), subject.sequence()), std::nullopt);
  }
}

TEST(Table, splits_only_when_a_segment_is_well_filled) {
  Subject subject;
  std::uint64_t keys = 0;
  while (depth_of(subject) == 0) subject.set("key" + std::to_string(keys++), "1");
  EXPECT_GE(keys, kSlotsPerSegment * 4 / 5);
}

TEST(Table, laid_out_for_the_keys_expected_does_not_split) {
  constexpr std::uint64_t kKeys = 50'000;
  Subject subject({.number = 1, .seed = kSeed, .expected_keys = kKeys});
  const std::uint64_t depth = depth_of(subject);
  for (std::uint64_t i = 0; i < kKeys; ++i) subject.set("key" + std::to_string(i), "1");
  EXPECT_EQ(depth_of(subject), depth);
  EXPECT_EQ(subject.get("key49999", subject.sequence()), "1");
}

TEST(Table, laid_out_for_more_keys_than_there_is_memory_begins_smaller) {
  Subject subject({.number = 1, .seed = kSeed, .expected_keys = 100'000'000},
                  std::uint64_t{8} << 20);
  subject.set("a", "1");
  EXPECT_EQ(subject.get("a", 1), "1");
}

TEST(Table, finds_keys_that_had_to_move_on_for_others) {
  Subject subject;
  // Bucket 100 and the next three full of keys at home there, and more keys for bucket 100.
  std::vector<std::string> keys;
  for (std::uint64_t home = 100; home < 104; ++home) {
    const auto at_home =
        keys_where(kSlotsPerBucket, [home](std::uint64_t hash) { return home_of(hash) == home; });
    keys.insert(keys.end(), at_home.begin(), at_home.end());
  }
  const auto more = keys_where(32, [](std::uint64_t hash) { return home_of(hash) == 100; });
  keys.insert(keys.end(), more.begin() + kSlotsPerBucket, more.end());
  std::vector<Location> located;
  for (const std::string& key : keys) {
    subject.set(key, "of " + key);
    located.push_back(subject.writer().locate(key));
  }
  EXPECT_EQ(subject.writer().left_out(), 0U);
  for (const std::string& key : keys) {
    ASSERT_EQ(subject.get(key, subject.sequence()), "of " + key);
  }
  // Locations from before a key moved are not taken for its slot.
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const RecordHeader* before = subject.writer().newest(keys[i]);
    subject.add_at(located[i], keys[i], "again", before->version + 1);
    subject.publish();
  }
  for (const std::string& key : keys) {
    ASSERT_EQ(subject.get(key, subject.sequence()), "again");
    ASSERT_EQ(subject.get(key, keys.size()), "of " + key);
  }
}

TEST(Table, a_location_from_before_a_split_is_not_taken_for_its_slot) {
  // The old segment stands as it was, for those who read there.
  Subject subject;
  std::vector<std::string> keys;
  std::vector<Location> located;
  for (int i = 0; i < 500; ++i) {
    keys.push_back("key" + std::to_string(i));
    subject.set(keys.back(), "1");
  }
  for (const std::string& key : keys) located.push_back(subject.writer().locate(key));
  const std::uint64_t before = depth_of(subject);
  for (int i = 0; depth_of(subject) == before; ++i) subject.set("more" + std::to_string(i), "1");
  for (std::size_t i = 0; i < keys.size(); ++i) subject.add_at(located[i], keys[i], "again", 2);
  subject.publish();
  for (const std::string& key : keys) {
    ASSERT_EQ(subject.get(key, subject.sequence()), "again");
    EXPECT_EQ(subject.writer().newest(key)->version, 2U);
  }
}

TEST(Table, what_was_seen_of_a_key_counts_until_anything_changes) {
  Subject subject;
  subject.set("a", "1");
  Location seen{};
  seen.hash = subject.writer().hash("a");
  subject.writer().prefetch_record(seen);
  EXPECT_EQ(subject.writer().record_at(subject.writer().locate(seen, "a")),
            subject.writer().newest("a"));
  subject.set("a", "2");
  const RecordHeader* found = subject.writer().record_at(subject.writer().locate(seen, "a"));
  EXPECT_EQ(found, subject.writer().newest("a"));
  EXPECT_EQ(found->version, 2U);
  EXPECT_EQ(subject.writer().locate(seen, "b").record, 0U) << "of another key with this hash";
}

/// Keys for one bucket, put in in the order given: all can be found, changed and erased.
void expect_found(const std::vector<std::string>& keys) {
  Subject subject;
  for (const std::string& key : keys) subject.set(key, "of " + key);
  EXPECT_EQ(subject.writer().left_out(), keys.size() - kBucketsPerSearch * kSlotsPerBucket);
  EXPECT_EQ(depth_of(subject), 0U);  // a segment nearly empty does not split for them
  for (const std::string& key : keys) {
    ASSERT_EQ(subject.get(key, subject.sequence()), "of " + key);
  }
  // Updates, deletions and misses of keys that are left out.
  for (const std::string& key : keys) subject.set(key, "again " + key);
  for (const std::string& key : keys) {
    ASSERT_EQ(subject.get(key, subject.sequence()), "again " + key);
    ASSERT_EQ(subject.get(key, keys.size()), "of " + key);
  }
  for (const std::string& key : keys) subject.erase(key);
  for (const std::string& key : keys) {
    ASSERT_EQ(subject.get(key, subject.sequence()), std::nullopt);
  }
  const auto others = keys_where(250, [](std::uint64_t hash) { return home_of(hash) == 500; });
  for (std::size_t i = 200; i < 250; ++i) {
    ASSERT_EQ(subject.get(others[i], subject.sequence()), std::nullopt);
  }
}

TEST(Table, keys_chosen_for_one_bucket_are_left_to_the_order) {
  auto keys = keys_where(200, [](std::uint64_t hash) { return home_of(hash) == 500; });
  expect_found(keys);
  std::sort(keys.begin(), keys.end());
  expect_found(keys);  // all in runs
  std::reverse(keys.begin(), keys.end());
  expect_found(keys);  // all but one in the tree
}

TEST(Table, the_mark_survives_splits_on_both_sides) {
  Subject subject;
  const auto keys = keys_where(100, [](std::uint64_t hash) { return home_of(hash) == 20; });
  for (const std::string& key : keys) subject.set(key, "of " + key);
  ASSERT_GT(subject.writer().left_out(), 0U);
  for (int i = 0; i < 40'000; ++i) subject.set("key" + std::to_string(i), "1");
  ASSERT_GE(depth_of(subject), 2U);
  for (const std::string& key : keys) {
    ASSERT_EQ(subject.get(key, subject.sequence()), "of " + key);
    ASSERT_EQ(subject.writer().newest(key)->value(), "of " + key);
  }
}

TEST(Table, the_last_home_bucket_overflows_without_wrapping_round) {
  Subject subject;
  const auto keys =
      keys_where(40, [](std::uint64_t hash) { return home_of(hash) == kHomesPerSegment - 1; });
  for (const std::string& key : keys) subject.set(key, key);
  for (const std::string& key : keys) ASSERT_EQ(subject.get(key, subject.sequence()), key);
  EXPECT_EQ(subject.writer().left_out(), 8U);
}

TEST(Table, no_hash_has_its_home_in_the_last_three_buckets) {
  EXPECT_EQ(home_of(0), 0U);
  EXPECT_EQ(home_of(~std::uint64_t{0}), kHomesPerSegment - 1);
}

TEST(Table, keys_that_share_their_top_bits_do_not_make_the_directory_grow) {
  Subject subject;
  // 6 top bits shared: with a directory as deep as the keys ask for it would double six times.
  const auto keys = keys_where(9000, [](std::uint64_t hash) { return hash >> 58 == 0; });
  for (const std::string& key : keys) subject.set(key, key);
  const std::uint64_t entries = std::uint64_t{1} << depth_of(subject);
  EXPECT_LE(entries, std::max<std::uint64_t>(16, keys.size() / 64));
  for (const std::string& key : keys) ASSERT_EQ(subject.get(key, subject.sequence()), key);
}

TEST(Table, without_memory_for_a_split_keys_are_left_to_the_tree) {
  Subject subject({.number = 1, .seed = kSeed}, std::uint64_t{2} << 20);
  std::vector<std::string> keys;
  while (true) {
    std::string key = "key" + std::to_string(keys.size());
    if (!subject.writer().reserve(1, record_bytes(key.size(), 1, true))) break;
    subject.set(key, "1");
    keys.push_back(std::move(key));
  }
  ASSERT_GT(keys.size(), kSlotsPerSegment / 2);
  for (const std::string& key : keys) ASSERT_EQ(subject.get(key, subject.sequence()), "1");
}

TEST(Table, an_old_snapshot_finds_its_keys_after_the_table_has_split) {
  Subject subject;
  for (int i = 0; i < 5000; ++i) subject.set("key" + std::to_string(i), "old");
  const std::uint64_t sequence = subject.sequence();
  for (int i = 0; i < 30'000; ++i) subject.set("key" + std::to_string(i), "new");
  for (int i = 0; i < 30'000; ++i) {
    const auto got = subject.get("key" + std::to_string(i), sequence);
    ASSERT_EQ(got, i < 5000 ? std::optional<std::string>("old") : std::nullopt);
  }
}

}  // namespace
}  // namespace dfs::index
