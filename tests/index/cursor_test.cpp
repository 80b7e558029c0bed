#include "common/index/cursor.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries forward(Subject& subject, std::uint64_t sequence) {
  Entries found;
  Cursor cursor(subject.view(), sequence);
  for (cursor.seek_first(); cursor.valid(); cursor.next()) {
    found.emplace_back(cursor.record().key(), cursor.record().value());
  }
  EXPECT_EQ(cursor.outcome(), Outcome::absent);
  return found;
}

Entries backward(Subject& subject, std::uint64_t sequence) {
  Entries found;
  Cursor cursor(subject.view(), sequence);
  for (cursor.seek_last(); cursor.valid(); cursor.prev()) {
    found.emplace(found.begin(), cursor.record().key(), cursor.record().value());
  }
  EXPECT_EQ(cursor.outcome(), Outcome::absent);
  return found;
}

Entries entries(const Contents& contents) { return {contents.begin(), contents.end()}; }

TEST(Cursor, of_an_empty_store_is_at_its_end) {
  Subject subject;
  Cursor cursor(subject.view(), 0);
  for (int i = 0; i < 2; ++i) {
    cursor.seek_first();
    EXPECT_FALSE(cursor.valid());
    cursor.seek_last();
    EXPECT_FALSE(cursor.valid());
    cursor.seek("a");
    EXPECT_FALSE(cursor.valid());
    cursor.seek_for_prev("a");
    EXPECT_FALSE(cursor.valid());
    EXPECT_EQ(cursor.outcome(), Outcome::absent);
    subject.set("later", "1");  // and one whose only key is newer
  }
}

TEST(Cursor, turns_round_anywhere) {
  Subject subject;
  Contents contents;
  for (int i = 0; i < 300; ++i) {
    const std::string key = std::to_string(i * i);
    subject.set(key, key);
    contents[key] = key;
  }
  const Entries all = entries(contents);
  Cursor cursor(subject.view(), subject.sequence());
  cursor.seek_first();
  std::size_t at = 0;
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(cursor.valid());
    ASSERT_EQ(cursor.record().key(), all[at].first);
    const bool on = (i * 7919 % 13) < 7;
    if (on && at + 1 < all.size()) {
      cursor.next();
      ++at;
    } else if (at > 0) {
      cursor.prev();
      --at;
    }
  }
}

TEST(Cursor, shows_tombstones_only_when_asked) {
  Subject subject;
  subject.set("a", "1");
  subject.set("b", "1");
  subject.erase("a");
  EXPECT_EQ(forward(subject, 3), (Entries{{"b", "1"}}));
  EXPECT_EQ(forward(subject, 2), (Entries{{"a", "1"}, {"b", "1"}}));
  Cursor cursor(subject.view(), 3, Cursor::Show::also_erased);
  cursor.seek_first();
  ASSERT_TRUE(cursor.valid());
  EXPECT_TRUE(cursor.record().erased());
  EXPECT_EQ(cursor.record().sequence, 3U);
}

TEST(Cursor, keeps_its_snapshot_while_the_writer_goes_on) {
  Subject subject;
  Contents contents;
  for (int i = 0; i < 2000; i += 2) {
    subject.set("k" + std::to_string(100'000 + i), "old");
    contents["k" + std::to_string(100'000 + i)] = "old";
  }
  const std::uint64_t sequence = subject.sequence();
  Cursor up(subject.view(), sequence);
  Cursor down(subject.view(), sequence);
  up.seek_first();
  down.seek_last();
  Entries seen_up;
  Entries seen_down;
  for (int i = 1; up.valid() && down.valid(); ++i) {
    seen_up.emplace_back(up.record().key(), up.record().value());
    seen_down.emplace(seen_down.begin(), down.record().key(), down.record().value());
    // New keys before and behind the cursors, prefixes split, nodes grown, keys changed and erased.
    subject.set("k" + std::to_string(100'000 + (i * 2 + 1) % 4000), "new");
    subject.set("k" + std::to_string(i), "new");
    subject.set(std::string(1, static_cast<char>(1 + i % 255)), "new");
    subject.erase("k" + std::to_string(100'000 + (i * 14) % 2000));
    up.next();
    down.prev();
  }
  EXPECT_EQ(seen_up, entries(contents));
  EXPECT_EQ(seen_down, entries(contents));
}

TEST(Cursor, stops_at_its_limit_of_steps) {
  Subject subject;
  for (int i = 0; i < 1000; ++i) subject.set(std::to_string(i), "1");
  Cursor cursor(subject.view(), subject.sequence());
  cursor.limit_steps(100);
  int seen = 0;
  for (cursor.seek_first(); cursor.valid(); cursor.next()) ++seen;
  EXPECT_EQ(cursor.outcome(), Outcome::out_of_steps);
  EXPECT_GT(seen, 50);
  EXPECT_LT(seen, 100);
  EXPECT_GE(cursor.steps(), 100U);
}

TEST(Cursor, counts_the_old_versions_it_walks_as_steps) {
  Subject subject;
  subject.set("a", "1");
  for (int i = 0; i < 15; ++i) subject.set("a", "1");
  Cursor old(subject.view(), 1);
  old.seek_first();
  Cursor now(subject.view(), subject.sequence());
  now.seek_first();
  EXPECT_GE(old.steps(), now.steps() + 15);
}

TEST(Cursor, says_given_back_at_the_first_step_after) {
  Subject subject;
  subject.set("a", "1");
  subject.set("b", "1");
  Cursor cursor(subject.view(), 2);
  cursor.seek_first();
  ASSERT_TRUE(cursor.valid());
  EXPECT_TRUE(cursor.stands());
  subject.supersede_and_give_back();
  EXPECT_FALSE(cursor.stands());
  cursor.next();
  EXPECT_FALSE(cursor.valid());
  EXPECT_TRUE(cursor.given_back());
  cursor.seek_last();
  EXPECT_TRUE(cursor.given_back());
  cursor.seek("b");
  EXPECT_TRUE(cursor.given_back());
}

TEST(Cursor, of_an_empty_generation_given_back_is_not_at_its_end) {
  Subject subject;
  subject.supersede_and_give_back();
  Cursor cursor(subject.view(), 0);
  cursor.seek_first();
  EXPECT_TRUE(cursor.given_back());
}

/// Keys that meet in every way: few different bytes, among them 0x01 and 0xFF, and long runs.
std::string any_key() {
  const auto shape = *rc::gen::inRange<int>(0, 10);
  if (shape == 0) return std::string(static_cast<std::size_t>(*rc::gen::inRange<int>(1, 40)), 'a');
  if (shape == 1) {
    const auto size = static_cast<std::size_t>(*rc::gen::inRange<int>(1, 20));
    return std::string(size, 'a') + *rc::gen::element<std::string>("b", "\xFF", "\x01");
  }
  const auto size = *rc::gen::inRange<int>(1, 6);
  std::string key;
  for (int i = 0; i < size; ++i) key += *rc::gen::element('a', 'b', 'c', '\x01', '\xFF', '0', '/');
  return key;
}

RC_GTEST_PROP(CursorProperty, agrees_with_a_map_at_every_snapshot_both_ways, ()) {
  Subject subject;
  std::vector<Contents> history = {{}};
  std::vector<std::string> keys;
  const auto commits = *rc::gen::inRange<int>(1, 120);
  for (int i = 0; i < commits; ++i) {
    const bool known = !keys.empty() && *rc::gen::inRange<int>(0, 3) == 0;
    const std::string key = known ? *rc::gen::elementOf(keys) : any_key();
    Contents now = history.back();
    if (*rc::gen::inRange<int>(0, 5) == 0) {
      subject.erase(key);
      now.erase(key);
    } else {
      now[key] = std::to_string(i);
      subject.set(key, now[key]);
    }
    keys.push_back(key);
    history.push_back(now);
  }
  keys.push_back(any_key());
  for (std::uint64_t s = 0; s < history.size(); s += 1 + s / 8) {
    const Contents& contents = history[s];
    RC_ASSERT(forward(subject, s) == entries(contents));
    RC_ASSERT(backward(subject, s) == entries(contents));
    Cursor cursor(subject.view(), s);
    for (const std::string& key : keys) {
      cursor.seek(key);
      const auto at = contents.lower_bound(key);
      RC_ASSERT(cursor.valid() == (at != contents.end()));
      if (cursor.valid()) RC_ASSERT(cursor.record().key() == at->first);
      cursor.seek_for_prev(key);
      auto behind = contents.upper_bound(key);
      RC_ASSERT(cursor.valid() == (behind != contents.begin()));
      if (cursor.valid()) RC_ASSERT(cursor.record().key() == (--behind)->first);
    }
  }
}

}  // namespace
}  // namespace dfs::index
