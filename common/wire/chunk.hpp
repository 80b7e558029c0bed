// A chunk: the piece in which requests cross the request ring, so that a request may be larger than
// the ring and a short one need not wait behind a long one.
//
// In the ring: a header of 16 bytes, its payload, padding to the next multiple of 16. Headers never
// wrap round; payloads do. Chunks of several requests may interleave; those of one are in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/limits.hpp"

namespace dfs::wire {

inline constexpr std::size_t kChunkAlignment = 16;
static_assert(kRequestRingBytes % kChunkAlignment == 0, "no header wraps round");

/// Bits of ChunkHeader::flags; others are refused.
inline constexpr std::uint32_t kLastChunk = 1;     ///< The request is whole.
inline constexpr std::uint32_t kAbandonChunk = 2;  ///< It never will be: forget it. No payload.

/// As it lies in the ring.
struct ChunkHeader {
  std::uint64_t number;  ///< of its request
  std::uint32_t bytes;   ///< of payload
  std::uint32_t flags;
};
static_assert(sizeof(ChunkHeader) == kChunkAlignment);
static_assert(offsetof(ChunkHeader, bytes) == 8 && offsetof(ChunkHeader, flags) == 12);

/// As it was read, once, and checked (I7).
struct Chunk {
  std::uint64_t number = 0;
  std::size_t bytes = 0;
  bool last = false;
  bool abandon = false;
  /// Where the ring goes on behind it: what to give back once it is done with.
  std::uint64_t end = 0;
};

/// What a chunk with that payload takes of the ring.
[[nodiscard]] constexpr std::size_t ring_bytes(std::size_t payload) noexcept {
  return sizeof(ChunkHeader) + (payload + kChunkAlignment - 1) / kChunkAlignment * kChunkAlignment;
}

/// What one look at a ring found.
enum class Found : std::uint8_t {
  nothing,
  one,     ///< a chunk, or a frame
  broken,  ///< the other side broke the protocol: have nothing more to do with it
};

}  // namespace dfs::wire
