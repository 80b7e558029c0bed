#include "common/index/space.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "common/base/assert.hpp"

// What is not allocated yet must not be touched; AddressSanitizer can tell.
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(begin, bytes) (static_cast<void>(begin))
#define ASAN_UNPOISON_MEMORY_REGION(begin, bytes) (static_cast<void>(begin))
#endif

namespace dfs::index {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

constexpr std::uint64_t round_up(std::uint64_t bytes, std::uint64_t to) {
  return (bytes + to - 1) / to * to;
}

}  // namespace

BufferSpace::BufferSpace(GenerationSlot& slot, std::uint64_t capacity, std::uint64_t step_bytes)
    : slot_(slot),
      capacity_(round_up(capacity, kPageBytes)),
      step_bytes_(round_up(step_bytes, kPageBytes)),
      memory_(static_cast<std::byte*>(std::aligned_alloc(kPageBytes, capacity_))) {
  if (memory_ == nullptr) throw std::bad_alloc();
  ASAN_POISON_MEMORY_REGION(memory_.get(), capacity_);
}

bool BufferSpace::ensure(std::uint64_t bytes) {
  if (bytes <= allocated_) return true;
  if (bytes > capacity_) return false;
  const std::uint64_t to = std::min(capacity_, round_up(bytes, step_bytes_));
  ASAN_UNPOISON_MEMORY_REGION(memory_.get() + allocated_, to - allocated_);
  std::memset(memory_.get() + allocated_, 0, to - allocated_);
  allocated_ = to;
  // SYNC POINT: allocated. Release: the zeros come before it; pairs with the load in Reach.
  slot_.allocated.store(allocated_, std::memory_order_release);
  return true;
}

void BufferSpace::Free::operator()(std::byte* memory) const noexcept { std::free(memory); }

}  // namespace dfs::index
