#include <dfs/range.hpp>

#include <iterator>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/libclient/map_source.hpp"

namespace dfs {
namespace {

static_assert(std::bidirectional_iterator<Range::Iterator>);

Range range_over(const test::MapRecords& records, std::string from, std::string to) {
  client::Bounds bounds{std::move(from), std::move(to)};
  return Range(std::make_shared<client::Span>(
      [&records, bounds] { return test::MapSource(records).walk(bounds); }, false));
}

TEST(Range, begin_starts_anew_each_time) {
  const test::MapRecords records{{"a", {"1"}}, {"b", {"2"}}};
  const Range range = range_over(records, "", "");
  for (int i = 0; i < 2; ++i) {
    std::string keys;
    for (const Entry& entry : range) keys += entry.key;
    EXPECT_EQ(keys, "ab");
  }
}

TEST(Range, the_last_is_one_step_before_the_end) {
  const test::MapRecords records{{"a", {"1"}}, {"b", {"2"}}, {"c", {"3"}}};
  const Range range = range_over(records, "a", "c");
  auto at = range.end();
  EXPECT_EQ((--at)->key, "b");
  EXPECT_EQ((at--)->key, "b");
  EXPECT_EQ(at->key, "a");
  EXPECT_EQ(at, range.begin());
}

TEST(Range, reversed_twice_is_itself) {
  const test::MapRecords records{{"a", {"1"}}, {"b", {"2"}}};
  std::string keys;
  for (const Entry& entry : range_over(records, "", "").reversed().reversed()) keys += entry.key;
  EXPECT_EQ(keys, "ab");
}

TEST(Range, views_outlive_the_iterator_that_gave_them) {
  const test::MapRecords records{{"a", {"1"}}, {"b", {"2"}}};
  std::string_view key;
  {
    const Range range = range_over(records, "", "");
    key = (*range.begin()).key;
  }
  EXPECT_EQ(key, "a");
}

TEST(Bounds, a_prefix_ends_before_the_first_key_behind_all_that_begin_so) {
  EXPECT_EQ(client::bounds_of_prefix("user/").to, "user0");
  EXPECT_EQ(client::bounds_of_prefix("").to, "");
  EXPECT_EQ(client::bounds_of_prefix("a\xff").to, "b");
  EXPECT_EQ(client::bounds_of_prefix("\xff\xff").to, "");
  EXPECT_TRUE(client::bounds_of_prefix("a").hold("a"));
  EXPECT_TRUE(client::bounds_of_prefix("a").hold("a\xf4\x8f\xbf\xbf"));
  EXPECT_FALSE(client::bounds_of_prefix("a").hold("b"));
}

}  // namespace
}  // namespace dfs
