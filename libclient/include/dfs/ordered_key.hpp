// Integers as texts whose byte order is the order of the numbers: for keys that are walked in
// order.
#pragma once

#include <dfs/export.hpp>
#include <dfs/result.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace DFS_API dfs {

/// The integers that may be keys; characters and bool are none.
template <class T>
concept KeyInteger = std::integral<T> && sizeof(T) <= 8 && !std::same_as<T, bool> &&
                     !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
                     !std::same_as<T, char8_t> && !std::same_as<T, char16_t> &&
                     !std::same_as<T, char32_t>;

/// A number of 64 bits and its sign, as a key holds it.
struct OrderedNumber {
  bool negative = false;
  std::uint64_t magnitude = 0;
};
[[nodiscard]] std::string ordered_text(OrderedNumber number);
/// bad_argument where `text` is no ordered key as a whole.
[[nodiscard]] Result<OrderedNumber> parse_ordered_text(std::string_view text);

/// A text that sorts, by bytes, as the number does: `ordered_key(9) < ordered_key(10)`. A letter
/// that says how many digits follow (a: 1, b: 2, ... t: 20), then the digits: 0 is "a0", 42 is
/// "b42", 1000 is "d1000". A negative number has a capital letter instead (Z: 1, Y: 2, ... H: 19),
/// and each digit d as 9 - d: -1 is "Z8", -42 is "Y57". One number has one text, whatever its type,
/// so signed and unsigned sort together; texts are prefix-free, so that what is put behind one
/// ("b42/photo") sorts within its number.
template <KeyInteger N>
[[nodiscard]] std::string ordered_key(N number) {
  if (std::cmp_less(number, 0)) {
    return ordered_text({true, std::uint64_t{0} - static_cast<std::uint64_t>(number)});
  }
  return ordered_text({false, static_cast<std::uint64_t>(number)});
}

/// The number that `ordered_key` made `text` of; bad_argument for any other text, and for a number
/// that N does not hold.
template <KeyInteger N>
[[nodiscard]] Result<N> number_of(std::string_view text) {
  const auto parsed = parse_ordered_text(text);
  if (!parsed) return parsed.error();
  // Two's complement: back the way it came, and the same number again if N holds it.
  const std::uint64_t bits =
      parsed->negative ? std::uint64_t{0} - parsed->magnitude : parsed->magnitude;
  const auto number = static_cast<N>(bits);
  if (std::cmp_less(number, 0) != parsed->negative || ordered_key(number) != text) {
    return Error(errc::bad_argument, "the number of the key does not fit the type asked for");
  }
  return number;
}

}  // namespace dfs
