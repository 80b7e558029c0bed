#include "cli/argument.hpp"

#include <algorithm>

#include "cli/input.hpp"
#include "cli/json_text.hpp"
#include "common/log/key.hpp"
#include "common/log/value.hpp"

namespace dfs::cli {

namespace {

// What an argument looks like in a message; long ones are cut.
constexpr std::size_t kShownBytes = 60;

// Looks like the attempt of a JSON document rather than a text without quotes.
bool meant_as_json(std::string_view value) {
  const std::size_t first = value.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ||
         std::string_view("{[\"-0123456789").find(value[first]) != std::string_view::npos;
}

// The checker's refusal, about an argument: "hello is not JSON (column 1). A text: dfsctl set -t
// greeting hello".
Error refused_value(const Error& error, const ValueArgument& argument, std::string_view value) {
  if (error != errc::bad_value) return error.with_key(argument.key);
  std::string text(error.text());  // "not JSON (column N): reason"
  const bool is_word = argument.value != "-" && value.size() <= kShownBytes &&
                       value.find_first_not_of(" \t\r\n") != std::string_view::npos;
  const bool is_text = is_word && !meant_as_json(value);
  if (is_text) text.resize(std::min(text.find("): "), text.size()) + 1);
  const std::string what = is_word                 ? std::string(value)
                           : argument.value == "-" ? "stdin"
                                                   : "the value";
  text = what + " is " + text;
  if (is_text) text += ". " + argument.instead;
  return Error(errc::bad_value, std::move(text))
      .with_key(argument.key)
      .with_place(error.line(), error.offset());
}

}  // namespace

std::string quoted(std::string_view word) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(word);
  }
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Result<std::string> value_of(const ValueArgument& argument) {
  std::string value = argument.value;
  if (value == "-") {
    auto input = Input::open("-");
    if (!input) return std::move(input).error();
    auto rest = input->rest();
    if (!rest) return std::move(rest).error();
    value = std::move(*rest);
  }
  if (argument.text) {
    if (auto bad = log::first_bad_utf8(value)) {
      return Error(errc::bad_value, "the text is not UTF-8 (byte " + std::to_string(*bad + 1) + ")")
          .with_key(argument.key)
          .with_place(0, *bad);
    }
    std::string text;
    append_json(text, value);
    return text;
  }
  log::ValueChecker checker;
  std::string scratch;
  auto compact = checker.compact(value, scratch);
  if (!compact) return refused_value(compact.error(), argument, value);
  return std::string(*compact);
}

}  // namespace dfs::cli
