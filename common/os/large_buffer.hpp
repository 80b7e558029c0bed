// Memory of this process alone for what is large and read once from end to end, as a whole log is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/result.hpp"

namespace dfs::os {

/// Zero bytes, on huge pages where the kernel grants them: faulting in a log of 200 MB a small page
/// at a time takes longer than reading it.
class LargeBuffer {
 public:
  /// Empty.
  LargeBuffer() = default;
  static Result<LargeBuffer> make(std::uint64_t bytes);
  LargeBuffer(LargeBuffer&& from) noexcept;
  LargeBuffer& operator=(LargeBuffer&& from) noexcept;
  ~LargeBuffer();

  [[nodiscard]] std::span<char> bytes() const noexcept { return bytes_; }

 private:
  explicit LargeBuffer(std::span<char> bytes) : bytes_(bytes) {}
  std::span<char> bytes_;
};

}  // namespace dfs::os
