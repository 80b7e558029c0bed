#include "common/log/value.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <cstring>
#include <optional>

#include "common/base/limits.hpp"

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
  if (code == json::error::too_deep) {
    return "it is more than " + std::to_string(kMaxValueDepth) + " arrays and objects deep";
  }
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

constexpr std::uint64_t repeated(unsigned char byte) { return 0x0101010101010101 * byte; }

// Valid JSON has no byte at or below a space but white space between tokens, and spaces in texts.
// The high bit of each byte that is below `limit` (at most 128) is set in the result; a byte above
// such a one may be set as well, one below never.
constexpr std::uint64_t bytes_below(std::uint64_t word, unsigned char limit) {
  return (word - repeated(limit)) & ~word & repeated(0x80);
}
constexpr std::uint64_t bytes_equal(std::uint64_t word, unsigned char byte) {
  return bytes_below(word ^ repeated(byte), 1);
}

std::uint64_t load(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The end of the text that begins at `at` with its quote: behind the closing one.
const char* text_end(const char* at, const char* end) {
  ++at;
  while (at < end) {
    if (end - at >= 8) {
      const std::uint64_t word = load(at);
      if ((bytes_equal(word, '"') | bytes_equal(word, '\\')) == 0) {
        at += 8;
        continue;
      }
    }
    if (*at == '"') return at + 1;
    at += *at == '\\' ? 2 : 1;
  }
  return end;
}

// The first white space between tokens, or the end.
const char* next_white_space(const char* at, const char* end) {
  while (at < end) {
    if (*at == '"') {
      at = text_end(at, end);
    } else if (static_cast<unsigned char>(*at) <= ' ') {
      return at;
    } else {
      ++at;
    }
  }
  return end;
}

bool has_byte_up_to_space(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (; end - at >= 8; at += 8) {
    if (bytes_below(load(at), ' ' + 1) != 0) return true;
  }
  for (; at < end; ++at) {
    if (static_cast<unsigned char>(*at) <= ' ') return true;
  }
  return false;
}

}  // namespace

std::string_view strip_white_space(std::string_view value, std::string& scratch) {
  if (!has_byte_up_to_space(value)) return value;
  const char* at = value.data();
  const char* const end = at + value.size();
  const char* space = next_white_space(at, end);
  if (space == end) return value;
  scratch.clear();
  scratch.reserve(value.size());
  while (at < end) {
    scratch.append(at, space);
    at = space;
    while (at < end && static_cast<unsigned char>(*at) <= ' ') ++at;
    space = next_white_space(at, end);
  }
  return scratch;
}

}  // namespace dfs::log
