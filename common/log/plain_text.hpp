// Sixteen bytes at a time over text: the one place where common/log looks at vectors for it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace dfs::log {

/// Plain is a byte that means itself in JSON and is a character by itself: ASCII but for controls,
/// quote and backslash.
[[nodiscard]] constexpr bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

#if defined(__SSE2__)
/// A bit for each of the sixteen bytes from `at` on that is not plain.
[[nodiscard]] inline std::uint32_t not_plain(const char* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  // Signed: what is not ASCII is below the space too.
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return static_cast<std::uint32_t>(
      _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash))));
}
#endif

/// The first byte of `text` at or behind `from` that is not plain, or its size.
[[nodiscard]] inline std::size_t find_not_plain(std::string_view text, std::size_t from) {
  std::size_t at = from;
#if defined(__SSE2__)
  constexpr std::size_t kAtOnce = sizeof(__m128i);
  for (; text.size() - at >= kAtOnce; at += kAtOnce) {
    if (const std::uint32_t others = not_plain(text.data() + at); others != 0) {
      return at + static_cast<std::size_t>(std::countr_zero(others));
    }
  }
  if (text.size() >= kAtOnce) {
    // The last sixteen once more, without those that were seen.
    const std::size_t left = text.size() - at;
    const std::uint32_t others = not_plain(text.data() + text.size() - kAtOnce) >> (kAtOnce - left);
    return others != 0 ? at + static_cast<std::size_t>(std::countr_zero(others)) : text.size();
  }
#endif
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

/// How many bytes `text` begins with that are plain.
[[nodiscard]] inline std::size_t plain_prefix(std::string_view text) {
  return find_not_plain(text, 0);
}

[[nodiscard]] inline bool all_plain(std::string_view text) {
  return plain_prefix(text) == text.size();
}

}  // namespace dfs::log
