// JSON as nearly all of it is: checked in one pass without a parser's state.
#pragma once

#include <cstdint>
#include <string_view>

namespace dfs::log {

enum class QuickCheck : std::uint8_t {
  compact,  ///< One JSON document, without white space between its tokens.
  spaced,   ///< One JSON document, with white space somewhere between or around its tokens.
  unknown,  ///< Perhaps one: a thorough parser has to say, and what is the matter if it is none.
};

/// Knows objects and arrays some levels deep, texts without \u, numbers without exponent.
[[nodiscard]] QuickCheck quick_check(std::string_view value);

}  // namespace dfs::log
