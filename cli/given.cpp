#include "cli/given.hpp"

#include <charconv>
#include <system_error>
#include <utility>

namespace dfs::cli {

namespace {

std::string unguarded(std::string word) {
  if (word.starts_with(kGuard)) word.erase(0, 1);
  return word;
}

}  // namespace

std::string guarded(const std::string& word) {
  const bool special = word.starts_with('[') || word.starts_with(kGuard) || word == "++";
  return special ? kGuard + word : word;
}

std::vector<std::string> all_given(const CLI::Option* option) {
  std::vector<std::string> words = option->results();
  for (std::string& word : words) word = unguarded(std::move(word));
  return words;
}

std::optional<std::string> given(const CLI::Option* option) {
  if (option->count() == 0) return std::nullopt;
  return unguarded(option->results().back());
}

Result<std::optional<std::uint64_t>> number(const CLI::Option* option) {
  const auto text = given(option);
  if (!text) return std::optional<std::uint64_t>();
  std::uint64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end) {
    return Error(errc::bad_argument, option->get_name() + " takes a whole number, not " + *text);
  }
  return std::optional(value);
}

Result<std::chrono::milliseconds> seconds(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !(value >= 0.001) || value > 86400) {
    return Error(errc::bad_argument, "-i takes seconds from 0.001 to 86400, not " + text);
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

}  // namespace dfs::cli
