#include "cli/line_editor.hpp"

#include <editline/readline.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "common/os/file.hpp"
#include "common/os/terminal.hpp"

namespace dfs::cli {

namespace {

constexpr int kRemembered = 1000;

// libedit calls functions without an argument of ours, so what they need stands here. One line
// editor at a time.
Completer completer_of_terminal;
std::vector<std::string> offered;

char* copied(const std::string& text) {
  char* copy = static_cast<char*>(std::malloc(text.size() + 1));  // libedit frees it
  if (copy != nullptr) std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

char* next_offered(const char*, int state) {
  static std::size_t at = 0;
  if (state == 0) at = 0;
  return at < offered.size() ? copied(offered[at++]) : nullptr;
}

char** complete_word(const char*, int, int end) {
  rl_attempted_completion_over = 1;  // never names of files: commands about files are rare here
  offered = completer_of_terminal(std::string(rl_line_buffer, static_cast<std::size_t>(end)));
  rl_completion_append_character = ' ';
  return offered.empty() ? nullptr : rl_completion_matches("", next_offered);
}

}  // namespace

LineEditor::LineEditor(Completer completer, std::string history)
    : history_(std::move(history)), on_terminal_(os::is_terminal(0) && os::is_terminal(1)) {
  if (!on_terminal_) return;
  completer_of_terminal = std::move(completer);
  static char name[] = "dfsctl";
  static char breaks[] = " \t";  // keys hold all that breaks words elsewhere
  rl_readline_name = name;
  rl_catch_signals = 1;  // an interrupt gives the terminal back before it ends us
  rl_initialize();
  rl_basic_word_break_characters = breaks;
  rl_completer_word_break_characters = breaks;
  rl_attempted_completion_function = complete_word;
  using_history();
  stifle_history(kRemembered);
  if (history_.empty()) return;
  std::error_code failed;
  std::filesystem::create_directories(os::directory_of(history_), failed);
  // Made by us, so that nobody else ever reads it; where it cannot be, nothing is remembered.
  auto file = os::File::open(history_, {.write = true, .create = true, .mode = 0600});
  if (!file) history_.clear();
  if (file) read_history(history_.c_str());
}

std::optional<std::string> LineEditor::next(const std::string& prompt) {
  std::string line;
  if (!on_terminal_) {
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
  }
  char* typed = readline(prompt.c_str());
  if (typed == nullptr) return std::nullopt;
  line = typed;
  std::free(typed);  // NOLINT(cppcoreguidelines-no-malloc): libedit's
  // As in shells: a line that begins with a space is not remembered.
  if (!line.empty() && line.front() != ' ') {
    add_history(line.c_str());
    if (!history_.empty()) write_history(history_.c_str());  // now: an interrupt may end us
  }
  return line;
}

}  // namespace dfs::cli
