#include "cli/integer_text.hpp"

#include <gtest/gtest.h>

namespace dfs::cli {
namespace {

TEST(IntegerText, sums_are_those_of_the_processor) {
  const long long some[] = {0, 1, -1, 9, -9, 10, 99, -100, 999, 1000, 123456789, -987654321};
  for (const long long a : some) {
    for (const long long b : some) {
      EXPECT_EQ(sum_of(std::to_string(a), std::to_string(b)), std::to_string(a + b)) << a << b;
    }
  }
}

TEST(IntegerText, no_digit_of_a_long_number_is_lost) {
  EXPECT_EQ(sum_of("99999999999999999999999999", "1"), "100000000000000000000000000");
  EXPECT_EQ(sum_of("100000000000000000000000000", "-1"), "99999999999999999999999999");
  EXPECT_EQ(sum_of("-100000000000000000000000000", "100000000000000000000000000"), "0");
  EXPECT_EQ(sum_of("-0", "0"), "0");
}

TEST(IntegerText, only_json_integers_are_ones) {
  for (const char* text : {"0", "-0", "7", "-12", "12345678901234567890123"}) {
    EXPECT_TRUE(is_integer_text(text)) << text;
  }
  for (const char* text : {"", "-", "+1", "01", "-01", "1.0", "1e2", " 1", "1 ", "one"}) {
    EXPECT_FALSE(is_integer_text(text)) << text;
  }
}

}  // namespace
}  // namespace dfs::cli
