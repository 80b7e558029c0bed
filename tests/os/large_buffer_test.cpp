#include "common/os/large_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace dfs::os {
namespace {

TEST(LargeBuffer, it_is_zero_and_can_be_written_to_its_end) {
  const LargeBuffer buffer = LargeBuffer::make((5 << 20) + 3).value();
  ASSERT_EQ(buffer.bytes().size(), std::size_t{(5 << 20) + 3});
  EXPECT_TRUE(std::ranges::all_of(buffer.bytes(), [](char c) { return c == 0; }));
  buffer.bytes().back() = 'x';
  EXPECT_EQ(buffer.bytes().back(), 'x');
}

TEST(LargeBuffer, an_empty_one_takes_nothing) {
  EXPECT_TRUE(LargeBuffer::make(0).value().bytes().empty());
}

TEST(LargeBuffer, what_is_moved_has_one_owner) {
  LargeBuffer first = LargeBuffer::make(10).value();
  first.bytes()[3] = 'a';
  const LargeBuffer second = std::move(first);
  EXPECT_EQ(second.bytes()[3], 'a');
  EXPECT_TRUE(first.bytes().empty());  // NOLINT(bugprone-use-after-move): what is tested
}

TEST(LargeBuffer, more_than_there_are_addresses_is_refused) {
  EXPECT_FALSE(LargeBuffer::make(std::uint64_t{1} << 62));
}

}  // namespace
}  // namespace dfs::os
