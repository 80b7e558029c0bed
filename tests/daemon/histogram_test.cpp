#include "daemon/histogram.hpp"

#include <gtest/gtest.h>

namespace dfs::daemon {
namespace {

TEST(HistogramTest, values_stand_in_the_bucket_of_the_power_of_two_above_them) {
  Histogram histogram;
  for (const std::uint64_t value : {0U, 1U, 2U, 3U, 4U, 7U, 8U, 1023U, 1024U}) {
    histogram.add(value);
  }
  EXPECT_EQ(histogram.count_in(0), 1U);
  EXPECT_EQ(histogram.count_in(1), 1U);
  EXPECT_EQ(histogram.count_in(2), 2U);
  EXPECT_EQ(histogram.count_in(3), 2U);
  EXPECT_EQ(histogram.count_in(4), 1U);
  EXPECT_EQ(histogram.count_in(10), 1U);
  EXPECT_EQ(histogram.count_in(11), 1U);
  EXPECT_EQ(histogram.max(), 1024U);
  EXPECT_EQ(histogram.sum(), 2072U);
}

TEST(HistogramTest, the_last_bucket_takes_whatever_is_larger) {
  Histogram histogram;
  histogram.add(UINT64_MAX);
  histogram.add(std::uint64_t{1} << (Histogram::kBuckets - 2));
  EXPECT_EQ(histogram.count_in(Histogram::kBuckets - 1), 2U);
}

}  // namespace
}  // namespace dfs::daemon
