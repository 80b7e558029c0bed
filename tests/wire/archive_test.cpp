#include "common/wire/archive.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>

#include "common/wire/field.hpp"
#include "tests/wire/allocation_meter.hpp"

namespace dfs::wire {
namespace {

TEST(Archive, numbers_come_back_as_they_went) {
  OutputArchive out(1024);
  const auto low = std::numeric_limits<std::int64_t>::min();
  const auto high = std::numeric_limits<std::uint64_t>::max();
  out(std::uint8_t{7}, std::uint16_t{0xbeef}, low, high);
  ASSERT_FALSE(out.failed());
  EXPECT_EQ(out.bytes().size(), 1U + 2 + 8 + 8);
  EXPECT_EQ(out.bytes()[1], std::byte{0xef}) << "little-endian, no padding";
  InputArchive in(out.bytes());
  std::uint8_t a = 0;
  std::uint16_t b = 0;
  std::int64_t c = 0;
  std::uint64_t d = 0;
  in(a, b, c, d);
  EXPECT_FALSE(in.failed());
  EXPECT_EQ(in.left(), 0U);
  EXPECT_EQ(a, 7);
  EXPECT_EQ(b, 0xbeef);
  EXPECT_EQ(c, low);
  EXPECT_EQ(d, high);
}

TEST(Archive, reading_past_the_end_fails_once_and_for_all) {
  const std::array<std::byte, 3> three{std::byte{1}, std::byte{2}, std::byte{3}};
  InputArchive in(three);
  std::uint32_t number = 5;
  std::uint8_t byte = 9;
  in(number);
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(number, 0U);
  in(byte);
  EXPECT_EQ(byte, 0) << "though one byte would have been there";
  EXPECT_TRUE(in.view(1).empty());
  in.restart(three);
  EXPECT_FALSE(in.failed());
  EXPECT_EQ(in.view(3).size(), 3U);
  EXPECT_TRUE(in.view(0).empty());
  EXPECT_FALSE(in.failed());
}

TEST(Archive, fixed_memory_that_is_full_fails_and_stays_within_bounds) {
  std::array<std::byte, 8> memory{};
  OutputArchive out{std::span<std::byte>(memory).first(5)};
  out(std::uint32_t{1});
  EXPECT_FALSE(out.failed());
  out(std::uint16_t{0xffff});
  EXPECT_TRUE(out.failed());
  out(std::uint8_t{0xff});
  EXPECT_TRUE(out.failed()) << "nothing is written behind a gap";
  EXPECT_EQ(out.bytes().size(), 4U);
  EXPECT_EQ(memory[4], std::byte{0});
  out.restart();
  out(std::uint8_t{1});
  EXPECT_FALSE(out.failed());
  EXPECT_EQ(out.bytes().size(), 1U);
}

TEST(Archive, growing_memory_stops_at_its_limit) {
  OutputArchive out(10'000);
  const std::string text(9'999, 'x');
  out.put(text);
  EXPECT_FALSE(out.failed());
  out(std::uint8_t{1});
  EXPECT_FALSE(out.failed());
  out(std::uint8_t{1});
  EXPECT_TRUE(out.failed());
  out.restart();
  out.put(text);
  EXPECT_FALSE(out.failed());
}

TEST(Archive, count_that_cannot_be_is_refused_before_memory_is) {
  const std::array<std::byte, 64> bytes{};
  InputArchive in(bytes);
  EXPECT_TRUE(in.may_hold(8, 100, 8));
  EXPECT_FALSE(in.may_hold(9, 100, 8));
  EXPECT_TRUE(in.failed());
  in.restart(bytes);
  EXPECT_FALSE(in.may_hold(5, 4, 1)) << "above the limit";
  in.restart(bytes);
  EXPECT_FALSE(in.may_hold(std::numeric_limits<std::size_t>::max(),
                           std::numeric_limits<std::size_t>::max(), 48))
      << "no product overflows";
}

TEST(Archive, one_object_serves_many_messages_without_allocating) {
  OutputArchive out(1024);
  InputArchive in;
  out(std::uint64_t{1});
  std::uint64_t sum = 0;
  std::size_t allocated = 1;
  {
    const AllocationMeter meter;
    for (std::uint64_t i = 0; i < 100; ++i) {
      out.restart();
      out(i);
      in.restart(out.bytes());
      std::uint64_t back = 0;
      in(back);
      sum += back;
    }
    allocated = meter.total_bytes();
  }
  EXPECT_EQ(sum, 4950U);
  EXPECT_EQ(allocated, 0U);
}

TEST(Archive, unknown_field_can_be_stepped_over) {
  OutputArchive out(1024);
  put_field(out, {9, "unknown"});
  put_field(out, {1, ""});
  InputArchive in(out.bytes());
  Field field;
  ASSERT_TRUE(get_field(in, field));
  EXPECT_EQ(field.id, 9);
  EXPECT_EQ(field.bytes, "unknown");
  ASSERT_TRUE(get_field(in, field));
  EXPECT_TRUE(field.bytes.empty());
  EXPECT_FALSE(get_field(in, field));
  EXPECT_FALSE(in.failed());
  for (std::size_t cut = 1; cut < kFieldHeadBytes + 7; ++cut) {
    in.restart(out.bytes().first(cut));
    EXPECT_FALSE(get_field(in, field)) << cut;
    EXPECT_TRUE(in.failed()) << cut;
  }
}

}  // namespace
}  // namespace dfs::wire
