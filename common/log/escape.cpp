#include "common/log/escape.hpp"

#include <cstring>

#include "common/log/plain_text.hpp"

namespace dfs::log {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

char* escape(char c, char* to) {
  constexpr std::string_view kShort = "\b\t\n\f\r\"\\";
  constexpr std::string_view kShortNames = "btnfr\"\\";
  *to++ = '\\';
  if (const std::size_t i = kShort.find(c); i != std::string_view::npos) {
    *to++ = kShortNames[i];
    return to;
  }
  const auto byte = static_cast<unsigned char>(c);
  for (const char part : {'u', '0', '0', kHexDigits[byte >> 4U], kHexDigits[byte & 0xFU]}) {
    *to++ = part;
  }
  return to;
}

}  // namespace

std::size_t escape_bytes(std::string_view text) {
  std::size_t bytes = 0;
  for (std::size_t at = plain_prefix(text); at < text.size(); ++at) {
    bytes += needs_escape(text[at]) ? kMostEscapeBytes - 1 : 0;
  }
  return bytes;
}

char* escape(std::string_view text, char* to) {
  const std::size_t plain = plain_prefix(text);
  if (plain > 0) std::memcpy(to, text.data(), plain);
  to += plain;
  for (const char c : text.substr(plain)) {
    if (needs_escape(c)) {
      to = escape(c, to);
    } else {
      *to++ = c;
    }
  }
  return to;
}

}  // namespace dfs::log
