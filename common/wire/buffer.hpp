// Bytes that grow: what a request is received into and encoded into. Not a vector, since that
// writes zeros where the ring's bytes are about to go, and copies where the allocator could move
// pages (16 MiB a value).
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

namespace dfs::wire {

/// A block of memory with a size; what is behind the bytes written is undefined. Moves, does not
/// copy. Threads: one at a time.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() = default;

  /// Makes it at least `capacity` large, the contents kept. False when memory is out.
  [[nodiscard]] bool reserve(std::size_t capacity) noexcept;
  /// Requires: size <= capacity().
  void resize(std::size_t size) noexcept { size_ = size; }

  [[nodiscard]] std::byte* begin() noexcept { return memory_.get(); }
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return {memory_.get(), size_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {memory_.get(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace dfs::wire
