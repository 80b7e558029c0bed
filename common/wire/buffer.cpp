#include "common/wire/buffer.hpp"

#include <utility>

namespace dfs::wire {

Buffer::Buffer(Buffer&& other) noexcept
    : memory_(std::move(other.memory_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  memory_ = std::move(other.memory_);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

bool Buffer::reserve(std::size_t capacity) noexcept {
  if (capacity <= capacity_) return true;
  // realloc moves large blocks by their pages.
  void* memory = std::realloc(memory_.get(), capacity);
  if (memory == nullptr) return false;
  static_cast<void>(memory_.release());
  memory_.reset(static_cast<std::byte*>(memory));
  capacity_ = capacity;
  return true;
}

}  // namespace dfs::wire
