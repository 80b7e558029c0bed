// Where lines come from: a file, or standard input where its name is "-".
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace dfs::cli {

/// Reads a file line by line, or whole. Threads: one.
class Input {
 public:
  /// no_store where there is no such file (with exit code 4, as for a store), else what the kernel
  /// said.
  [[nodiscard]] static Result<Input> open(const std::string& path);

  /// The next line without its newline, which the last may lack; false at the end. The line is good
  /// until the next call.
  [[nodiscard]] Result<bool> next(std::string_view& line);
  /// All that is left.
  [[nodiscard]] Result<std::string> rest();

  /// The number of the line that next() gave last, from 1.
  [[nodiscard]] std::uint64_t line() const noexcept { return line_; }
  /// What to call it: its path, or "stdin".
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// `error` with this file and line before its text.
  [[nodiscard]] Error at_line(const Error& error) const;

 private:
  struct Closer {
    void operator()(std::FILE* file) const noexcept;
  };
  Input(std::FILE* file, std::string name);
  [[nodiscard]] Result<bool> fill();

  std::unique_ptr<std::FILE, Closer> file_;
  std::string name_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what next() has not given yet
  std::uint64_t line_ = 0;
  bool ended_ = false;
};

}  // namespace dfs::cli
