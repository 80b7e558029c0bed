#include "common/log/plain_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/log/plain_text.hpp"

namespace dfs::log {
namespace {

std::vector<std::uint64_t> marked(void (*mark)(std::string_view, std::uint64_t*),
                                  std::string_view text) {
  std::vector<std::uint64_t> words(text.size() / plain_map::kBlockBytes + 1);
  mark(text, words.data());
  return words;
}

TEST(PlainMap, a_bit_for_each_byte_that_is_not_plain_and_behind_the_end) {
  for (std::size_t size = 0; size < 200; ++size) {
    for (std::size_t at = 0; at <= size; ++at) {
      for (const int byte : {0, 0x1F, 0x20, 0x22, 0x23, 0x5B, 0x5C, 0x5D, 0x7F, 0x80, 0xFF}) {
        std::string text(size, 'x');
        if (at < size) text[at] = static_cast<char>(byte);
        const auto words = marked(plain_map::mark, text);
        ASSERT_EQ(words, marked(plain_map::mark_by_bytes, text));
        for (std::size_t i = 0; i < 64 * words.size(); ++i) {
          const bool bit = (words[i / 64] >> (i % 64) & 1U) != 0;
          ASSERT_EQ(bit, i >= size || !is_plain(text[i])) << i << " of " << size;
        }
      }
    }
  }
}

TEST(PlainMap, the_next_one_from_everywhere_in_texts_of_several_pieces) {
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 1215U, 1216U, 1217U, 1280U, 5000U}) {
    for (const std::size_t every : {1U, 7U, 64U, 1000U, 1216U, 4000U}) {
      std::string text(size, 'x');
      for (std::size_t at = every - 1; at < size; at += every) text[at] = '"';
      for (std::size_t step = 1; step < 3000; step = 3 * step + 1) {
        PlainMap::Words words;
        PlainMap map(text, words);
        for (std::size_t from = 0; from <= size;) {
          const std::size_t found = map.next(from);
          ASSERT_EQ(found, find_not_plain(text, from)) << from << " of " << size;
          from = std::max(found, from + step);
          if (found == size) break;
        }
      }
    }
  }
}

}  // namespace
}  // namespace dfs::log
