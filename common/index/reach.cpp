#include "common/index/reach.hpp"

namespace dfs::index {

bool Reach::is_outgrown(const View& view, std::uint64_t offset, std::uint64_t bytes) noexcept {
  const auto reaches = [&](std::uint64_t limit) {
    return offset <= limit && bytes <= limit - offset;
  };
  // Acquire, as in NearReach.
  return reaches(view.slot->allocated.load(std::memory_order_acquire)) &&
         !reaches(view.mapped_bytes);
}

}  // namespace dfs::index
