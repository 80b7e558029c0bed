#include "common/os/random.hpp"

#include <sys/random.h>

#include <array>
#include <bit>

#include "common/base/assert.hpp"

namespace dfs::os {

void random_bytes(std::span<std::byte> out) noexcept {
  while (!out.empty()) {
    const ssize_t n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0) continue;  // EINTR before the generator was ready
    DFS_ASSERT(n > 0, "getrandom gives at least a byte");
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

std::uint64_t random_number() noexcept {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  random_bytes(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

std::string random_hex(std::size_t bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";  // NOLINT(modernize-avoid-c-arrays)
  std::string raw(bytes, '\0');
  random_bytes(std::as_writable_bytes(std::span(raw.data(), raw.size())));
  std::string out;
  out.reserve(bytes * 2);
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

}  // namespace dfs::os
