#include "common/log/seal.hpp"

#include <bit>
#include <cstring>

#include "common/log/crc32c.hpp"

namespace dfs::log {

namespace {

// Each half byte of the checksum in a byte of its own, the first digit lowest in memory.
std::uint64_t spread(std::uint32_t crc) {
  std::uint64_t bytes = __builtin_bswap32(crc);
  bytes = (bytes | bytes << 16U) & 0x0000FFFF0000FFFF;
  bytes = (bytes | bytes << 8U) & 0x00FF00FF00FF00FF;
  // The higher half of a byte is the digit that stands first.
  return (bytes >> 4U & 0x000F000F000F000F) | (bytes & 0x000F000F000F000F) << 8U;
}

constexpr std::uint64_t kInEachByte = 0x0101010101010101;

void write_digits(std::uint32_t crc, char* to) {
  const std::uint64_t halves = spread(crc);
  // A bit in each byte whose digit is a letter: 10 + 6 carries into the fifth.
  const std::uint64_t letters = (halves + 6 * kInEachByte) >> 4U & kInEachByte;
  std::uint64_t digits = halves + '0' * kInEachByte + letters * ('a' - '9' - 1);
  if constexpr (std::endian::native == std::endian::big) digits = __builtin_bswap64(digits);
  std::memcpy(to, &digits, sizeof digits);
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

char* put_seal(const char* line, char* to, std::string_view brackets) {
  const std::uint32_t crc = crc32c(0, {line, static_cast<std::size_t>(to - line)});
  std::memcpy(to, kSealStart.data(), kSealStart.size());
  to += kSealStart.size();
  write_digits(crc, to);
  to += kSealDigits;
  *to++ = '"';
  for (const char bracket : brackets) *to++ = bracket;
  *to++ = '\n';
  return to;
}

void append_seal(std::string& out, std::size_t line_start, std::string_view brackets) {
  const std::size_t end = out.size();
  out.resize(end + kSealBytes + brackets.size() + 1);
  put_seal(out.data() + line_start, out.data() + end, brackets);
}

}  // namespace dfs::log
