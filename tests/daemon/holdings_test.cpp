#include "daemon/holdings.hpp"

#include <gtest/gtest.h>

namespace dfs::daemon {
namespace {

HoldCounts holds(std::initializer_list<std::uint64_t> generations) {
  HoldCounts made{};
  for (const std::uint64_t generation : generations) ++made.at(generation % made.size());
  return made;
}

// Generations 8 to 10 are superseded, 11 is current.
Holdings with(const HoldCounts& own, const HoldCounts& others = {}) {
  HoldCounts all = own;
  for (std::size_t slot = 0; slot < all.size(); ++slot) all.at(slot) += others.at(slot);
  return holdings_of(own, all, {{{8, 100, {}}, {9, 20, {}}, {10, 3, {}}}, 11});
}

TEST(HoldingsTest, who_holds_only_the_current_generation_keeps_nothing) {
  const Holdings found = with(holds({11, 11}));
  ASSERT_EQ(found.held.size(), 1U);
  EXPECT_EQ(found.held[0].snapshots, 2U);
  EXPECT_TRUE(found.held[0].current);
  EXPECT_EQ(found.keeps_bytes, 0U);
  EXPECT_EQ(found.frees_bytes, 0U);
}

TEST(HoldingsTest, who_holds_an_old_one_keeps_all_that_came_after_it) {
  const Holdings found = with(holds({9}));
  ASSERT_EQ(found.held.size(), 1U);
  EXPECT_EQ(found.held[0].generation, 9U);
  EXPECT_FALSE(found.held[0].current);
  EXPECT_EQ(found.keeps_bytes, 23U);
  EXPECT_EQ(found.frees_bytes, 23U);
}

TEST(HoldingsTest, what_another_keeps_is_not_freed) {
  EXPECT_EQ(with(holds({8}), holds({9})).frees_bytes, 100U);
  EXPECT_EQ(with(holds({8}), holds({10, 11})).frees_bytes, 120U);
  EXPECT_EQ(with(holds({9}), holds({8})).frees_bytes, 0U);
  EXPECT_EQ(with(holds({8}), holds({8})).frees_bytes, 0U);
  EXPECT_EQ(with(holds({8}), holds({9})).keeps_bytes, 123U);
}

}  // namespace
}  // namespace dfs::daemon
