#include "common/log/plain_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dfs::log {
namespace {

TEST(PlainText, each_byte_at_each_place_of_a_text_of_each_length) {
  for (std::size_t size = 0; size < 40; ++size) {
    EXPECT_TRUE(all_plain(std::string(size, 'x')));
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        const bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
        ASSERT_EQ(is_plain(text[at]), plain);
        ASSERT_EQ(plain_prefix(text), plain ? size : at) << byte << " at " << at << " of " << size;
        for (std::size_t from = 0; from <= at; ++from) {
          ASSERT_EQ(find_not_plain(text, from), plain ? size : at);
        }
      }
    }
  }
}

}  // namespace
}  // namespace dfs::log
