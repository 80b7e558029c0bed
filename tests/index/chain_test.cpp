#include "common/index/chain.hpp"

#include <gtest/gtest.h>

#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

ChainEnd walk(Subject& subject, std::string_view key, std::uint64_t sequence) {
  const View view = subject.view();
  Reach reach(view);
  const RecordHeader* newest = subject.writer().newest(key);
  const auto offset =
      static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(newest) - view.base);
  return walk_back(reach, newest, offset, sequence);
}

TEST(Chain, each_snapshot_of_a_key_finds_its_own_version) {
  Subject subject;
  for (int i = 1; i <= 1000; ++i) {
    subject.set("key", std::to_string(i));
    if (i % 7 == 0) subject.set("other", "x");
  }
  std::uint64_t version = 0;
  for (std::uint64_t s = 1; s <= subject.sequence(); ++s) {
    const ChainEnd end = walk(subject, "key", s);
    ASSERT_EQ(end.outcome, Outcome::found);
    if (s % 8 != 0) ++version;
    ASSERT_EQ(end.record->value(), std::to_string(version)) << s;
  }
}

TEST(Chain, an_old_snapshot_of_a_hot_key_follows_few_links) {
  Subject subject;
  constexpr std::uint64_t kVersions = 100'000;
  for (std::uint64_t i = 0; i < kVersions; ++i) subject.set("hot", "1");
  std::uint64_t most = 0;
  for (std::uint64_t s = 1; s <= kVersions; s += s < 100 ? 1 : 97) {
    const ChainEnd end = walk(subject, "hot", s);
    ASSERT_EQ(end.outcome, Outcome::found);
    ASSERT_EQ(end.record->version, s);
    most = std::max(most, end.links);
  }
  // Up to 15 links before the first far link and 15 behind the last, and about three for each
  // power of two of the 6,250 far links between.
  EXPECT_LE(most, 15 + 15 + 3 * 13);
  EXPECT_GE(most, 15U);
}

TEST(Chain, a_key_that_is_newer_than_the_snapshot_is_absent) {
  Subject subject;
  subject.set("other", "1");
  for (int i = 0; i < 50; ++i) subject.set("key", "1");
  EXPECT_EQ(walk(subject, "key", 1).outcome, Outcome::absent);
  EXPECT_EQ(walk(subject, "key", 2).outcome, Outcome::found);
}

TEST(Chain, a_link_that_does_not_lead_back_is_refused) {
  Subject subject;
  subject.set("key", "1");
  subject.set("key", "2");
  auto* newest = const_cast<RecordHeader*>(subject.writer().newest("key"));
  const auto offset = static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(newest) -
                                                 subject.space().base());
  newest->previous_word = word_of(offset, 3);
  EXPECT_EQ(walk(subject, "key", 1).outcome, Outcome::broken);
  EXPECT_EQ(find(subject.view(), "key", 1).outcome, Outcome::broken);
  subject.supersede_and_give_back();
  EXPECT_EQ(find(subject.view(), "key", 1).outcome, Outcome::given_back);
}

}  // namespace
}  // namespace dfs::index
