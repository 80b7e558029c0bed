// Where the data of a command goes: standard output, and nothing but data. Errors and progress go
// to standard error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace dfs::cli {

/// How text looks at a terminal.
enum class Style : std::uint8_t { plain, head, name };

/// Standard output with a buffer of its own, which is written only when it is told to: what a
/// snapshot may still turn out not to have held can be dropped. Threads: one.
class Output {
 public:
  Output();
  /// A person reads it: tables are aligned and have heads.
  [[nodiscard]] bool on_terminal() const noexcept { return on_terminal_; }
  /// What switches to a style; empty where there are no colours: no terminal, $NO_COLOR, or
  /// TERM=dumb.
  [[nodiscard]] std::string_view style(Style style) const noexcept;
  /// The buffer, to append to.
  [[nodiscard]] std::string& text() noexcept { return text_; }
  void line(std::string_view text) {
    text_ += text;
    text_ += '\n';
  }
  /// True where so much has gathered that it should be flushed, or dropped.
  [[nodiscard]] bool large() const noexcept;
  /// Writes what has gathered. Fails where standard output is full, closed or gone.
  [[nodiscard]] Result<void> flush();
  void drop() noexcept { text_.clear(); }

 private:
  bool on_terminal_;
  bool coloured_;
  std::string text_;
};

/// `error` on one line of standard error: its text, or with `json` an object of what is known,
/// {"error":"version_mismatch","message":"...","key":"a","version":7,"exit":3}.
void print_error(const Error& error, bool json);
[[nodiscard]] std::string error_line(const Error& error, bool json);

/// `text` as one line that moves no cursor: controls become \xNN. A key may hold any.
[[nodiscard]] std::string printable(std::string_view text);

/// What dfsctl ends with for an error.
[[nodiscard]] int exit_code(const Error& error) noexcept;

/// Shows how far something long has come, at most ten times a second and only on a terminal.
/// Threads: one.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::uint64_t done, std::string_view what);

 private:
  bool on_terminal_;
  bool shown_ = false;
  std::int64_t last_ms_ = 0;
};

}  // namespace dfs::cli
