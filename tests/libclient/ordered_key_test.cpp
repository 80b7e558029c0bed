// Ordered keys sort by their bytes as the numbers do, and read back.
#include <dfs/ordered_key.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace dfs {
namespace {

TEST(OrderedKey, texts_are_as_documented) {
  EXPECT_EQ(ordered_key(0), "a0");
  EXPECT_EQ(ordered_key(42), "b42");
  EXPECT_EQ(ordered_key(1000U), "d1000");
  EXPECT_EQ(ordered_key(-1), "Z8");
  EXPECT_EQ(ordered_key(-42), "Y57");
  EXPECT_EQ(ordered_key(std::numeric_limits<std::uint64_t>::max()), "t18446744073709551615");
  EXPECT_EQ(ordered_key(std::numeric_limits<std::int64_t>::min()), "H0776627963145224191");
}

TEST(OrderedKey, the_table_of_the_page_is_right) {
  std::ifstream page(DFS_TYPED_DOC);
  const std::regex row(R"(\| (-?)(\d+) \| `(\w+)` \|)");
  int rows = 0;
  for (std::string line; std::getline(page, line);) {
    std::smatch cells;
    if (!std::regex_match(line, cells, row)) continue;
    ++rows;
    const OrderedNumber number{cells[1].length() == 1, std::stoull(cells[2])};
    EXPECT_EQ(ordered_text(number), cells[3].str()) << line;
  }
  EXPECT_GE(rows, 5);
}

TEST(OrderedKey, one_number_has_one_text_whatever_its_type) {
  EXPECT_EQ(ordered_key(std::int8_t{7}), ordered_key(std::uint64_t{7}));
  EXPECT_EQ(ordered_key(std::int8_t{-7}), ordered_key(std::int64_t{-7}));
}

TEST(OrderedKey, texts_sort_as_the_numbers) {
  const std::vector<std::int64_t> rising{std::numeric_limits<std::int64_t>::min(),
                                         std::numeric_limits<std::int64_t>::min() + 1,
                                         -1000,
                                         -999,
                                         -101,
                                         -100,
                                         -99,
                                         -11,
                                         -10,
                                         -9,
                                         -1,
                                         0,
                                         1,
                                         9,
                                         10,
                                         11,
                                         99,
                                         100,
                                         101,
                                         999,
                                         1000,
                                         std::numeric_limits<std::int64_t>::max()};
  for (std::size_t i = 1; i < rising.size(); ++i) {
    EXPECT_LT(ordered_key(rising[i - 1]), ordered_key(rising[i])) << rising[i];
  }
  EXPECT_TRUE(rc::check("signed", [](std::int64_t a, std::int64_t b) {
    RC_ASSERT((a < b) == (ordered_key(a) < ordered_key(b)));
    // Also with something behind it.
    RC_ASSERT((a < b) == (ordered_key(a) + "/z" < ordered_key(b) + "/a") || a == b);
  }));
  EXPECT_TRUE(rc::check("unsigned", [](std::uint64_t a, std::uint64_t b) {
    RC_ASSERT((a < b) == (ordered_key(a) < ordered_key(b)));
  }));
}

TEST(OrderedKey, numbers_read_back) {
  EXPECT_TRUE(rc::check("read back", [](std::int64_t number, std::uint64_t whole) {
    RC_ASSERT(number_of<std::int64_t>(ordered_key(number)).value() == number);
    RC_ASSERT(number_of<std::uint64_t>(ordered_key(whole)).value() == whole);
  }));
  EXPECT_EQ(number_of<std::int64_t>("H0776627963145224191").value(),
            std::numeric_limits<std::int64_t>::min());
}

TEST(OrderedKey, a_number_that_the_type_does_not_hold_is_refused) {
  EXPECT_EQ(number_of<std::int8_t>(ordered_key(128)).error(), errc::bad_argument);
  EXPECT_EQ(number_of<std::int8_t>(ordered_key(-129)).error(), errc::bad_argument);
  EXPECT_EQ(number_of<std::uint8_t>(ordered_key(-1)).error(), errc::bad_argument);
  EXPECT_EQ(number_of<std::uint64_t>(ordered_key(-1)).error(), errc::bad_argument);
  EXPECT_EQ(number_of<std::int64_t>("t18446744073709551615").error(), errc::bad_argument);
  EXPECT_EQ(number_of<std::int64_t>("H0000000000000000000").error(), errc::bad_argument);
}

TEST(OrderedKey, any_other_text_is_refused) {
  for (const char* text : {"", "a", "0", "b4", "a42", "b042", "b0a", "a-1", "Z9", "Y97",
                           "t99999999999999999999", "u184467440737095516150", "[1", "`1", "b42/"}) {
    EXPECT_EQ(number_of<std::uint64_t>(text).error(), errc::bad_argument) << text;
    EXPECT_EQ(number_of<std::int64_t>(text).error(), errc::bad_argument) << text;
  }
}

}  // namespace
}  // namespace dfs
