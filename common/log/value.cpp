#include "common/log/value.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <cstring>
#include <optional>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "common/base/limits.hpp"
#include "common/log/quick_check.hpp"

namespace dfs::log {

namespace {

namespace json = boost::json;

// Values longer than this are parsed a slice at a time: the parser's look-ahead stays in the cache.
constexpr std::size_t kSliceBytes = std::size_t{64} << 10;

// Takes every event and keeps nothing: what is left of the parser is the grammar.
struct NothingKept {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  using Code = json::error_code;
  using Text = json::string_view;
  static bool on_document_begin(Code&) { return true; }
  static bool on_document_end(Code&) { return true; }
  static bool on_object_begin(Code&) { return true; }
  static bool on_object_end(std::size_t, Code&) { return true; }
  static bool on_array_begin(Code&) { return true; }
  static bool on_array_end(std::size_t, Code&) { return true; }
  static bool on_key_part(Text, std::size_t, Code&) { return true; }
  static bool on_key(Text, std::size_t, Code&) { return true; }
  static bool on_string_part(Text, std::size_t, Code&) { return true; }
  static bool on_string(Text, std::size_t, Code&) { return true; }
  static bool on_number_part(Text, Code&) { return true; }
  static bool on_int64(std::int64_t, Text, Code&) { return true; }
  static bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  static bool on_double(double, Text, Code&) { return true; }
  static bool on_bool(bool, Code&) { return true; }
  static bool on_null(Code&) { return true; }
  static bool on_comment_part(Text, Code&) { return true; }
  static bool on_comment(Text, Code&) { return true; }
};

json::parse_options options() {
  json::parse_options result;
  result.max_depth = kMaxValueDepth;
  return result;
}

std::string what_is_wrong(json::error_code code, bool nothing_there) {
  if (nothing_there) return "nothing stands there; a value is one JSON document";
  if (code == json::error::incomplete) return "it ends too early";
  if (code == json::error::extra_data) return "something stands behind the end of the document";
  if (code == json::error::exponent_overflow) {
    return "the exponent is outside of what 32 bits hold";
  }
  if (code == json::error::syntax) return "this cannot stand here";
  return code.message();
}

}  // namespace

class ValueChecker::Parser {
 public:
  Parser() : parser_(options()) {}

  void begin() {
    parser_.reset();
    taken_ = 0;
    column_ = 0;
    something_there_ = false;
    failed_.reset();
  }

  // One piece of the document; `more` says whether another may follow.
  Result<void> take(std::string_view piece, bool more) {
    if (failed_) return *failed_;
    if (piece.size() > kMaxValueBytes - taken_) return failed_.emplace(too_large());
    json::error_code code;
    const std::size_t consumed = parser_.write_some(more, piece.data(), piece.size(), code);
    if (!code && consumed < piece.size()) code = json::error::extra_data;
    if (code) [[unlikely]] {
      return failed_.emplace(refusal(code, piece, consumed));
    }
    taken_ += piece.size();
    if (more) count(piece);
    return {};
  }

 private:
  static Error too_large() {
    return Error(errc::too_large, "the value has more than " + std::to_string(kMaxValueBytes) +
                                      " bytes, which is the limit")
        .with_limit(kMaxValueBytes);
  }

  // Columns count characters, not bytes: what a person counts.
  void count(std::string_view piece) {
    for (const char byte : piece) {
      column_ += (static_cast<unsigned char>(byte) & 0xC0) != 0x80 ? 1U : 0U;
      something_there_ = something_there_ || static_cast<unsigned char>(byte) > ' ';
    }
  }

  Error refusal(json::error_code code, std::string_view piece, std::size_t consumed) {
    count(piece.substr(0, consumed));
    if (code == json::error::too_deep) {
      return Error(errc::too_large, "the value is more than " + std::to_string(kMaxValueDepth) +
                                        " arrays and objects deep (column " +
                                        std::to_string(column_ + 1) + ")")
          .with_limit(kMaxValueDepth)
          .with_place(0, taken_ + consumed);
    }
    // At an early end the column is the one behind the last character.
    const bool nothing_there = code == json::error::incomplete && !something_there_;
    std::string text = "not JSON (column " + std::to_string(column_ + 1) +
                       "): " + what_is_wrong(code, nothing_there);
    return Error(errc::bad_value, std::move(text)).with_place(0, taken_ + consumed);
  }

  json::basic_parser<NothingKept> parser_;
  std::size_t taken_ = 0;
  std::size_t column_ = 0;
  bool something_there_ = false;
  std::optional<Error> failed_;
};

ValueChecker::ValueChecker() : parser_(std::make_unique<Parser>()) {}
ValueChecker::~ValueChecker() = default;

Result<std::string_view> ValueChecker::compact(std::string_view value, std::string& scratch) {
  if (value.size() <= kMaxValueBytes) {
    const QuickCheck quick = quick_check(value);
    if (quick == QuickCheck::compact) return value;
    if (quick == QuickCheck::spaced) return strip_white_space(value, scratch);
  }
  parser_->begin();
  std::string_view rest = value;
  while (rest.size() > kSliceBytes) {
    if (auto taken = parser_->take(rest.substr(0, kSliceBytes), true); !taken) {
      return taken.error();
    }
    rest.remove_prefix(kSliceBytes);
  }
  if (auto taken = parser_->take(rest, false); !taken) return taken.error();
  return strip_white_space(value, scratch);
}

void ValueChecker::begin() { parser_->begin(); }
Result<void> ValueChecker::more(std::string_view piece) { return parser_->take(piece, true); }
Result<void> ValueChecker::finish() { return parser_->take({}, false); }

namespace {

constexpr std::size_t kBlockBytes = 64;

// One bit for each byte of a block of 64.
struct BlockBits {
  std::uint64_t quotes = 0;
  std::uint64_t backslashes = 0;
  std::uint64_t spaces = 0;  // at or below a space: white space, or a space inside a text
};

#if defined(__SSE2__)
BlockBits bits_of(const char* block) {
  BlockBits bits;
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i space = _mm_set1_epi8(' ');
  for (std::size_t i = 0; i < kBlockBytes; i += sizeof(__m128i)) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + i));
    const auto mask = [i](__m128i equal) {
      return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(equal))) << i;
    };
    bits.quotes |= mask(_mm_cmpeq_epi8(bytes, quote));
    bits.backslashes |= mask(_mm_cmpeq_epi8(bytes, backslash));
    bits.spaces |= mask(_mm_cmpeq_epi8(_mm_min_epu8(bytes, space), bytes));
  }
  return bits;
}
#else
BlockBits bits_of(const char* block) {
  BlockBits bits;
  for (std::size_t i = 0; i < kBlockBytes; ++i) {
    bits.quotes |= std::uint64_t{block[i] == '"'} << i;
    bits.backslashes |= std::uint64_t{block[i] == '\\'} << i;
    bits.spaces |= std::uint64_t{static_cast<unsigned char>(block[i]) <= ' '} << i;
  }
  return bits;
}
#endif

// Goes over valid JSON block by block and tells white space between tokens from spaces in texts.
class WhiteSpace {
 public:
  // The bits of a block's white space. Requires: called for each block, in order.
  std::uint64_t next(const char* block) {
    BlockBits bits = bits_of(block);
    if (escaped_) clear_first(bits);
    escaped_ = false;
    // A backslash takes away what the byte behind it means.
    while (bits.backslashes != 0) {
      const int at = std::countr_zero(bits.backslashes);
      escaped_ = at == kBlockBytes - 1;
      const std::uint64_t both = std::uint64_t{3} << at;
      bits.backslashes &= ~both;
      bits.quotes &= ~both;
    }
    // Bit i of `inside`: an odd number of quotes stands at or before byte i.
    std::uint64_t inside = bits.quotes;
    for (unsigned shift = 1; shift < kBlockBytes; shift *= 2) inside ^= inside << shift;
    inside ^= in_text_;
    in_text_ = (inside >> (kBlockBytes - 1)) != 0 ? ~std::uint64_t{0} : 0;
    return bits.spaces & ~inside;
  }

 private:
  static void clear_first(BlockBits& bits) {
    bits.quotes &= ~std::uint64_t{1};
    bits.backslashes &= ~std::uint64_t{1};
  }

  std::uint64_t in_text_ = 0;  // all bits: the block before ended inside a text
  bool escaped_ = false;       // the block before ended with a backslash that counts
};

// Appends the bytes of a block, `size` of it, whose bit in `spaces` is not set.
void append_without(std::string& out, std::string_view block, std::uint64_t spaces) {
  std::size_t at = 0;
  while (at < block.size()) {
    const std::uint64_t left = spaces >> at;
    const auto run = std::min<std::size_t>(std::countr_zero(left), block.size() - at);
    out.append(block, at, run);
    at += run;
    if (at < block.size()) at += std::countr_one(spaces >> at);
  }
}

}  // namespace

std::string_view strip_white_space(std::string_view value, std::string& scratch) {
  WhiteSpace white_space;
  bool copying = false;
  for (std::size_t at = 0; at < value.size(); at += kBlockBytes) {
    const std::string_view block = value.substr(at, kBlockBytes);
    std::array<char, kBlockBytes> last;  // NOLINT(*-member-init): filled where it is used
    const char* bytes = block.data();
    if (block.size() < kBlockBytes) {
      last.fill('0');
      std::memcpy(last.data(), block.data(), block.size());
      bytes = last.data();
    }
    const std::uint64_t spaces = white_space.next(bytes);
    if (spaces != 0 && !copying) {
      copying = true;
      scratch.clear();
      scratch.reserve(value.size());
      scratch.append(value, 0, at);
    }
    if (copying) append_without(scratch, block, spaces);
  }
  return copying ? std::string_view(scratch) : value;
}

}  // namespace dfs::log
