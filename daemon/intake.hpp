// Where the writer receives the short requests of a batch: side by side in memory that the next
// batch uses again, so that a request costs no allocation.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace dfs::daemon {

/// Threads: the writer.
class Intake {
 public:
  /// A place for so many bytes, valid until `clear`; none where memory is out. Requires: at most
  /// kMaxChunkBytes.
  [[nodiscard]] std::span<std::byte> place(std::size_t bytes) noexcept;
  /// Everything placed so far is done with. What a common batch needs is kept.
  void clear() noexcept;

 private:
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::size_t block_ = 0;  // the one in use
  std::size_t used_ = 0;   // of it
};

}  // namespace dfs::daemon
