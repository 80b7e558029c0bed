#include <dfs/ordered_key.hpp>

#include <cstddef>

namespace dfs {

namespace {

constexpr std::size_t kMostDigits = 20;  // of 64 bits

Error no_ordered_key(std::string_view text) {
  return Error(errc::bad_argument, "\"" + std::string(text.substr(0, 64)) +
                                       "\" is no ordered key: a letter for the number of digits, "
                                       "then the digits, as in b42");
}

}  // namespace

std::string ordered_text(OrderedNumber number) {
  std::string digits = std::to_string(number.magnitude);
  const auto steps = static_cast<char>(digits.size() - 1);
  if (!number.negative) return static_cast<char>('a' + steps) + digits;
  for (char& digit : digits) digit = static_cast<char>('0' + ('9' - digit));
  return static_cast<char>('Z' - steps) + digits;
}

Result<OrderedNumber> parse_ordered_text(std::string_view text) {
  if (text.size() < 2 || text.size() > 1 + kMostDigits) return no_ordered_key(text);
  OrderedNumber number;
  number.negative = text.front() <= 'Z';
  for (const char digit : text.substr(1)) {
    if (digit < '0' || digit > '9') return no_ordered_key(text);
    const auto value = static_cast<std::uint64_t>(number.negative ? '9' - digit : digit - '0');
    if (number.magnitude > (UINT64_MAX - value) / 10) return no_ordered_key(text);
    number.magnitude = number.magnitude * 10 + value;
  }
  // Leading zeros, a wrong letter, a negative zero: not what is written for that number.
  if (number.negative && number.magnitude == 0) return no_ordered_key(text);
  if (ordered_text(number) != text) return no_ordered_key(text);
  return number;
}

}  // namespace dfs
