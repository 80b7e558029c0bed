#include "common/log/crc32c.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace dfs::log {

namespace {

// The polynomial of Castagnoli, bits reversed.
constexpr std::uint32_t kPolynomial = 0x82F63B78;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = make_table();

#if defined(__x86_64__)
// The instruction takes eight bytes and three cycles, and one in each cycle may begin: three
// stretches side by side take the time of one. Long ones and then shorter ones.
constexpr std::size_t kStretches[] = {512, 64};

// x to the power of `exponent`, modulo the polynomial; bits reversed.
constexpr std::uint32_t power_of_x(std::size_t exponent) {
  std::uint32_t power = std::uint32_t{1} << 31;
  for (; exponent > 0; --exponent) power = (power >> 1) ^ ((power & 1) != 0 ? kPolynomial : 0);
  return power;
}

// The state behind so many zero bytes. The product with a power of x, of which the instruction
// takes the remainder; 33 less, since that multiplies by 32 more and reversed products lack one.
template <std::size_t Bytes>
__attribute__((target("sse4.2,pclmul"))) inline std::uint64_t behind_zeros(std::uint64_t state) {
  constexpr std::uint32_t kFactor = power_of_x(8 * Bytes - 33);
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<std::int64_t>(state)),
                                               _mm_cvtsi32_si128(static_cast<int>(kFactor)), 0);
  return _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(product)));
}

std::uint64_t word_at(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Takes as many threes of stretches as there are.
template <std::size_t Stretch>
__attribute__((target("sse4.2,pclmul"))) inline std::uint64_t by_threes(std::uint64_t state,
                                                                        std::string_view& bytes) {
  for (; bytes.size() >= 3 * Stretch; bytes.remove_prefix(3 * Stretch)) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    const char* at = bytes.data();
    for (std::size_t i = 0; i < Stretch; i += sizeof(std::uint64_t)) {
      state = _mm_crc32_u64(state, word_at(at + i));
      second = _mm_crc32_u64(second, word_at(at + Stretch + i));
      third = _mm_crc32_u64(third, word_at(at + 2 * Stretch + i));
    }
    state = behind_zeros<2 * Stretch>(state) ^ behind_zeros<Stretch>(second) ^ third;
  }
  return state;
}

__attribute__((target("sse4.2,pclmul"))) std::uint32_t crc32c_by_instruction(
    std::uint32_t crc, std::string_view bytes) {
  std::uint64_t state = static_cast<std::uint32_t>(~crc);
  state = by_threes<kStretches[0]>(state, bytes);
  state = by_threes<kStretches[1]>(state, bytes);
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= sizeof(std::uint64_t); left -= sizeof(std::uint64_t)) {
    state = _mm_crc32_u64(state, word_at(at));
    at += sizeof(std::uint64_t);
  }
  auto state32 = static_cast<std::uint32_t>(state);
  for (; left > 0; --left) state32 = _mm_crc32_u8(state32, static_cast<unsigned char>(*at++));
  return ~state32;
}

bool has_instructions() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("pclmul") != 0;
}

// Constant after it is initialised; false before, and then the table gives the same result.
const bool kHasInstructions = has_instructions();
#endif

}  // namespace

std::uint32_t crc32c_by_table(std::uint32_t crc, std::string_view bytes) {
  std::uint32_t state = ~crc;
  for (const char byte : bytes) {
    state = kTable[(state ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (state >> 8);
  }
  return ~state;
}

std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes) {
#if defined(__x86_64__)
  if (kHasInstructions) return crc32c_by_instruction(crc, bytes);
#endif
  return crc32c_by_table(crc, bytes);
}

bool crc32c_is_accelerated() {
#if defined(__x86_64__)
  return kHasInstructions;
#else
  return false;
#endif
}

}  // namespace dfs::log
