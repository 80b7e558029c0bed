#include "common/index/lookup.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

std::string key_number(std::uint64_t i) { return "user" + std::to_string(i * 7919 % 1'000'003); }

TEST(Lookup, a_key_is_found_with_everything_that_belongs_to_it) {
  Subject subject;
  subject.set("a", "1");
  const std::uint64_t sequence = subject.set("user", R"({"name":"Alice"})");
  const Lookup found = find(subject.view(), "user", sequence);
  ASSERT_EQ(found.outcome, Outcome::found);
  EXPECT_EQ(found.record->key(), "user");
  EXPECT_EQ(found.record->value(), R"({"name":"Alice"})");
  EXPECT_EQ(found.record->version, 1U);
  EXPECT_EQ(found.sequence(), 2U);
}

TEST(Lookup, what_is_added_and_not_published_is_not_seen) {
  Subject subject;
  const std::uint64_t before = subject.set("a", "1");
  subject.add("a", "2", false);
  subject.add("b", "2", true);
  EXPECT_EQ(subject.get("a", before), "1");
  EXPECT_EQ(subject.get("b", before), std::nullopt);
  EXPECT_EQ(subject.slot().published.load(), before);
  const std::uint64_t after = subject.publish();
  EXPECT_EQ(subject.get("a", after), "2");
  EXPECT_EQ(subject.get("b", after), "2");
}

TEST(Lookup, an_erased_key_is_absent_and_its_tombstone_told) {
  Subject subject;
  subject.set("a", "1");
  const std::uint64_t erased = subject.erase("a");
  subject.set("a", "3");
  const Lookup absent = find(subject.view(), "a", erased);
  EXPECT_EQ(absent.outcome, Outcome::absent);
  EXPECT_EQ(absent.sequence(), 0U);
  ASSERT_NE(absent.record, nullptr);
  EXPECT_EQ(absent.record->sequence, erased);
  EXPECT_EQ(subject.get("a", erased - 1), "1");
  EXPECT_EQ(subject.get("a", erased + 1), "3");
  const Lookup never = find(subject.view(), "b", erased);
  EXPECT_EQ(never.outcome, Outcome::absent);
  EXPECT_EQ(never.record, nullptr);
}

TEST(Lookup, of_many_keys_equals_one_at_a_time) {
  Subject subject;
  constexpr std::uint64_t kKeys = 20'000;
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    subject.set(key_number(i), std::to_string(i));
    if (i % 3 == 0) subject.set(key_number(i / 2), "again");
    if (i % 5 == 0) subject.erase(key_number(i / 3));
  }
  std::vector<std::string> keys;
  for (std::uint64_t i = 0; i < kKeys + 37; ++i) keys.push_back(key_number(i));
  const std::vector<std::string_view> asked(keys.begin(), keys.end());
  for (const std::uint64_t sequence :
       {std::uint64_t{0}, subject.sequence() / 3, subject.sequence()}) {
    std::vector<Lookup> out(asked.size());
    find_many(subject.view(), asked, sequence, out);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const Lookup one = find(subject.view(), asked[i], sequence);
      ASSERT_EQ(out[i].outcome, one.outcome) << keys[i];
      ASSERT_EQ(out[i].record, one.record) << keys[i];
    }
  }
}

TEST(Lookup, of_no_keys_and_of_fewer_than_a_group_works) {
  Subject subject;
  const std::uint64_t sequence = subject.set("a", "1");
  find_many(subject.view(), {}, sequence, {});
  const std::vector<std::string_view> keys = {"a", "b", ""};
  std::vector<Lookup> out(3);
  find_many(subject.view(), keys, sequence, out);
  EXPECT_EQ(out[0].outcome, Outcome::found);
  EXPECT_EQ(out[1].outcome, Outcome::absent);
  EXPECT_EQ(out[2].outcome, Outcome::absent);
}

TEST(Lookup, in_a_generation_given_back_is_never_absent) {
  Subject subject;
  const std::uint64_t sequence = subject.set("a", "1");
  subject.supersede_and_give_back();
  EXPECT_EQ(find(subject.view(), "a", sequence).outcome, Outcome::given_back);
  EXPECT_EQ(find(subject.view(), "b", sequence).outcome, Outcome::given_back);
  const std::vector<std::string_view> keys = {"a", "b"};
  std::vector<Lookup> out(2);
  find_many(subject.view(), keys, sequence, out);
  EXPECT_EQ(out[0].outcome, Outcome::given_back);
  EXPECT_EQ(out[1].outcome, Outcome::given_back);
}

TEST(Lookup, after_the_slot_went_to_another_generation_is_given_back) {
  Subject subject;
  const std::uint64_t sequence = subject.set("a", "1");
  const View view = subject.view();
  subject.supersede_and_give_back();
  open_generation(subject.page(), 1 + kGenerationSlots);
  subject.slot().allocated.store(subject.space().allocated());
  EXPECT_EQ(state_of(subject.slot().identity.load()), GenerationState::current);
  EXPECT_EQ(find(view, "a", sequence).outcome, Outcome::given_back);
}

TEST(Lookup, beyond_a_small_mapping_asks_for_a_larger_one) {
  Subject subject;
  subject.set("a", "1");
  View small = subject.view();
  small.mapped_bytes = subject.space().allocated();
  const std::string large(1 << 20, 'x');
  const std::uint64_t sequence = subject.set("a", large);
  EXPECT_EQ(find(small, "a", sequence).outcome, Outcome::outgrown);
  small.mapped_bytes = subject.space().allocated();
  EXPECT_EQ(find(small, "a", sequence).outcome, Outcome::found);
}

TEST(Lookup, at_home_is_found_what_is_plainly_there_and_nothing_else) {
  Subject subject;
  const std::uint64_t first = subject.set("a", "1");
  const std::uint64_t second = subject.set("a", "22");
  const std::string longest(kHashedInline, 'k');
  const std::string longer(kHashedInline + 1, 'k');
  subject.set(longest, "3");
  subject.set(longer, "4");
  const std::uint64_t last = subject.erase("a");
  const auto value = [&](std::string_view key, std::uint64_t sequence) -> std::string {
    const RecordHeader* record = find_at_home(subject.view(), key, sequence);
    return record == nullptr ? "" : std::string(record->value());
  };
  EXPECT_EQ(value("a", last), "") << "erased";
  EXPECT_EQ(value(longest, last), "3");
  EXPECT_EQ(value(longer, last), "") << "too long to be hashed here";
  EXPECT_EQ(value(longest, first), "") << "newer than the snapshot";
  EXPECT_EQ(value("a", second), "") << "it has a newer record";
  EXPECT_EQ(value("b", last), "") << "never there";
  EXPECT_EQ(subject.get("a", second), "22") << "found by the search";
  View small = subject.view();
  small.mapped_bytes = 4096;
  EXPECT_EQ(find_at_home(small, longest, last), nullptr) << "beyond the mapping";
}

TEST(Lookup, at_home_finds_nearly_every_key) {
  Subject subject;
  constexpr int kKeys = 20'000;
  const auto key = [](int i) { return "user" + std::to_string(i); };
  for (int i = 0; i < kKeys; ++i) subject.set(key(i), "1");
  int found = 0;
  for (int i = 0; i < kKeys; ++i) {
    found += find_at_home(subject.view(), key(i), subject.sequence()) != nullptr ? 1 : 0;
  }
  EXPECT_GT(found, kKeys * 4 / 5) << "of the others each is in the next bucket";
}

RC_GTEST_PROP(LookupProperty, agrees_with_a_map_at_every_snapshot, ()) {
  Subject subject;
  std::vector<Contents> history = {{}};
  const auto commits = *rc::gen::inRange<int>(1, 150);
  for (int i = 0; i < commits; ++i) {
    Contents now = history.back();
    const auto records = *rc::gen::inRange<int>(1, 4);
    for (int r = 0; r < records; ++r) {
      const std::string key = "k" + std::to_string(*rc::gen::inRange<int>(0, 12));
      if (*rc::gen::inRange<int>(0, 4) == 0) {
        subject.add(key, std::nullopt, r + 1 == records);
        now.erase(key);
      } else {
        const std::string value = std::to_string(i * 10 + r);
        subject.add(key, value, r + 1 == records);
        now[key] = value;
      }
    }
    subject.publish();
    history.push_back(now);
  }
  RC_ASSERT(subject.writer().live_keys() == history.back().size());
  for (std::uint64_t s = 0; s < history.size(); ++s) {
    for (int k = 0; k < 13; ++k) {
      const std::string key = "k" + std::to_string(k);
      const auto expected = history[s].find(key);
      const std::optional<std::string> got = subject.get(key, s);
      RC_ASSERT(got.has_value() == (expected != history[s].end()));
      if (got) RC_ASSERT(*got == expected->second);
    }
  }
}

}  // namespace
}  // namespace dfs::index
