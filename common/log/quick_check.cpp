#include "common/log/quick_check.hpp"

#include <cstddef>

#include "common/log/key.hpp"
#include "common/log/plain_map.hpp"

namespace dfs::log {

namespace {

// A bit for each level; values that are nested deeper are rare.
constexpr unsigned kMostLevels = 32;

// What one of the rarer characters inside a text takes: an escape, or one that is not ASCII. 0
// where this cannot say. Requires: `rest` is not empty.
std::size_t rare_character_bytes(std::string_view rest) {
  if (rest.front() == '\\') {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    return rest.size() < 2 || kEscapes.find(rest[1]) == std::string_view::npos ? 0 : 2;
  }
  return static_cast<unsigned char>(rest.front()) < 0x20 ? 0 : utf8_character_bytes(rest);
}

// All in one function, and its members in registers: half of the instructions (measured).
class Walk {
 public:
  Walk(std::string_view value, PlainMap::Words& words)
      : map_(value, words), data_(value.data()), at_(value.data()), end_(at_ + value.size()) {}

  // Takes the whole document; false where it cannot say.
  [[gnu::always_inline]] bool document() {
    for (;;) {
      white_space();
      if (at_ == end_) return false;
      const char c = *at_;
      if (c == '{' || c == '[') {
        ++at_;
        white_space();
        if (at_ == end_) return false;
        if (*at_ != closing(c == '{')) {
          if (levels_ == kMostLevels) return false;
          ++levels_;
          objects_ = objects_ << 1U | (c == '{' ? 1U : 0U);
          if (c == '{' && !name()) return false;
          continue;
        }
        ++at_;
      } else if (!scalar(c)) {
        return false;
      }
      bool more = false;
      if (!behind_value(more)) return false;
      if (!more) return true;
    }
  }

  [[nodiscard]] bool spaced() const { return spaced_; }

 private:
  static char closing(bool object) { return object ? '}' : ']'; }
  [[nodiscard]] bool in_object() const { return (objects_ & 1U) != 0; }
  [[nodiscard]] std::string_view rest() const {
    return {at_, static_cast<std::size_t>(end_ - at_)};
  }

  [[gnu::always_inline]] void white_space() {
    if (at_ == end_ || *at_ > ' ') return;
    for (; at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r'); ++at_) {
      spaced_ = true;
    }
  }

  // Commas and closing brackets up to the next value; `more` is false at the document's end.
  [[gnu::always_inline]] bool behind_value(bool& more) {
    for (;;) {
      white_space();
      if (levels_ == 0) return at_ == end_;
      if (at_ == end_) return false;
      const char c = *at_++;
      if (c == ',') {
        more = true;
        if (!in_object()) return true;
        white_space();
        return name();
      }
      if (c != closing(in_object())) return false;
      objects_ >>= 1U;
      --levels_;
    }
  }

  // A member's name and its colon.
  [[gnu::always_inline]] bool name() {
    if (at_ == end_ || *at_ != '"' || !text()) return false;
    white_space();
    return at_ < end_ && *at_++ == ':';
  }

  [[gnu::always_inline]] bool scalar(char first) {
    switch (first) {
      case '"':
        return text();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool word(std::string_view word) {
    if (!rest().starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  // From its first quote on.
  [[gnu::always_inline]] bool text() {
    ++at_;
    for (;;) {
      at_ = data_ + map_.next(static_cast<std::size_t>(at_ - data_));
      if (at_ == end_) return false;
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      const std::size_t bytes = rare_character_bytes(rest());
      if (bytes == 0) return false;
      at_ += bytes;
    }
  }

  [[gnu::always_inline]] bool digits() {
    const char* const first = at_;
    while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ > first;
  }

  [[gnu::always_inline]] bool number() {
    if (*at_ == '-') ++at_;
    const char* const first = at_;
    if (!digits() || (*first == '0' && at_ - first > 1)) return false;
    if (at_ == end_ || *at_ != '.') return true;
    ++at_;
    return digits();
  }

  PlainMap map_;
  const char* const data_;
  const char* at_;
  const char* const end_;
  bool spaced_ = false;
  unsigned levels_ = 0;
  std::uint32_t objects_ = 0;  // a bit for each level, the innermost lowest: 1 for an object
};

}  // namespace

QuickCheck quick_check(std::string_view value) {
  PlainMap::Words words;  // NOLINT(*-member-init): of what was looked at
  Walk walk(value, words);
  if (!walk.document()) return QuickCheck::unknown;
  return walk.spaced() ? QuickCheck::spaced : QuickCheck::compact;
}

}  // namespace dfs::log
