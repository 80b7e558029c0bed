// A log that is read from the disk while its first lines are recovered already.
#pragma once

#include <cstddef>

namespace dfs::log {

/// Says how much of the bytes that a reader was given is there to be read.
class Arrival {
 public:
  virtual ~Arrival() = default;
  /// Waits until more than the first `have` bytes are there, or all that will ever be, and returns
  /// how many are. What is missing at the end reads as NULs; whoever reads the disk knows why.
  [[nodiscard]] virtual std::size_t wait_beyond(std::size_t have) = 0;
};

}  // namespace dfs::log
