#include "common/log/plain_map.hpp"

#include <array>
#include <cstring>

#include "common/log/plain_text.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace dfs::log {

namespace plain_map {

namespace {

// Marks so many whole blocks.
using MarkBlocks = void (*)(const char* at, std::size_t blocks, std::uint64_t* words);

void mark_text(std::string_view text, std::uint64_t* words, MarkBlocks mark_blocks) {
  const std::size_t blocks = text.size() / kBlockBytes;
  const std::size_t size = text.size() % kBlockBytes;  // of the last one
  mark_blocks(text.data(), blocks, words);
  words[blocks] = 0;
  if (size != 0 && blocks != 0) {
    // The last bytes of the text, some of them once more: no copy.
    mark_blocks(text.data() + text.size() - kBlockBytes, 1, &words[blocks]);
    words[blocks] >>= kBlockBytes - size;
  } else if (size != 0) {
    std::array<char, kBlockBytes> block{};
    std::memcpy(block.data(), text.data(), size);
    mark_blocks(block.data(), 1, &words[blocks]);
  }
  words[blocks] |= ~std::uint64_t{0} << size;
}

void mark_blocks_by_bytes(const char* at, std::size_t blocks, std::uint64_t* words) {
  for (std::size_t b = 0; b < blocks; ++b, at += kBlockBytes) {
    std::uint64_t word = 0;
#if defined(__SSE2__)
    for (std::size_t i = 0; i < kBlockBytes; i += sizeof(__m128i)) {
      word |= std::uint64_t{not_plain(at + i)} << i;
    }
#else
    for (std::size_t i = 0; i < kBlockBytes; ++i) word |= std::uint64_t{!is_plain(at[i])} << i;
#endif
    words[b] = word;
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void mark_blocks_by_32(const char* at, std::size_t blocks,
                                                       std::uint64_t* words) {
  const __m256i space = _mm256_set1_epi8(' ');
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i backslash = _mm256_set1_epi8('\\');
  for (std::size_t b = 0; b < blocks; ++b) {
    std::uint64_t word = 0;
    for (unsigned i = 0; i < kBlockBytes; i += sizeof(__m256i), at += sizeof(__m256i)) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
      // Signed: what is not ASCII is below the space too.
      const __m256i low = _mm256_cmpgt_epi8(space, bytes);
      const __m256i special =
          _mm256_or_si256(_mm256_cmpeq_epi8(bytes, quote), _mm256_cmpeq_epi8(bytes, backslash));
      const int mask = _mm256_movemask_epi8(_mm256_or_si256(low, special));
      word |= std::uint64_t{static_cast<std::uint32_t>(mask)} << i;
    }
    words[b] = word;
  }
}

bool has_avx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
}

// Constant after it is initialised; false before, and then the other gives the same result.
const bool kHasAvx2 = has_avx2();
#endif

}  // namespace

void mark(std::string_view text, std::uint64_t* words) {
#if defined(__x86_64__)
  if (kHasAvx2) return mark_text(text, words, mark_blocks_by_32);
#endif
  mark_text(text, words, mark_blocks_by_bytes);
}

void mark_by_bytes(std::string_view text, std::uint64_t* words) {
  mark_text(text, words, mark_blocks_by_bytes);
}

}  // namespace plain_map

std::size_t PlainMap::look(std::string_view text, std::size_t from, std::uint64_t* words) {
  const std::string_view piece =
      text.substr(from, (std::tuple_size_v<Words> - 1) * plain_map::kBlockBytes);
  plain_map::mark(piece, words);
  // Behind the end of a piece that is not the last, nothing is known.
  const std::size_t blocks = piece.size() / plain_map::kBlockBytes;
  const bool last = from + piece.size() == text.size();
  return from + (blocks + (last ? 1 : 0)) * plain_map::kBlockBytes;
}

}  // namespace dfs::log
