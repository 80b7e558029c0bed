// Splits the bytes of a log, or of a Go file, into lines.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/assert.hpp"
#include "common/log/arrival.hpp"

namespace dfs::log {

/// Stands on one line of a file; next() goes to the first, and then on. Threads: one.
class Lines {
 public:
  explicit Lines(std::string_view bytes) : all_(bytes), there_(bytes.size()) {}
  /// Waits for the bytes as it comes to them.
  Lines(std::string_view bytes, Arrival& arrival) : all_(bytes), arrival_(&arrival) {}

  /// True where there is no further line.
  [[nodiscard]] bool at_end() const { return end_ == all_.size(); }
  /// Requires: !at_end().
  void next() {
    begin_ = end_;
    const std::size_t newline = find_newline();
    terminated_ = newline != std::string_view::npos;
    text_end_ = terminated_ ? newline : all_.size();
    end_ = terminated_ ? newline + 1 : all_.size();
    ++number_;
  }

  /// The whole file, waited for.
  [[nodiscard]] std::string_view all() {
    while (there_ < all_.size()) wait();
    return all_;
  }
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
  [[nodiscard]] std::size_t find_newline() {
    for (std::size_t from = begin_;;) {
      const std::size_t newline = all_.substr(0, there_).find('\n', from);
      if (newline != std::string_view::npos || there_ == all_.size()) return newline;
      from = there_;
      wait();
    }
  }
  void wait() {
    DFS_ASSERT(arrival_ != nullptr, "only what arrives is waited for");
    there_ = arrival_->wait_beyond(there_);
  }

  std::string_view all_;
  Arrival* arrival_ = nullptr;  // null where everything was there from the beginning
  std::size_t there_ = 0;
  std::size_t begin_ = 0;
  std::size_t text_end_ = 0;
  std::size_t end_ = 0;
  std::uint64_t number_ = 0;
  bool terminated_ = false;
};

}  // namespace dfs::log
