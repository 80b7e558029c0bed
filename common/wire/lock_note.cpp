#include "common/wire/lock_note.hpp"

#include <charconv>

namespace dfs::wire {

namespace {

/// The word behind `name` and a space, with the space behind it, taken off the text; nothing where
/// the text begins with something else.
std::optional<std::string_view> take_word(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  const std::string_view word = text.substr(0, text.find(' '));
  if (word.empty() || word.size() == text.size()) return std::nullopt;
  text.remove_prefix(word.size() + 1);
  return word;
}

template <class Number>
bool parse(std::string_view digits, Number& number) {
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc() && rest == end;
}

}  // namespace

std::string encode(const LockNote& note) {
  return "pid " + std::to_string(note.pid) + " uid " + std::to_string(note.uid) + " version " +
         note.version + (note.socket.empty() ? " starting" : " socket " + note.socket) + "\n";
}

std::optional<LockNote> decode_lock_note(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  const auto pid = take_word(text, "pid ");
  const auto uid = take_word(text, "uid ");
  const auto version = take_word(text, "version ");
  LockNote note;
  if (!pid || !uid || !version || !parse(*pid, note.pid) || !parse(*uid, note.uid) ||
      note.pid <= 0) {
    return std::nullopt;
  }
  note.version = *version;
  if (text == "starting") return note;
  constexpr std::string_view kSocket = "socket ";
  if (!text.starts_with(kSocket) || text.size() == kSocket.size()) return std::nullopt;
  // Last, since a path may hold spaces.
  note.socket = text.substr(kSocket.size());
  return note;
}

}  // namespace dfs::wire
