#include "common/os/large_buffer.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

namespace dfs::os {

Result<LargeBuffer> LargeBuffer::make(std::uint64_t bytes) {
  if (bytes == 0) return LargeBuffer();
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return Error::from_errno(errno, "take memory for a whole file");
  // Best effort: a kernel without huge pages is only slower.
  static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));
  return LargeBuffer({static_cast<char*>(memory), bytes});
}

LargeBuffer::LargeBuffer(LargeBuffer&& from) noexcept : bytes_(std::exchange(from.bytes_, {})) {}

LargeBuffer& LargeBuffer::operator=(LargeBuffer&& from) noexcept {
  std::swap(bytes_, from.bytes_);
  return *this;
}

LargeBuffer::~LargeBuffer() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace dfs::os
