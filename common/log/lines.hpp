// Splits the bytes of a log, or of a Go file, into lines.
#pragma once

#include <cstdint>
#include <string_view>

namespace dfs::log {

/// Stands on one line of a file; next() goes to the first, and then on. Threads: one.
class Lines {
 public:
  explicit Lines(std::string_view bytes) : all_(bytes) {}

  /// True where there is no further line.
  [[nodiscard]] bool at_end() const { return end_ == all_.size(); }
  /// Requires: !at_end().
  void next() {
    begin_ = end_;
    const std::size_t newline = all_.find('\n', begin_);
    terminated_ = newline != std::string_view::npos;
    text_end_ = terminated_ ? newline : all_.size();
    end_ = terminated_ ? newline + 1 : all_.size();
    ++number_;
  }

  [[nodiscard]] std::string_view all() const { return all_; }
  /// The line without its newline.
  [[nodiscard]] std::string_view text() const { return all_.substr(begin_, text_end_ - begin_); }
  /// False only for a last line that has no newline.
  [[nodiscard]] bool terminated() const { return terminated_; }
  /// From 1.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::uint64_t offset() const { return begin_; }
  /// Behind the newline.
  [[nodiscard]] std::uint64_t end_offset() const { return end_; }

 private:
  std::string_view all_;
  std::size_t begin_ = 0;
  std::size_t text_end_ = 0;
  std::size_t end_ = 0;
  std::uint64_t number_ = 0;
  bool terminated_ = false;
};

}  // namespace dfs::log
