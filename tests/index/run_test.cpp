// The runs, and the tree beside them: what lies where, and one walk over both.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>

#include "common/index/cursor.hpp"
#include "common/index/run_search.hpp"
#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

std::string key_of(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return "key" + std::string(8 - digits.size(), '0') + digits;
}

/// Keys 10, 20, ... in order: all of them in runs.
void fill_runs(Subject& subject, Contents& contents, std::uint64_t keys) {
  for (std::uint64_t i = 1; i <= keys; ++i) {
    contents[key_of(i * 10)] = std::to_string(i);
    subject.set(key_of(i * 10), std::to_string(i));
  }
}

/// Every walk, seek and search there is, against the map.
void expect_agrees(Subject& subject, std::uint64_t sequence, const Contents& contents) {
  Cursor cursor(subject.view(), sequence);
  cursor.seek_first();
  for (const auto& [key, value] : contents) {
    ASSERT_TRUE(cursor.valid()) << key;
    ASSERT_EQ(cursor.record().key(), key);
    ASSERT_EQ(cursor.record().value(), value);
    cursor.next();
  }
  ASSERT_EQ(cursor.outcome(), Outcome::absent);
  cursor.seek_last();
  for (auto at = contents.rbegin(); at != contents.rend(); ++at) {
    ASSERT_TRUE(cursor.valid()) << at->first;
    ASSERT_EQ(cursor.record().key(), at->first);
    cursor.prev();
  }
  ASSERT_EQ(cursor.outcome(), Outcome::absent);
  std::vector<std::string> asked = {"", "\xFF"};
  for (const auto& [key, value] : contents) {
    asked.insert(asked.end(), {key, key + "+", key.substr(0, key.size() - 1)});
  }
  for (const std::string& key : asked) {
    cursor.seek(key);
    const auto at = contents.lower_bound(key);
    ASSERT_EQ(cursor.valid(), at != contents.end()) << key;
    if (cursor.valid()) {
      ASSERT_EQ(cursor.record().key(), at->first);
    }
    cursor.seek_for_prev(key);
    auto behind = contents.upper_bound(key);
    ASSERT_EQ(cursor.valid(), behind != contents.begin()) << key;
    if (cursor.valid()) {
      ASSERT_EQ(cursor.record().key(), (--behind)->first);
    }
  }
}

/// Steps, turns and seeks at random, against the map.
void walk_about(Subject& subject, std::uint64_t sequence, const Contents& contents) {
  if (contents.empty()) return;
  Cursor cursor(subject.view(), sequence);
  auto at = contents.end();
  for (int i = 0; i < 200; ++i) {
    const int move = at == contents.end() ? 0 : *rc::gen::inRange(0, 8);
    if (move == 0) {
      at = std::next(contents.begin(), *rc::gen::inRange<int>(0, int(contents.size())));
      if (*rc::gen::arbitrary<bool>()) {
        cursor.seek(at->first);
      } else {
        cursor.seek_for_prev(at->first);
      }
    } else if (move <= 4) {
      cursor.next();
      ++at;
    } else {
      cursor.prev();
      at = at == contents.begin() ? contents.end() : std::prev(at);
    }
    RC_ASSERT(cursor.valid() == (at != contents.end()));
    if (cursor.valid()) RC_ASSERT(cursor.record().key() == at->first);
  }
}

TEST(Runs, keys_in_order_touch_no_tree_and_others_no_run) {
  Subject subject;
  Contents contents;
  fill_runs(subject, contents, 3 * kRunKeys);
  EXPECT_EQ(subject.slot().root.load(), 0U);
  const View view = subject.view();
  Reach reach(view);
  EXPECT_EQ(search_runs(reach, key_of(10)).outcome, Outcome::found);
  subject.set(key_of(15), "1");
  EXPECT_NE(subject.slot().root.load(), 0U);
  EXPECT_EQ(search_runs(reach, key_of(15)).outcome, Outcome::absent);
  EXPECT_EQ(search_tree(reach, key_of(15)).outcome, Outcome::found);
  EXPECT_EQ(search_tree(reach, key_of(10)).outcome, Outcome::absent);
}

TEST(Runs, any_number_of_keys_is_walked_sought_and_searched) {
  for (const std::uint64_t keys :
       {std::uint64_t{0}, std::uint64_t{1}, kRunKeys - 1, kRunKeys, kRunKeys + 1, 2 * kRunKeys,
        std::uint64_t{512}, std::uint64_t{513}, 40 * kRunKeys}) {
    Subject subject;
    Contents contents;
    fill_runs(subject, contents, keys);
    expect_agrees(subject, subject.sequence(), contents);
    const View view = subject.view();
    Reach reach(view);
    for (std::uint64_t i = 0; i <= keys * 10 + 10; i += 5) {
      const bool there = contents.contains(key_of(i));
      ASSERT_EQ(search_runs(reach, key_of(i)).outcome, there ? Outcome::found : Outcome::absent);
      const RunPlace floor = floor_in_runs(reach, key_of(i));
      ASSERT_EQ(floor.outcome, i < 10 || keys == 0 ? Outcome::absent : Outcome::found);
      if (floor.outcome == Outcome::found) {
        ASSERT_EQ(floor.leaf.record->key(), key_of(std::min(i / 10, keys) * 10));
      }
    }
  }
}

TEST(Runs, keys_that_come_later_are_walked_between_them) {
  for (const std::uint64_t keys : {std::uint64_t{1}, kRunKeys - 1, kRunKeys, kRunKeys + 1,
                                   std::uint64_t{512}, std::uint64_t{513}}) {
    Subject subject;
    Contents contents;
    fill_runs(subject, contents, keys);
    const std::uint64_t before = subject.sequence();
    const Contents early = contents;
    for (std::uint64_t i = keys * 10; i > 7; i -= i % 7 + 1) {
      contents[key_of(i)] = "later";
      subject.set(key_of(i), "later");
    }
    // Updated and erased, in runs and in the tree; and more behind the last run.
    for (std::uint64_t i = 1; i <= keys; i += 3) {
      contents.erase(key_of(i * 10));
      subject.erase(key_of(i * 10));
    }
    for (std::uint64_t i = keys + 1; i < keys + 2 * kRunKeys; ++i) {
      contents[key_of(i * 10)] = "behind";
      subject.set(key_of(i * 10), "behind");
    }
    expect_agrees(subject, subject.sequence(), contents);
    expect_agrees(subject, before, early);
  }
}

TEST(Runs, a_walk_keeps_its_snapshot_while_runs_and_tree_grow) {
  Subject subject;
  Contents contents;
  fill_runs(subject, contents, kRunKeys + 7);
  const std::uint64_t sequence = subject.sequence();
  Cursor up(subject.view(), sequence);
  Cursor down(subject.view(), sequence);
  up.seek_first();
  down.seek_last();
  auto low = contents.begin();
  auto high = contents.rbegin();
  for (std::uint64_t i = 1; low != contents.end(); ++i, ++low, ++high) {
    ASSERT_TRUE(up.valid() && down.valid());
    ASSERT_EQ(up.record().key(), low->first);
    ASSERT_EQ(up.record().value(), low->second);
    ASSERT_EQ(down.record().key(), high->first);
    for (std::uint64_t j = 0; j < 5; ++j) subject.set(key_of(10'000 + i * 10 + j), "behind");
    subject.set(key_of(i * 10 + 5), "between");
    subject.set(key_of(i * 7 % 60 * 10), "again");
    up.next();
    down.prev();
  }
  EXPECT_EQ(up.outcome(), Outcome::absent);
  EXPECT_EQ(down.outcome(), Outcome::absent);
}

TEST(Runs, going_away_under_a_walk_is_given_back_and_never_an_end) {
  // Keys between those of runs lie in the tree; none of them, or all.
  for (const std::uint64_t between : {0U, 5U}) {
    for (const bool forward : {true, false}) {
      for (const bool turned : {true, false}) {
        for (std::uint64_t steps = 0; steps < 2 * kRunKeys - 2; steps += 9) {
          Subject subject;
          Contents contents;
          fill_runs(subject, contents, 2 * kRunKeys);
          for (std::uint64_t i = 1; between != 0 && i < 2 * kRunKeys; ++i) {
            subject.set(key_of(i * 10 + between), "1");
          }
          Cursor cursor(subject.view(), subject.sequence());
          forward ? cursor.seek(key_of(20)) : cursor.seek_for_prev(key_of(20 * kRunKeys - 20));
          for (std::uint64_t i = 0; i < steps; ++i) forward ? cursor.next() : cursor.prev();
          ASSERT_TRUE(cursor.valid());
          subject.supersede_and_give_back();
          std::memset(subject.space().base(), 0, subject.space().allocated());
          forward == turned ? cursor.prev() : cursor.next();
          ASSERT_EQ(cursor.outcome(), Outcome::given_back);
          ASSERT_FALSE(cursor.valid());
        }
      }
    }
  }
}

TEST(Runs, steps_are_counted_and_limited) {
  Subject subject;
  Contents contents;
  fill_runs(subject, contents, 1000);
  Cursor cursor(subject.view(), subject.sequence());
  cursor.limit_steps(200);
  std::uint64_t seen = 0;
  for (cursor.seek_first(); cursor.valid(); cursor.next()) ++seen;
  EXPECT_EQ(cursor.outcome(), Outcome::out_of_steps);
  EXPECT_GT(seen, 190U);
  EXPECT_LE(seen, 200U);
}

TEST(Runs, cost_less_than_the_tree) {
  Subject ordered;
  Subject mixed;
  Contents contents;
  fill_runs(ordered, contents, 20'000);
  mixed.set("l", "above all");
  for (const auto& [key, value] : contents) mixed.set(key, value);
  // Beside records, tables and the last chunks.
  const std::uint64_t alike = ordered.writer().live_bytes();
  EXPECT_LT(ordered.writer().used(), alike);
  EXPECT_LT(ordered.writer().used() + std::uint64_t{20'000} * 10, mixed.writer().used());
}

/// Few different bytes, so that keys meet in every way.
std::string any_key() {
  std::string key;
  // Of the full range at once: a base of 130 keys needs it.
  const auto size = *rc::gen::resize(100, rc::gen::inRange<int>(1, 5));
  for (int i = 0; i < size; ++i) {
    key += *rc::gen::element('a', 'b', '\x01', '\xFF', '0', '/');
  }
  return key;
}

RC_GTEST_PROP(RunsProperty, with_the_tree_agree_with_a_map_at_every_snapshot, ()) {
  Subject subject;
  std::vector<Contents> history = {{}};
  std::vector<std::string> keys;
  const auto change = [&](const std::string& key, bool erased) {
    Contents now = history.back();
    if (erased) {
      now.erase(key);
      subject.erase(key);
    } else {
      now[key] = std::to_string(history.size());
      subject.set(key, now[key]);
    }
    keys.push_back(key);
    history.push_back(std::move(now));
  };
  std::map<std::string, bool> sorted;
  const auto base = *rc::gen::element(0, 1, 61, 62, 63, 130);
  while (int(sorted.size()) < base) sorted[any_key()] = *rc::gen::inRange(0, 6) == 0;
  for (const auto& [key, erased] : sorted) change(key, erased);
  const auto later = *rc::gen::inRange(0, 100);
  for (int i = 0; i < later; ++i) {
    const bool known = !keys.empty() && *rc::gen::inRange(0, 3) == 0;
    change(known ? *rc::gen::elementOf(keys) : any_key(), *rc::gen::inRange(0, 4) == 0);
  }
  const std::size_t last = history.size() - 1;
  for (const std::size_t sequence : {last, last / 2, std::size_t(base)}) {
    if (sequence > last) continue;
    expect_agrees(subject, sequence, history[sequence]);
    RC_ASSERT(!testing::Test::HasFatalFailure());
    walk_about(subject, sequence, history[sequence]);
  }
}

}  // namespace
}  // namespace dfs::index
