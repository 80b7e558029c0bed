#include "common/log/key.hpp"

#include <cstdint>
#include <cstring>
#include <string>

#include "common/base/limits.hpp"
#include "common/log/plain_text.hpp"

namespace dfs::log {

namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

constexpr bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

}  // namespace

// The second byte's range depends on the first (no overlong forms, no surrogates, nothing above
// U+10FFFF); the others' do not.
std::size_t utf8_character_bytes(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead < 0xC2   ? 0
                           : lead < 0xE0 ? 2
                           : lead < 0xF0 ? 3
                           : lead < 0xF5 ? 4
                                         : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(byte(i))) return 0;
  }
  const unsigned char second = byte(1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return size;
}

std::optional<std::size_t> first_bad_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, sizeof word);
      if ((word & kHighBits) == 0) {
        at += sizeof word;
        continue;
      }
    }
    const std::size_t bytes = utf8_character_bytes(text.substr(at));
    if (bytes == 0) return at;
    at += bytes;
  }
  return std::nullopt;
}

Result<void> check_key(std::string_view key) {
  if (key.empty()) return Error(errc::bad_key, "the key is empty; a key has at least one byte");
  if (key.size() > kMaxKeyBytes) {
    return Error(errc::too_large, "the key has " + std::to_string(key.size()) +
                                      " bytes; a key may have " + std::to_string(kMaxKeyBytes))
        .with_limit(kMaxKeyBytes);
  }
  if (all_plain(key)) return {};
  if (const std::size_t nul = key.find('\0'); nul != std::string_view::npos) {
    return Error(errc::bad_key, "the key has a NUL at byte " + std::to_string(nul + 1) +
                                    "; a key may have any character but that")
        .with_place(0, nul);
  }
  if (const auto bad = first_bad_utf8(key)) {
    return Error(errc::bad_key, "the key is not UTF-8 at byte " + std::to_string(*bad + 1) +
                                    "; keys are text in UTF-8")
        .with_place(0, *bad);
  }
  return {};
}

}  // namespace dfs::log
