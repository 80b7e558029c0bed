#include "daemon/intake.hpp"

#include <new>

#include "common/base/assert.hpp"
#include "common/base/limits.hpp"

namespace dfs::daemon {

namespace {

constexpr std::size_t kBlockBytes = 4 * kMaxChunkBytes;
/// A thousand requests of 1 KiB.
constexpr std::size_t kBlocksKept = 4;

}  // namespace

std::span<std::byte> Intake::place(std::size_t bytes) noexcept {
  DFS_ASSERT(bytes <= kMaxChunkBytes, "what is longer is received in several chunks");
  if (block_ < blocks_.size() && used_ + bytes > kBlockBytes) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    auto* block = new (std::nothrow) std::byte[kBlockBytes];
    if (block == nullptr) return {};
    blocks_.emplace_back(block);
  }
  std::byte* at = blocks_[block_].get() + used_;
  used_ += bytes;
  return {at, bytes};
}

void Intake::clear() noexcept {
  if (blocks_.size() > kBlocksKept) blocks_.resize(kBlocksKept);
  block_ = 0;
  used_ = 0;
}

}  // namespace dfs::daemon
