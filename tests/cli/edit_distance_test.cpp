#include "cli/edit_distance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace dfs::cli {
namespace {

TEST(EditDistance, a_letter_more_less_or_other_is_one_step_and_so_are_two_swapped) {
  EXPECT_EQ(edit_distance("stat", "stat"), 0U);
  EXPECT_EQ(edit_distance("stat", "start"), 1U);
  EXPECT_EQ(edit_distance("start", "stat"), 1U);
  EXPECT_EQ(edit_distance("stat", "stop"), 2U);
  EXPECT_EQ(edit_distance("lsit", "list"), 1U);
  EXPECT_EQ(edit_distance("ilts", "list"), 2U);
  EXPECT_EQ(edit_distance("get", "set"), 1U);
}

TEST(EditDistance, what_is_empty_is_as_far_as_the_other_is_long) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "list"), 4U);
  EXPECT_EQ(edit_distance("list", ""), 4U);
}

TEST(EditDistance, it_is_the_same_both_ways_and_no_longer_than_the_longer_word) {
  const std::vector<std::string> words{"", "a", "ab", "ba", "get", "set", "del", "dump", "list"};
  for (const std::string& a : words) {
    for (const std::string& b : words) {
      EXPECT_EQ(edit_distance(a, b), edit_distance(b, a)) << a << " " << b;
      EXPECT_LE(edit_distance(a, b), std::max(a.size(), b.size()));
      EXPECT_EQ(edit_distance(a, b) == 0, a == b);
    }
  }
}

}  // namespace
}  // namespace dfs::cli
