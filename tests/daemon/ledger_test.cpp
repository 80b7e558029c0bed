#include "daemon/ledger.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace dfs::daemon {
namespace {

TEST(Ledger, a_sequence_is_in_flight_from_prepared_to_published) {
  Ledger ledger({}, 10);
  EXPECT_EQ(ledger.fate(10), Fate::committed);
  EXPECT_EQ(ledger.fate(11), Fate::not_committed);
  ledger.prepared(12);
  EXPECT_EQ(ledger.fate(11), Fate::in_flight);
  EXPECT_EQ(ledger.fate(12), Fate::in_flight);
  EXPECT_EQ(ledger.fate(13), Fate::not_committed);
  ledger.published(12);
  EXPECT_EQ(ledger.fate(12), Fate::committed);
  EXPECT_EQ(ledger.fate(0), Fate::not_committed);
}

TEST(Ledger, burnt_sequences_are_lost_for_ever) {
  Ledger ledger({}, 10);
  ledger.prepared(13);
  ledger.burnt({10, 14});
  for (std::uint64_t s = 11; s <= 13; ++s) {
    EXPECT_EQ(ledger.fate(s), Fate::not_committed);
    EXPECT_TRUE(ledger.lost(s));
  }
  ledger.prepared(14);
  ledger.published(14);
  EXPECT_EQ(ledger.fate(14), Fate::committed);
  EXPECT_EQ(ledger.fate(12), Fate::not_committed);
}

TEST(Ledger, a_burnt_sequence_is_never_committed_for_who_asks_while_the_next_are_published) {
  constexpr std::uint64_t kCommits = 1'000'000;
  Ledger ledger({}, 1);
  std::atomic<std::uint64_t> newest{1};
  std::thread writer([&] {
    for (std::uint64_t s = 3; s < kCommits; s += 2) {
      ledger.prepared(s - 1);
      newest.store(s - 1);
      ledger.burnt({s - 2, s});
      ledger.prepared(s);
      ledger.published(s);
    }
    newest.store(kCommits);
  });
  // Even ones are refused, each with the odd one behind it published at once.
  for (std::uint64_t s = 0; s < kCommits; s = newest.load()) {
    if (s % 2 == 0) {
      EXPECT_NE(ledger.fate(s), Fate::committed) << s;
    }
  }
  writer.join();
}

TEST(Ledger, gaps_of_earlier_daemons_count) {
  log::Gaps gaps;
  gaps.add(5, 1 << 21);
  Ledger ledger(gaps, (1 << 21) + 3);
  EXPECT_EQ(ledger.fate(5), Fate::committed);
  EXPECT_EQ(ledger.fate(6), Fate::not_committed);
  EXPECT_EQ(ledger.fate(1 << 21), Fate::committed);
}

}  // namespace
}  // namespace dfs::daemon
