#include "common/log/crc32c.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace dfs::log {

TEST(Crc32c, known_sums_come_out) {
  // The check value of the polynomial, and the four of RFC 3720, B.4.
  EXPECT_EQ(crc32c(0, "123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(0, std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(0, std::string(32, '\xFF')), 0x62A8AB43U);
  std::string rising;
  std::string falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }
  EXPECT_EQ(crc32c(0, rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(0, falling), 0x113FDB5CU);
  EXPECT_EQ(crc32c(0, ""), 0U);
}

RC_GTEST_PROP(Crc32c, instruction_and_table_agree, (const std::string& bytes, std::uint32_t crc)) {
  RC_ASSERT(crc32c(crc, bytes) == crc32c_by_table(crc, bytes));
}

TEST(Crc32c, instruction_and_table_agree_on_every_length) {
  std::string bytes;
  for (std::size_t size = 0; size < 4000; ++size) {
    const auto crc = static_cast<std::uint32_t>(size * 2'654'435'761U);
    ASSERT_EQ(crc32c(crc, bytes), crc32c_by_table(crc, bytes)) << size;
    bytes += static_cast<char>(crc >> 13U);
  }
}

RC_GTEST_PROP(Crc32c, a_sum_goes_on_where_it_was_left,
              (const std::string& one, const std::string& two)) {
  RC_ASSERT(crc32c(crc32c(0, one), two) == crc32c(0, one + two));
}

}  // namespace dfs::log
