#include "common/log/seal.hpp"

#include <array>

#include "common/log/crc32c.hpp"

namespace dfs::log {

namespace {

void write_digits(std::uint32_t crc, char* to) {
  for (std::size_t i = 0; i < kSealDigits; ++i) {
    to[i] = "0123456789abcdef"[(crc >> (28 - 4 * i)) & 0xF];
  }
}

}  // namespace

std::optional<Seal> find_seal(std::string_view text) {
  const std::string_view brackets = text.starts_with('[') ? "}]" : "}";
  if (text.size() < kSealBytes + brackets.size() || !text.ends_with(brackets)) return std::nullopt;
  const std::size_t at = text.size() - kSealBytes - brackets.size();
  const std::string_view seal = text.substr(at, kSealBytes);
  if (!seal.starts_with(kSealStart) || !seal.ends_with('"')) return std::nullopt;
  Seal found{.sealed = text.substr(0, at), .crc = 0};
  for (const char c : seal.substr(kSealStart.size(), kSealDigits)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) return std::nullopt;
    found.crc = found.crc << 4 | static_cast<std::uint32_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return found;
}

std::string seal_digits(std::uint32_t crc) {
  std::string digits(kSealDigits, '0');
  write_digits(crc, digits.data());
  return digits;
}

void append_seal(std::string& out, std::size_t line_start, std::string_view brackets) {
  const std::uint32_t crc = crc32c(0, std::string_view(out).substr(line_start));
  std::array<char, kSealBytes> seal{};
  kSealStart.copy(seal.data(), kSealStart.size());
  write_digits(crc, seal.data() + kSealStart.size());
  seal.back() = '"';
  out.append(seal.data(), seal.size());
  out.append(brackets);
  out += '\n';
}

}  // namespace dfs::log
