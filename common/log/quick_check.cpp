#include "common/log/quick_check.hpp"

#include <cstddef>

#include "common/log/key.hpp"
#include "common/log/plain_text.hpp"

namespace dfs::log {

namespace {

// A bit for each level; values that are nested deeper are rare.
constexpr unsigned kMostLevels = 32;

class Walk {
 public:
  explicit Walk(std::string_view value)
      : all_(value), at_(value.data()), end_(at_ + value.size()) {}

  // Takes the whole document; false where it cannot say.
  bool document() {
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

  void white_space() {
    if (at_ == end_ || *at_ > ' ') return;
    for (; at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r'); ++at_) {
      spaced_ = true;
    }
  }

  // Commas and closing brackets up to the next value; `more` is false at the document's end.
  bool behind_value(bool& more) {
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
  bool name() {
    if (at_ == end_ || *at_ != '"') return false;
    ++at_;
    if (!text()) return false;
    white_space();
    return at_ < end_ && *at_++ == ':';
  }

  bool scalar(char first) {
    switch (first) {
      case '"':
        ++at_;
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

  // Behind the first quote.
  bool text() {
    for (;;) {
      at_ = all_.data() + find_not_plain(all_, static_cast<std::size_t>(at_ - all_.data()));
      if (at_ == end_) return false;
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      if (*at_ == '\\') {
        constexpr std::string_view kEscapes = "\"\\/bfnrt";
        if (end_ - at_ < 2 || kEscapes.find(at_[1]) == std::string_view::npos) return false;
        at_ += 2;
        continue;
      }
      if (static_cast<unsigned char>(*at_) < 0x20) return false;
      const std::size_t bytes = utf8_character_bytes(rest());
      if (bytes == 0) return false;
      at_ += bytes;
    }
  }

  bool digits() {
    const char* const first = at_;
    while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ > first;
  }

  bool number() {
    if (*at_ == '-') ++at_;
    const char* const first = at_;
    if (!digits() || (*first == '0' && at_ - first > 1)) return false;
    if (at_ == end_ || *at_ != '.') return true;
    ++at_;
    return digits();
  }

  const std::string_view all_;
  const char* at_;
  const char* const end_;
  bool spaced_ = false;
  unsigned levels_ = 0;
  std::uint32_t objects_ = 0;  // a bit for each level, the innermost lowest: 1 for an object
};

}  // namespace

QuickCheck quick_check(std::string_view value) {
  Walk walk(value);
  if (!walk.document()) return QuickCheck::unknown;
  return walk.spaced() ? QuickCheck::spaced : QuickCheck::compact;
}

}  // namespace dfs::log
