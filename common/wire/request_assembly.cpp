#include "common/wire/request_assembly.hpp"

#include <algorithm>
#include <utility>

#include "common/base/assert.hpp"

namespace dfs::wire {

namespace {

/// What a block begins with.
constexpr std::size_t kFirstBytes = 512;

/// By half at a time, so that a request of many chunks is moved few times and wastes at most half
/// of what it sent.
std::size_t capacity_for(std::size_t needed, std::size_t capacity) noexcept {
  if (needed <= capacity) return capacity;
  return std::min(std::max({needed, capacity + capacity / 2, kFirstBytes}), kMaxRequestBytes);
}

}  // namespace

const RequestAssembly::Partial* RequestAssembly::find(std::uint64_t number) const noexcept {
  const auto at = std::find_if(partial_.begin(), partial_.end(),
                               [&](const Partial& one) { return one.number == number; });
  return at == partial_.end() ? nullptr : &*at;
}

RequestAssembly::Partial* RequestAssembly::find(std::uint64_t number) noexcept {
  return const_cast<Partial*>(std::as_const(*this).find(number));
}

void RequestAssembly::drop(std::uint64_t number) noexcept {
  Partial* partial = find(number);
  if (partial == nullptr) return;
  bytes_ -= partial->buffer.capacity();
  *partial = std::move(partial_.back());
  partial_.pop_back();
}

std::size_t RequestAssembly::growth(const Chunk& chunk) const noexcept {
  if (chunk.abandon || (!discarded_.empty() && discarded_.contains(chunk.number))) return 0;
  const Partial* partial = find(chunk.number);
  if (partial != nullptr) {
    const Buffer& buffer = partial->buffer;
    return capacity_for(buffer.size() + chunk.bytes, buffer.capacity()) - buffer.capacity();
  }
  return capacity_for(chunk.bytes, 0);
}

RequestAssembly::Place RequestAssembly::place(const Chunk& chunk) {
  if (!discarded_.empty() && discarded_.contains(chunk.number)) {
    if (chunk.last || chunk.abandon) discarded_.erase(chunk.number);
    return {};
  }
  if (chunk.abandon) {
    drop(chunk.number);
    return {};
  }
  Place place;
  Partial* partial = find(chunk.number);
  const std::size_t received = partial == nullptr ? 0 : partial->buffer.size();
  if (chunk.bytes > kMaxRequestBytes - received) {
    place.refusal.code = errc::too_large;
    place.refusal.rule = Rule::commit_bytes;
    place.refusal.limit = kMaxCommitBytes;
  } else if (partial == nullptr && !chunk.last && partial_.size() >= kMaxPartialRequests) {
    place.refusal.code = errc::busy;
    place.refusal.rule = Rule::partial_requests;
    place.refusal.limit = kMaxPartialRequests;
  } else {
    if (partial == nullptr) {
      partial_.push_back({chunk.number, {}});
      partial = &partial_.back();
    }
    Buffer& buffer = partial->buffer;
    const std::size_t before = buffer.capacity();
    if (buffer.reserve(capacity_for(received + chunk.bytes, before))) {
      bytes_ += buffer.capacity() - before;
      place.placement = Placement::copy;
      place.destination = {buffer.begin() + received, chunk.bytes};
      return place;
    }
    place.refusal.code = errc::busy;
    place.refusal.rule = Rule::received_bytes;
    place.refusal.limit = bytes_;
  }
  place.placement = refuse(chunk) ? Placement::refused : Placement::broken;
  return place;
}

bool RequestAssembly::finish(const Chunk& chunk, WholeRequest& whole) {
  Partial* partial = find(chunk.number);
  DFS_ASSERT(partial != nullptr, "a chunk is placed before it is finished");
  Buffer& buffer = partial->buffer;
  buffer.resize(buffer.size() + chunk.bytes);
  DFS_ASSERT(buffer.size() <= buffer.capacity(), "a chunk has its place before it is copied");
  if (!chunk.last) return false;
  const std::size_t held = buffer.capacity();
  whole.number = chunk.number;
  whole.buffer = std::move(buffer);
  drop(chunk.number);
  bytes_ -= held;
  return true;
}

bool RequestAssembly::refuse(const Chunk& chunk) {
  drop(chunk.number);
  if (chunk.last || chunk.abandon) {
    discarded_.erase(chunk.number);
    return true;
  }
  if (discarded_.size() >= kMaxInFlight) return false;
  discarded_.insert(chunk.number);
  return true;
}

}  // namespace dfs::wire
