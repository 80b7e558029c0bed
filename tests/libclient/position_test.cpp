#include <dfs/position.hpp>

#include <string>

#include <gtest/gtest.h>

namespace dfs {
namespace {

TEST(Position, its_text_reads_back) {
  Position::StoreId id{};
  id[0] = std::byte{0xab};
  id[15] = std::byte{0x01};
  const Position position(id, 1042);
  EXPECT_EQ(position.text(), "ab000000000000000000000000000001-1042");
  EXPECT_EQ(Position::parse(position.text()).value(), position);
}

TEST(Position, other_texts_are_refused) {
  for (const char* text :
       {"", "-", "ab-1", "ab000000000000000000000000000001", "ab000000000000000000000000000001-",
        "x-1", "ab000000000000000000000000000001-1x"}) {
    EXPECT_EQ(Position::parse(text).error(), errc::bad_argument) << text;
  }
}

}  // namespace
}  // namespace dfs
