// Whole numbers as their decimal digits, of any length: a counter never loses a digit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dfs::cli {

/// True for a JSON number without fraction and exponent: 0, -7, 12345678901234567890.
[[nodiscard]] bool is_integer_text(std::string_view text) noexcept;

/// The sum of two. Requires: is_integer_text() of both.
[[nodiscard]] std::string sum_of(std::string_view a, std::string_view b);

}  // namespace dfs::cli
