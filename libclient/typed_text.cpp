#include <dfs/typed_text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "common/log/key.hpp"

namespace dfs {

namespace {

// As much of a key as helps a person to know it again.
constexpr std::size_t kShownKeyBytes = 64;

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (byte < 0x20) {
    out += "\\u00";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  } else {
    out += c;
  }
}

std::string value_of(std::string_view key) {
  std::string text = "the value of key \"";
  std::size_t shown = std::min(key.size(), kShownKeyBytes);
  // Not in the middle of a character.
  while (shown < key.size() && shown > 0 && (static_cast<unsigned char>(key[shown]) & 0xC0) == 0x80)
    --shown;
  for (const char c : key.substr(0, shown)) append_escaped(text, c);
  return text + (shown < key.size() ? "...\"" : "\"");
}

std::string at(const Misfit& misfit) {
  return (misfit.pointer.empty() ? "it" : misfit.pointer) + " " + misfit.complaint;
}

}  // namespace

void Misfit::put_under(std::string_view name) {
  std::string step = "/";
  for (const char c : name) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      append_escaped(step, c);  // what is printed stays one line
    }
  }
  pointer.insert(0, step);
}

bool append_json(std::string& out, std::string_view text) {
  if (log::first_bad_utf8(text)) return false;
  out += '"';
  for (const char c : text) append_escaped(out, c);
  out += '"';
  return true;
}

bool append_json(std::string& out, double number) {
  if (!std::isfinite(number) || (number == 0 && std::signbit(number))) return false;
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end.ptr);
  return true;
}

Error wrong_type(std::string_view key, const Misfit& misfit) {
  return Error(errc::wrong_type,
               value_of(key) + " is not of the type asked for: " + at(misfit) + "; migrate it")
      .with_key(key);
}

Error unstorable(std::string_view key, const Misfit& misfit) {
  return Error(errc::bad_value, value_of(key) + " cannot be stored: " + at(misfit)).with_key(key);
}

}  // namespace dfs
