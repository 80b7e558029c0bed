#include "common/log/key.hpp"

#include <gtest/gtest.h>

#include <string>

#include "common/base/limits.hpp"

namespace dfs::log {

TEST(Key, one_byte_to_the_limit_is_taken) {
  EXPECT_TRUE(check_key("a"));
  EXPECT_TRUE(check_key(std::string(kMaxKeyBytes, 'x')));
  EXPECT_TRUE(check_key("sp ace \"quote\" \\ \n\t\x01\x7F"));
  EXPECT_TRUE(check_key("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"));
}

TEST(Key, empty_is_refused) { EXPECT_EQ(check_key("").error().code(), errc::bad_key); }

TEST(Key, beyond_the_limit_is_too_large_and_says_the_limit) {
  const auto checked = check_key(std::string(kMaxKeyBytes + 1, 'x'));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), errc::too_large);
  EXPECT_EQ(checked.error().limit(), kMaxKeyBytes);
}

TEST(Key, nul_is_refused_with_its_place) {
  const auto checked = check_key(std::string_view("ab\0c", 4));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), errc::bad_key);
  EXPECT_EQ(checked.error().offset(), 2U);
  EXPECT_NE(checked.error().text().find("byte 3"), std::string_view::npos);
}

TEST(Key, malformed_utf8_is_refused_with_its_place) {
  const std::string_view bad[] = {"\x80",
                                  "\xBF",
                                  "\xC0\x80",
                                  "\xC1\xBF",
                                  "\xC3",
                                  "\xC3(",
                                  "\xE0\x9F\xBF",
                                  "\xE2\x82",
                                  "\xED\xA0\x80",
                                  "\xED\xBF\xBF",
                                  "\xF0\x8F\xBF\xBF",
                                  "\xF4\x90\x80\x80",
                                  "\xF5\x80\x80\x80",
                                  "\xF0\x9F\x98",
                                  "\xFF"};
  for (const std::string_view text : bad) {
    for (const std::string before : {"", "abc", "abcdefgh", "abcdefghijkl\xC3\xA4"}) {
      const auto checked = check_key(before + std::string(text) + "tail of eight bytes");
      ASSERT_FALSE(checked) << before << " " << testing::PrintToString(text);
      EXPECT_EQ(checked.error().code(), errc::bad_key);
      EXPECT_EQ(checked.error().offset(), before.size());
      EXPECT_TRUE(first_bad_utf8(before + std::string(text)));
    }
  }
}

TEST(Key, the_edges_of_utf8_are_taken) {
  for (const char* good :
       {"\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_FALSE(first_bad_utf8(good)) << testing::PrintToString(good);
  }
}

}  // namespace dfs::log
