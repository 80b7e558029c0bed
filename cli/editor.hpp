// A person's editor on one value: the file it is given, and what comes back.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace dfs::cli {

/// A file of one's own in $TMPDIR, and $VISUAL, $EDITOR or vi on it. The file stays until
/// discard(): what a person wrote is not thrown away for an error. Threads: one.
class Editor {
 public:
  /// Makes the file, with `value` in it over several lines; nothing where it is empty.
  [[nodiscard]] static Result<Editor> open(std::string_view key, std::string_view value);

  /// Runs the editor to its end. What the file holds then; system where the editor could not be
  /// run or failed.
  [[nodiscard]] Result<std::string> edit();
  /// Whether the file holds anything else than at first.
  [[nodiscard]] bool touched() const noexcept { return touched_; }
  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  void discard() const;

 private:
  Editor(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)) {}

  std::string file_;
  std::string text_;  // as the person first saw it
  bool touched_ = false;
};

/// Nothing but white space.
[[nodiscard]] bool is_blank(std::string_view text) noexcept;

}  // namespace dfs::cli
