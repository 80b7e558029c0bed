#include "common/wire/request_ring.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/base/assert.hpp"
#include "common/wire/request_word.hpp"

namespace dfs::wire {

namespace {

void require_ring(std::span<const std::byte> ring) noexcept {
  DFS_ASSERT(std::has_single_bit(ring.size()) && ring.size() >= ring_bytes(kMaxChunkBytes),
             "a request ring is a power of two and holds the largest chunk");
  DFS_ASSERT(reinterpret_cast<std::uintptr_t>(ring.data()) % kChunkAlignment == 0,
             "a request ring is aligned to its places");
}

/// Where a position lies. A mask: a division costs as much as the rest of a push (measured).
std::size_t place_of(std::uint64_t position, std::span<const std::byte> ring) noexcept {
  return static_cast<std::size_t>(position & (ring.size() - 1));
}

/// Reads eight bytes of a header in the ring exactly once: an atomic load, since the compiler may
/// turn a plain one into two, and the client may write between them (I7).
std::uint64_t read_once(std::span<const std::byte> ring, std::size_t at) noexcept {
  auto* place = reinterpret_cast<std::uint64_t*>(const_cast<std::byte*>(ring.data() + at));
  // Relaxed: the acquire of the tail orders it.
  return std::atomic_ref<std::uint64_t>(*place).load(std::memory_order_relaxed);
}

}  // namespace

RequestProducer::RequestProducer(std::span<std::byte> ring, std::atomic<std::uint64_t>& tail,
                                 const std::atomic<std::uint64_t>& head) noexcept
    : ring_(ring),
      shared_tail_(tail),
      shared_head_(head),
      tail_(tail.load(std::memory_order_relaxed)),  // relaxed: this side's own word
      head_(tail_) {
  require_ring(ring);
  // Acquire: as in `free_bytes`. An end that is not behind the tail is looked at there again.
  const std::uint64_t seen = head.load(std::memory_order_acquire);
  if (seen <= tail_ && tail_ - seen <= ring_.size()) head_ = seen;
}

std::size_t RequestProducer::free_bytes(std::size_t wanted) noexcept {
  const std::size_t capacity = ring_.size();
  std::size_t unused = capacity - static_cast<std::size_t>(tail_ - head_);
  if (unused >= wanted) return unused;
  // The daemon has read what it gave back before this side writes over it. seq_cst: a second look
  // too, behind `wants_room`.
  // SYNC POINT: ReplyHeader::request_head, RequestConsumer::give_back.
  const std::uint64_t seen = shared_head_.load(std::memory_order_seq_cst);
  if (seen < head_ || seen > tail_) {
    broken_ = true;
    return 0;
  }
  head_ = seen;
  unused = capacity - static_cast<std::size_t>(tail_ - head_);
  return unused;
}

void RequestProducer::copy_in(std::uint64_t position, std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return;
  const std::size_t at = place_of(position, ring_);
  const std::size_t first = std::min(bytes.size(), ring_.size() - at);
  std::memcpy(ring_.data() + at, bytes.data(), first);
  if (first < bytes.size()) {
    std::memcpy(ring_.data(), bytes.data() + first, bytes.size() - first);
  }
}

Push RequestProducer::try_push(std::uint64_t number, std::span<const std::byte> payload,
                               std::uint32_t flags) noexcept {
  DFS_ASSERT(payload.size() <= kMaxChunkBytes, "a longer request crosses in several chunks");
  DFS_ASSERT((flags & kAbandonChunk) == 0 || payload.empty(), "an abandon has no payload");
  if (broken_) return Push::broken;
  const std::size_t taken = ring_bytes(payload.size());
  if (free_bytes(taken) < taken) return broken_ ? Push::broken : Push::full;

  const ChunkHeader header{number, static_cast<std::uint32_t>(payload.size()), flags};
  std::memcpy(ring_.data() + place_of(tail_, ring_), &header, sizeof(header));  // never wraps
  copy_in(tail_ + sizeof(header), payload);
  tail_ += taken;
  // seq_cst: releases the chunk, and stands in one order with the look at the daemon's `asleep`.
  // SYNC POINT: ClientPage::request_tail, RequestConsumer::look and has_more.
  shared_tail_.store(tail_, std::memory_order_seq_cst);
  return Push::pushed;
}

std::size_t RequestProducer::room() noexcept {
  const std::size_t unused = free_bytes(ring_bytes(kMaxChunkBytes));
  return unused <= sizeof(ChunkHeader) ? 0 : std::min(unused - sizeof(ChunkHeader), kMaxChunkBytes);
}

std::uint64_t RequestProducer::given_back() const noexcept {
  // seq_cst: the second look of a client that is about to sleep until there is space.
  // SYNC POINT: ReplyHeader::request_head, RequestConsumer::give_back.
  return shared_head_.load(std::memory_order_seq_cst);
}

RequestConsumer::RequestConsumer(std::span<const std::byte> ring,
                                 const std::atomic<std::uint64_t>& tail,
                                 std::atomic<std::uint64_t>& head) noexcept
    : ring_(ring),
      shared_tail_(tail),
      shared_head_(head),
      head_(head.load(std::memory_order_relaxed)),  // relaxed: this side's own word
      given_back_(head_),
      tail_(head_) {
  require_ring(ring);
}

Found RequestConsumer::give_up(DropReason reason) noexcept {
  reason_ = reason;
  return Found::broken;
}

Found RequestConsumer::look(Chunk& chunk) noexcept {
  if (reason_ != DropReason::none) return Found::broken;
  if (tail_ == head_) {
    // Acquire: the chunk's bytes, and the words submitted before it was pushed.
    // SYNC POINT: ClientPage::request_tail, RequestProducer::try_push.
    const std::uint64_t seen = shared_tail_.load(std::memory_order_acquire);
    if (seen == head_) return Found::nothing;
    // Measured from what was given back: the client was told of no more space than that.
    if (seen < head_ || seen - given_back_ > ring_.size() || seen % kChunkAlignment != 0) {
      return give_up(DropReason::bad_tail);
    }
    tail_ = seen;
  }
  const std::size_t at = place_of(head_, ring_);
  const std::uint64_t number = read_once(ring_, at);
  const std::uint64_t sizes = read_once(ring_, at + offsetof(ChunkHeader, bytes));
  const auto bytes = static_cast<std::uint32_t>(sizes);
  const auto flags = static_cast<std::uint32_t>(sizes >> 32);
  const bool last = (flags & kLastChunk) != 0;
  const bool abandon = (flags & kAbandonChunk) != 0;
  const bool valid = number >= 1 && number <= kMaxRequestNumber && bytes <= kMaxChunkBytes &&
                     (flags & ~(kLastChunk | kAbandonChunk)) == 0 &&
                     (abandon ? bytes == 0 : last || bytes > 0) &&
                     ring_bytes(bytes) <= tail_ - head_;
  if (!valid) return give_up(DropReason::bad_chunk);
  chunk = {number, bytes, last, abandon, head_ + ring_bytes(bytes)};
  return Found::one;
}

void RequestConsumer::copy_out(const Chunk& chunk, std::span<std::byte> out) noexcept {
  DFS_ASSERT(out.size() == chunk.bytes, "a payload is copied whole");
  const std::size_t at = place_of(head_ + sizeof(ChunkHeader), ring_);
  const std::size_t first = std::min(out.size(), ring_.size() - at);
  if (first > 0) std::memcpy(out.data(), ring_.data() + at, first);
  if (first < out.size()) std::memcpy(out.data() + first, ring_.data(), out.size() - first);
  // The copy alone is checked and used (I7); the compiler may not look at the ring again for it.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  skip(chunk);
}

void RequestConsumer::skip(const Chunk& chunk) noexcept {
  DFS_ASSERT(chunk.end == head_ + ring_bytes(chunk.bytes) && chunk.end <= tail_,
             "only the chunk just found can be stepped behind");
  head_ = chunk.end;
}

void RequestConsumer::give_back(std::uint64_t end) noexcept {
  DFS_ASSERT(end >= given_back_ && end <= head_, "only what was stepped behind is given back");
  given_back_ = end;
  // seq_cst: releases the space after its bytes were read and its words taken, and stands in
  // one order with the look at the client's `asleep`.
  // SYNC POINT: ReplyHeader::request_head, RequestProducer::free_bytes and given_back.
  shared_head_.store(end, std::memory_order_seq_cst);
}

bool RequestConsumer::has_more() const noexcept {
  // seq_cst: the second look, behind the store of `asleep` in the one order of all four.
  // SYNC POINT: ClientPage::request_tail, RequestProducer::try_push.
  return tail_ != head_ || shared_tail_.load(std::memory_order_seq_cst) != head_;
}

}  // namespace dfs::wire
