#include "common/log/scanner.hpp"

#include <charconv>

namespace dfs::log {

namespace {

constexpr bool is_white_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t point) {
  const auto push = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    push(point);
  } else if (point < 0x800) {
    push(0xC0 | (point >> 6));
    push(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    push(0xE0 | (point >> 12));
    push(0x80 | ((point >> 6) & 0x3F));
    push(0x80 | (point & 0x3F));
  } else {
    push(0xF0 | (point >> 18));
    push(0x80 | ((point >> 12) & 0x3F));
    push(0x80 | ((point >> 6) & 0x3F));
    push(0x80 | (point & 0x3F));
  }
}

}  // namespace

bool Scanner::fail_at(std::size_t at, std::string_view reason) {
  failed_at_ = at;
  reason_ = reason;
  return false;
}

bool Scanner::fail(std::string_view reason) { return fail_at(at_, reason); }

void Scanner::skip_white_space() {
  if (form_ == Form::strict) return;
  while (at_ < text_.size() && is_white_space(text_[at_])) ++at_;
}

bool Scanner::take_if(std::string_view token) {
  const std::size_t before = at_;
  skip_white_space();
  if (!text_.substr(at_).starts_with(token)) {
    at_ = before;
    return false;
  }
  at_ += token.size();
  return true;
}

bool Scanner::take(std::string_view token) {
  if (take_if(token)) return true;
  skip_white_space();
  return fail("here should stand " + std::string(token));
}

bool Scanner::name(std::string_view name) {
  return take("\"" + std::string(name) + "\"") && take(":");
}

bool Scanner::member_if(std::string_view name) {
  const std::size_t before = at_;
  if (take_if(",") && take_if("\"" + std::string(name) + "\"") && take_if(":")) return true;
  at_ = before;
  return false;
}

bool Scanner::number(const NumberRule& rule, std::uint64_t& number) {
  skip_white_space();
  const char* const begin = text_.data() + at_;
  const char* const end = text_.data() + text_.size();
  std::uint64_t found = 0;
  const auto [stopped, code] = std::from_chars(begin, end, found);
  const auto digits = static_cast<std::size_t>(stopped - begin);
  const bool fits = code == std::errc() && (digits == 1 || *begin != '0') && found >= rule.least &&
                    found <= rule.most;
  if (!fits) {
    return fail(std::string(rule.name) + " should be a whole number from " +
                std::to_string(rule.least) + " to " + std::to_string(rule.most));
  }
  at_ += digits;
  number = found;
  return true;
}

bool Scanner::integer(std::string_view& digits) {
  skip_white_space();
  std::size_t to = at_;
  if (to < text_.size() && text_[to] == '-') ++to;
  const std::size_t first = to;
  while (to < text_.size() && is_digit(text_[to])) ++to;
  const bool leading_zero = to > first && text_[first] == '0' && (to - first > 1 || first > at_);
  if (to == first || leading_zero) return fail("here should stand a text or a whole number");
  digits = text_.substr(at_, to - at_);
  at_ = to;
  return true;
}

bool Scanner::hex4(std::uint32_t& unit) {
  const std::string_view digits = text_.substr(at_, 4);
  const auto [stopped, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  if (digits.size() < 4 || code != std::errc() || stopped != digits.data() + 4) {
    return fail("here should stand four hex digits");
  }
  at_ += 4;
  return true;
}

// Behind a backslash.
bool Scanner::escape(std::string& scratch) {
  if (at_ == text_.size()) return fail("the text should end with a quote");
  constexpr std::string_view kNames = "btnfr\"\\/";
  constexpr std::string_view kBytes = "\b\t\n\f\r\"\\/";
  const char c = text_[at_++];
  if (const std::size_t i = kNames.find(c); i != std::string_view::npos) {
    scratch += kBytes[i];
    return true;
  }
  if (c != 'u') return fail_at(at_ - 1, "there is no such escape in JSON");
  const std::size_t began = at_;
  std::uint32_t point = 0;
  if (!hex4(point)) return false;
  if (point >= 0xD800 && point < 0xE000) {
    std::uint32_t low = 0;
    const bool paired = point < 0xDC00 && text_.substr(at_).starts_with("\\u");
    if (paired) at_ += 2;
    if (!paired || !hex4(low) || low < 0xDC00 || low > 0xDFFF) {
      return fail_at(began, "half of a surrogate pair is no character");
    }
    point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(scratch, point);
  return true;
}

bool Scanner::text(std::string_view& text, std::string& scratch) {
  if (!take("\"")) return false;
  std::size_t from = at_;
  bool escaped = false;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (static_cast<unsigned char>(c) < 0x20) return fail("a control cannot stand in a text");
    if (c != '"' && c != '\\') {
      ++at_;
      continue;
    }
    if (!escaped && c == '"') {
      text = text_.substr(from, at_ - from);
      ++at_;
      return true;
    }
    if (!escaped) scratch.clear();
    escaped = true;
    scratch.append(text_, from, at_ - from);
    ++at_;
    if (c == '"') {
      text = scratch;
      return true;
    }
    if (!escape(scratch)) return false;
    from = at_;
  }
  return fail("the text should end with a quote");
}

// Behind the text whose first quote stands at `at`, or the size of the line.
std::size_t Scanner::text_extent(std::size_t at) const {
  for (++at; at < text_.size(); ++at) {
    if (text_[at] == '\\') {
      ++at;
    } else if (text_[at] == '"') {
      return at + 1;
    }
  }
  return text_.size();
}

bool Scanner::value(std::string_view& value) {
  skip_white_space();
  const std::size_t began = at_;
  std::size_t depth = 0;
  std::size_t at = at_;
  while (at < text_.size()) {
    const char c = text_[at];
    if (depth == 0 && at > began && (c == ',' || c == '}' || c == ']' || is_white_space(c))) break;
    if (c == '"') {
      at = text_extent(at);
    } else {
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && depth > 0) --depth;
      ++at;
    }
    if (depth == 0 && (c == '"' || c == '}' || c == ']')) break;
  }
  if (at == began || depth > 0) return fail("here should stand a JSON value");
  value = text_.substr(began, at - began);
  at_ = at;
  return true;
}

bool Scanner::end() {
  skip_white_space();
  return at_ == text_.size() || fail("the line should end here");
}

}  // namespace dfs::log
