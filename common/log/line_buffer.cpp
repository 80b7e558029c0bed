#include "common/log/line_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace dfs::log {

void LineBuffer::clear(std::size_t most_kept) {
  size_ = 0;
  if (capacity_ <= most_kept) return;
  bytes_.reset();
  capacity_ = 0;
}

void LineBuffer::grow(std::size_t bytes) {
  constexpr std::size_t kFirst = std::size_t{64} << 10;
  const std::size_t capacity = std::max({kFirst, 2 * capacity_, size_ + bytes});
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
  bytes_ = std::move(larger);
  capacity_ = capacity;
}

}  // namespace dfs::log
