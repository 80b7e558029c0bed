#include "common/index/arena.hpp"

#include <algorithm>

#include "common/index/record.hpp"
#include "common/index/tree_layout.hpp"

namespace dfs::index {
namespace {

constexpr std::uint64_t kLineBytes = 64;
constexpr std::uint64_t kPageBytes = 4096;
/// Anchors are laid out a page at a time, so that those of neighbouring keys share cache lines
/// wherever keys come in order.
constexpr std::uint64_t kAnchorsBytes = 4096;

constexpr std::uint64_t round_up(std::uint64_t bytes, std::uint64_t to) {
  return (bytes + to - 1) / to * to;
}

}  // namespace

Arena::Arena(Space& space, std::uint64_t header_bytes)
    : space_(space), base_(space.base()), used_(round_up(header_bytes, kLineBytes)) {
  grow_to(used_);
}

std::uint64_t Arena::chunk_bytes(std::uint64_t used) noexcept {
  return std::clamp(round_up(used / 32, kPageBytes), kMinChunkBytes, kMaxChunkBytes);
}

bool Arena::try_ensure(std::uint64_t bytes) {
  if (bytes <= ensured_) return true;
  if (!space_.ensure(bytes)) return false;
  ensured_ = space_.allocated();
  return true;
}

void Arena::grow_to(std::uint64_t bytes) {
  DFS_ASSERT(try_ensure(bytes), "memory was reserved before anything was appended to the log");
}

bool Arena::reserve(std::uint64_t record_bytes, std::uint64_t node_bytes) {
  // A chunk's rest is lost only to a record that is larger than the rest, so records take at most
  // twice their bytes; the rest of a node chunk is less than a direct node, a thirty-second of it.
  const std::uint64_t most = 2 * record_bytes + node_bytes + node_bytes / 16 + kAnchorsBytes;
  const std::uint64_t chunks = 2 * chunk_bytes(used_ + most) + 2 * kPageBytes;
  if (!try_ensure(used_ + most + chunks)) return false;
  promised_ = std::max(promised_, used_ + most + chunks);
  return true;
}

void Arena::open_records() {
  record_at_ = used_;
  grow_to(used_ + kMinChunkBytes);
  used_ += kMinChunkBytes;
  record_end_ = used_;
}

std::uint64_t Arena::place_record(std::uint64_t bytes) {
  const std::uint64_t needed = bytes + sizeof(Jump);
  if (record_at_ + needed > record_end_) {
    const std::uint64_t chunk = chunk_bytes(used_);
    if (record_end_ == used_) {
      // Nothing else lies behind this chunk: it grows, and no jump is needed.
      const std::uint64_t more = std::max(chunk, record_at_ + needed - record_end_);
      grow_to(used_ + more);
      used_ += round_up(more, kLineBytes);
      record_end_ = used_;
    } else {
      const std::uint64_t begin = used_;
      const std::uint64_t end = begin + round_up(std::max(chunk, needed), kLineBytes);
      grow_to(end);
      used_ = end;
      // Seen by the feed only after the records' end has moved past it.
      *at<Jump>(record_at_) = Jump{0, begin};
      record_at_ = begin;
      record_end_ = end;
    }
  }
  const std::uint64_t place = record_at_;
  record_at_ += bytes;
  return place;
}

std::uint64_t Arena::place_node(std::uint64_t bytes) {
  if (node_at_ + bytes > node_end_) {
    const std::uint64_t chunk = std::max(chunk_bytes(used_), round_up(bytes, kLineBytes));
    if (node_end_ != used_ || node_at_ == 0) node_at_ = used_;
    grow_to(used_ + chunk);
    used_ += chunk;
    node_end_ = used_;
  }
  const std::uint64_t place = node_at_;
  node_at_ += bytes;
  return place;
}

std::uint64_t Arena::place_anchor() {
  if (anchor_at_ == anchor_end_) {
    anchor_at_ = place_node(kAnchorsBytes);
    anchor_end_ = anchor_at_ + kAnchorsBytes;
  }
  const std::uint64_t place = anchor_at_;
  anchor_at_ += sizeof(Anchor);
  return place;
}

std::uint64_t Arena::try_place(std::uint64_t bytes) {
  const std::uint64_t size = round_up(bytes, kLineBytes);
  // What is reserved stays reserved: the promise moves up with what is placed below it.
  if (!try_ensure(std::max(promised_, used_) + size)) return 0;
  const std::uint64_t place = used_;
  used_ += size;
  promised_ += size;
  return place;
}

}  // namespace dfs::index
