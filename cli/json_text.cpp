#include "cli/json_text.hpp"

#include <charconv>
#include <optional>
#include <unordered_set>

#include "common/log/encode.hpp"
#include "common/log/key.hpp"

namespace dfs::cli {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Walks over one document without looking into it further than to find its end.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] std::size_t column() const { return at_ + 1; }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }

  void skip_space() {
    while (!at_end() && is_space(text_[at_])) ++at_;
  }
  // Takes `c`, and the white space around it, if it stands here.
  bool take(char c) {
    skip_space();
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    skip_space();
    return true;
  }
  // The bytes of the value that begins here; empty where none does or it does not end.
  std::string_view value() {
    const std::size_t begin = at_;
    if (at_end()) return {};
    const char first = text_[at_];
    const bool ended = first == '"'                   ? skip_string()
                       : first == '{' || first == '[' ? skip_nested()
                                                      : skip_word();
    return ended ? text_.substr(begin, at_ - begin) : std::string_view();
  }
  [[nodiscard]] Error wrong(std::string_view expected) const {
    std::string text = "not JSON (column " + std::to_string(column()) + "): ";
    text += expected;
    return Error(errc::bad_value, std::move(text)).with_place(0, at_);
  }

 private:
  bool skip_string() {
    for (++at_; !at_end(); ++at_) {
      if (text_[at_] == '\\') {
        if (++at_ == text_.size()) return false;
      } else if (text_[at_] == '"') {
        ++at_;
        return true;
      }
    }
    return false;
  }
  bool skip_nested() {
    std::size_t depth = 0;
    while (!at_end()) {
      const char c = text_[at_];
      if (c == '"') {
        if (!skip_string()) return false;
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return true;
    }
    return false;
  }
  bool skip_word() {
    const std::size_t begin = at_;
    while (!at_end() && !is_space(text_[at_]) &&
           std::string_view(",:{}[]\"").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    return at_ > begin;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// The members of an object, found so far as `visit` wants them: it answers whether to go on.
template <class Visit>
Result<void> each_member(std::string_view text, Visit&& visit) {
  Scanner scanner(text);
  if (!scanner.take('{')) return scanner.wrong("an object should stand here: {\"NAME\":VALUE,...}");
  if (!scanner.take('}')) {
    do {
      const std::size_t column = scanner.column();
      const std::string_view name = scanner.value();
      if (!is_text(name)) return scanner.wrong("the name of a member should stand here, in quotes");
      if (!scanner.take(':')) return scanner.wrong("a colon should stand here");
      const std::string_view value = scanner.value();
      if (value.empty()) return scanner.wrong("a value should stand here");
      auto decoded = decode_text(name);
      if (!decoded) return std::move(decoded).error();
      auto go_on = visit(Member{std::move(*decoded), value, name, column});
      if (!go_on) return std::move(go_on).error();
    } while (scanner.take(','));
    if (!scanner.take('}')) return scanner.wrong("a comma or } should stand here");
  }
  if (!scanner.at_end()) return scanner.wrong("something stands behind the end of the object");
  return {};
}

template <class Visit>
Result<void> each_element(std::string_view text, Visit&& visit) {
  Scanner scanner(text);
  if (!scanner.take('[')) return scanner.wrong("an array should stand here");
  if (!scanner.take(']')) {
    do {
      const std::string_view value = scanner.value();
      if (value.empty()) return scanner.wrong("a value should stand here");
      visit(value);
    } while (scanner.take(','));
    if (!scanner.take(']')) return scanner.wrong("a comma or ] should stand here");
  }
  if (!scanner.at_end()) return scanner.wrong("something stands behind the end of the array");
  return {};
}

std::optional<std::uint32_t> hex_unit(std::string_view digits) {
  std::uint32_t unit = 0;
  if (digits.size() < 4) return std::nullopt;
  const char* end = digits.data() + 4;
  const auto [stop, error] = std::from_chars(digits.data(), end, unit, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return unit;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xC0 | (point >> 6));
    add(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    add(0xE0 | (point >> 12));
    add(0x80 | ((point >> 6) & 0x3F));
    add(0x80 | (point & 0x3F));
  } else {
    add(0xF0 | (point >> 18));
    add(0x80 | ((point >> 12) & 0x3F));
    add(0x80 | ((point >> 6) & 0x3F));
    add(0x80 | (point & 0x3F));
  }
}

// The code point of the \u escape whose digits begin at `at`, a pair of surrogates being one;
// `at` moves to its last digit.
std::optional<std::uint32_t> escaped_point(std::string_view text, std::size_t& at) {
  const auto high = hex_unit(text.substr(at));
  if (!high || (*high >= 0xDC00 && *high <= 0xDFFF)) return std::nullopt;
  at += 3;
  if (*high < 0xD800 || *high > 0xDBFF) return high;
  if (text.substr(at + 1, 2) != "\\u") return std::nullopt;
  const auto low = hex_unit(text.substr(at + 3));
  if (!low || *low < 0xDC00 || *low > 0xDFFF) return std::nullopt;
  at += 6;
  return 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
}

}  // namespace

bool is_text(std::string_view value) noexcept {
  return value.size() >= 2 && value.front() == '"' && value.back() == '"';
}

Result<std::vector<Member>> members(std::string_view text) {
  std::vector<Member> found;
  std::unordered_set<std::string> names;
  auto read = each_member(text, [&](Member member) -> Result<void> {
    if (!names.insert(member.name).second) {
      return Error(errc::bad_value, "\"" + member.name + "\" stands there twice (column " +
                                        std::to_string(member.column) + ")")
          .with_place(0, member.column - 1);
    }
    found.push_back(std::move(member));
    return {};
  });
  if (!read) return std::move(read).error();
  return found;
}

Result<std::vector<std::string_view>> elements(std::string_view text) {
  std::vector<std::string_view> found;
  auto read = each_element(text, [&found](std::string_view value) { found.push_back(value); });
  if (!read) return std::move(read).error();
  return found;
}

Result<std::string> decode_text(std::string_view text) {
  const auto wrong = [](std::string_view what, std::size_t at) {
    std::string message(what);
    message += " (column " + std::to_string(at + 1) + ")";
    return Error(errc::bad_value, std::move(message)).with_place(0, at);
  };
  if (!is_text(text)) return wrong("a string in quotes should stand there", 0);
  if (auto bad = log::first_bad_utf8(text)) return wrong("the bytes are not UTF-8", *bad);
  static constexpr std::string_view kNames = "\"\\/bfnrt";
  static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  std::string out;
  out.reserve(text.size() - 2);
  const std::size_t end = text.size() - 1;
  for (std::size_t at = 1; at < end; ++at) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) < ' ') return wrong("a control must be escaped", at);
    if (c != '\\') {
      out += c;
      continue;
    }
    const std::size_t escape = at++;
    if (at == end) return wrong("the string does not end", escape);
    if (text[at] == 'u') {
      ++at;
      const auto point = escaped_point(text.substr(0, end), at);
      if (!point) return wrong("this escape names no character", escape);
      append_utf8(out, *point);
    } else if (const std::size_t which = kNames.find(text[at]); which != std::string_view::npos) {
      out += kMeanings[which];
    } else {
      return wrong("there is no such escape", escape);
    }
  }
  return out;
}

Result<std::string_view> part_at(std::string_view value, std::string_view pointer) {
  const std::string_view whole = pointer;
  if (!pointer.empty() && pointer.front() != '/') {
    return Error(errc::bad_argument, "a path begins with a slash: /" + std::string(pointer));
  }
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    std::string name;
    for (std::size_t at = 0; at < end; ++at) {
      if (pointer[at] != '~') {
        name += pointer[at];
        continue;
      }
      ++at;
      if (at >= end || (pointer[at] != '0' && pointer[at] != '1')) {
        return Error(
            errc::bad_argument,
            "in a path ~ is written ~0 and a slash within a name ~1: " + std::string(whole));
      }
      name += pointer[at] == '0' ? '~' : '/';
    }
    pointer.remove_prefix(end);

    std::optional<std::string_view> found;
    if (value.starts_with('{')) {
      auto read = each_member(value, [&](const Member& member) -> Result<void> {
        if (member.name == name) found = member.value;  // of two, the last: as most readers do
        return {};
      });
      if (!read) return std::move(read).error();
    } else if (value.starts_with('[')) {
      std::size_t wanted = 0;
      const char* last = name.data() + name.size();
      const auto [stop, error] = std::from_chars(name.data(), last, wanted);
      const bool index = error == std::errc() && stop == last && (name == "0" || name[0] != '0');
      std::size_t position = 0;
      auto read = each_element(value, [&](std::string_view element) {
        if (index && position++ == wanted) found = element;
      });
      if (!read) return std::move(read).error();
    }
    if (!found) return errc::absent;
    value = *found;
  }
  return value;
}

void append_json(std::string& out, std::string_view text) {
  std::string good;
  while (auto bad = log::first_bad_utf8(text)) {
    good += text.substr(0, *bad);
    good += "\xEF\xBF\xBD";
    text.remove_prefix(*bad + 1);
  }
  good += text;
  log::append_text(out, good);
}

}  // namespace dfs::cli
