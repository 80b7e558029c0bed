// The line that a person types at the prompt: edited, completed, remembered. The one place that
// knows the library for it (libedit).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dfs::cli {

/// Words that may stand at the end of the line so far, in place of its last word.
using Completer = std::function<std::vector<std::string>(const std::string& line)>;

/// Reads lines from the terminal; there is one at a time. Where standard input is none, lines are
/// read as they are, without a prompt. Threads: one.
class LineEditor {
 public:
  /// `history`: the file that remembers lines from session to session, made when it is not there,
  /// 0600; empty: none.
  LineEditor(Completer completer, std::string history);
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// The next line without its newline; nothing at the end of the input.
  [[nodiscard]] std::optional<std::string> next(const std::string& prompt);
  [[nodiscard]] bool on_terminal() const noexcept { return on_terminal_; }

 private:
  std::string history_;
  bool on_terminal_;
};

}  // namespace dfs::cli
