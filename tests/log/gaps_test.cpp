#include "common/log/gaps.hpp"

#include <gtest/gtest.h>

namespace dfs::log {

TEST(Gaps, sequences_strictly_between_are_lost) {
  Gaps gaps;
  gaps.add(10, 20);
  gaps.add(30, 40);
  for (const std::uint64_t kept : {0, 1, 10, 20, 25, 30, 40, 41}) EXPECT_FALSE(gaps.lost(kept));
  for (const std::uint64_t gone : {11, 19, 31, 39}) EXPECT_TRUE(gaps.lost(gone));
}

TEST(Gaps, no_gap_where_nothing_is_skipped) {
  Gaps gaps;
  gaps.add(0, 1);
  gaps.add(7, 8);
  EXPECT_TRUE(gaps.empty());
}

TEST(Gaps, a_start_without_commits_widens_the_gap_before_it) {
  Gaps gaps;
  gaps.add(5, 10);
  gaps.add(5, 30);
  EXPECT_EQ(gaps.list(), (std::vector<Gap>{{5, 30}}));
  gaps.add(5, 6);
  EXPECT_EQ(gaps.list(), (std::vector<Gap>{{5, 30}}));
}

TEST(Gaps, below_the_oldest_of_too_many_all_is_lost) {
  Gaps gaps;
  for (std::uint64_t i = 1; i <= kMaxGaps; ++i) gaps.add(10 * i, 10 * i + 5);
  EXPECT_EQ(gaps.list().size(), kMaxGaps);
  EXPECT_FALSE(gaps.lost(10));
  EXPECT_FALSE(gaps.lost(9));
  gaps.add(10 * (kMaxGaps + 1), 10 * (kMaxGaps + 1) + 5);
  EXPECT_EQ(gaps.list().size(), kMaxGaps);
  EXPECT_EQ(gaps.list().front(), (Gap{0, 25}));
  for (const std::uint64_t gone : {1, 9, 10, 17, 20, 24}) EXPECT_TRUE(gaps.lost(gone));
  EXPECT_FALSE(gaps.lost(0));
  EXPECT_FALSE(gaps.lost(25));
  EXPECT_TRUE(gaps.lost(31));
}

}  // namespace dfs::log
