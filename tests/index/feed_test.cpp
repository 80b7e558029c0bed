#include "common/index/feed.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

struct Change {
  std::uint64_t sequence;
  std::string key;
  std::string value;
  bool erased;
  bool last;
  bool operator==(const Change&) const = default;
};

/// Everything after `after` and up to `up_to`, as a watcher reads it.
std::vector<Change> walk(const View& view, std::uint64_t after, std::uint64_t up_to) {
  std::vector<Change> changes;
  FeedStep step = first_after(view, after);
  EXPECT_EQ(step.outcome, Outcome::found);
  while (true) {
    step = feed_step(view, step.next, up_to);
    if (step.outcome != Outcome::found) break;
    changes.push_back({step.record->sequence, std::string(step.record->key()),
                       std::string(step.record->value()), step.record->erased(),
                       step.record->last_of_commit()});
  }
  EXPECT_EQ(step.outcome, Outcome::absent);
  return changes;
}

TEST(Feed, walks_the_commits_in_order_from_every_position) {
  Subject subject;
  std::vector<Change> made;
  for (std::uint64_t i = 1; i <= 300; ++i) {
    const std::uint64_t records = 1 + i % 3;
    for (std::uint64_t r = 0; r < records; ++r) {
      const std::string key = "key" + std::to_string((i + r) % 40);
      const bool erased = (i + r) % 5 == 0;
      const std::string value = erased ? "" : std::string(i * 7 % 3000, 'v');
      const bool last = r + 1 == records;
      subject.add(key, erased ? std::nullopt : std::optional<std::string_view>(value), last);
      made.push_back({i, key, value, erased, last});
    }
    subject.publish();
  }
  for (std::uint64_t after = 0; after <= 300; after += 7) {
    std::vector<Change> expected;
    for (const Change& change : made) {
      if (change.sequence > after && change.sequence <= 250) expected.push_back(change);
    }
    ASSERT_EQ(walk(subject.view(), after, 250), expected) << after;
  }
}

TEST(Feed, entries_lead_to_any_position_among_many_commits) {
  Subject subject;
  constexpr std::uint64_t kCommits = 200'000;  // more than one block of entries
  for (std::uint64_t i = 1; i <= kCommits; ++i) subject.set("k" + std::to_string(i % 100), "1");
  for (std::uint64_t after = 0; after < kCommits; after = after * 3 / 2 + 1) {
    const FeedStep begin = first_after(subject.view(), after);
    ASSERT_EQ(begin.outcome, Outcome::found);
    const FeedStep step = feed_step(subject.view(), begin.next, kCommits);
    ASSERT_EQ(step.outcome, Outcome::found);
    ASSERT_EQ(step.record->sequence, after + 1);
  }
  const auto* block =
      reinterpret_cast<const FeedBlock*>(subject.space().base() + subject.slot().feed.load());
  EXPECT_NE(block->previous, 0U);
  const auto* entries = reinterpret_cast<const FeedEntry*>(block + 1);
  for (std::uint64_t i = 1; i < block->count.load(); ++i) {
    EXPECT_EQ(entries[i].sequence - entries[i - 1].sequence, kCommitsPerFeedEntry);
  }
}

TEST(Feed, goes_on_where_it_had_ended_when_more_is_published) {
  Subject subject;
  FeedStep step = first_after(subject.view(), 0);
  for (std::uint64_t i = 1; i <= 2000; ++i) {
    step = feed_step(subject.view(), step.next, i - 1);
    ASSERT_EQ(step.outcome, Outcome::absent);
    // Large enough that chunks end often.
    subject.add("key", std::string(i % 50 == 0 ? 70'000 : 100, 'v'), true);
    step = feed_step(subject.view(), step.next, i - 1);
    ASSERT_EQ(step.outcome, Outcome::absent) << "added, not published";
    subject.publish();
    step = feed_step(subject.view(), step.next, i);
    ASSERT_EQ(step.outcome, Outcome::found);
    ASSERT_EQ(step.record->sequence, i);
  }
}

TEST(Feed, begins_behind_what_compaction_carried_over) {
  Subject subject;
  // Carried over in key order, each with its own sequence.
  for (const std::uint64_t sequence : {7, 3, 9, 1}) {
    const std::string key = "key" + std::to_string(10 - sequence);
    ASSERT_TRUE(subject.writer().reserve(1, 200));
    subject.writer().add(NewRecord{.key = key, .value = "1", .version = 1, .sequence = sequence});
  }
  subject.writer().begin_feed(9);
  for (std::uint64_t sequence = 10; sequence < 20; ++sequence) {
    ASSERT_TRUE(subject.writer().reserve(1, 200));
    subject.writer().add(
        NewRecord{.key = "key1", .value = "2", .version = 2, .sequence = sequence});
  }
  subject.writer().publish(19);
  EXPECT_EQ(feed_base(subject.view()), 9U);
  EXPECT_EQ(first_after(subject.view(), 8).outcome, Outcome::absent);
  EXPECT_EQ(walk(subject.view(), 9, 19).size(), 10U);
  EXPECT_EQ(walk(subject.view(), 9, 19)[0].sequence, 10U);
  EXPECT_EQ(walk(subject.view(), 15, 19)[0].sequence, 16U);
  EXPECT_EQ(subject.get("key7", 19), "1");
}

TEST(Feed, a_position_ahead_of_what_is_published_waits_at_the_end) {
  Subject subject;
  subject.set("a", "1");
  subject.add("a", "2", true);
  const FeedStep step = first_after(subject.view(), 1000);
  ASSERT_EQ(step.outcome, Outcome::found);
  EXPECT_EQ(feed_step(subject.view(), step.next, 1).outcome, Outcome::absent);
}

TEST(Feed, says_given_back) {
  Subject subject;
  subject.set("a", "1");
  const FeedStep begin = first_after(subject.view(), 0);
  subject.supersede_and_give_back();
  EXPECT_EQ(first_after(subject.view(), 0).outcome, Outcome::given_back);
  EXPECT_EQ(feed_step(subject.view(), begin.next, 1).outcome, Outcome::given_back);
}

}  // namespace
}  // namespace dfs::index
