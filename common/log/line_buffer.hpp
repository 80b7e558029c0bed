// Lines on their way to the file, one behind the other, in memory that nobody fills before they
// are written into it.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace dfs::log {

/// Threads: one at a time.
class LineBuffer {
 public:
  /// Where the next line begins, with room for so many bytes. Valid until the next call.
  [[nodiscard]] char* room(std::size_t bytes) {
    if (bytes > capacity_ - size_) grow(bytes);
    return bytes_.get() + size_;
  }
  /// The line that was begun there ends before `end`.
  void end_line(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.get()); }

  /// Forgets the lines and keeps their memory, where it is no more than `most_kept`.
  void clear(std::size_t most_kept);

  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  void grow(std::size_t bytes);

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace dfs::log
