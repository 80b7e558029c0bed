#include "cli/integer_text.hpp"

#include <algorithm>
#include <compare>

namespace dfs::cli {

namespace {

// By amount; neither has leading zeros.
bool less(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

int digit_from_end(std::string_view digits, std::size_t i) {
  return i < digits.size() ? digits[digits.size() - 1 - i] - '0' : 0;
}

// a + b, or a - b where b is not larger.
std::string combined(std::string_view a, std::string_view b, int sign) {
  std::string out;
  int carry = 0;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()) || carry != 0; ++i) {
    const int sum = digit_from_end(a, i) + sign * digit_from_end(b, i) + carry;
    carry = sum < 0 ? -1 : sum / 10;
    out += static_cast<char>('0' + (sum + 10) % 10);
  }
  while (out.size() > 1 && out.back() == '0') out.pop_back();
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

bool is_integer_text(std::string_view text) noexcept {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos &&
         (text.size() == 1 || text.front() != '0');
}

std::string sum_of(std::string_view a, std::string_view b) {
  const bool a_negative = a.starts_with('-');
  const bool b_negative = b.starts_with('-');
  if (a_negative) a.remove_prefix(1);
  if (b_negative) b.remove_prefix(1);
  const bool swapped = less(a, b);
  const bool negative = swapped ? b_negative : a_negative;
  const std::string amount =
      combined(swapped ? b : a, swapped ? a : b, a_negative == b_negative ? 1 : -1);
  return negative && amount != "0" ? "-" + amount : amount;
}

}  // namespace dfs::cli
