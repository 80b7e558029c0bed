// One number for every offset and size that daemon and client must agree on: two builds whose
// numbers of layout are equal and whose hashes differ were made of different headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "common/wire/chunk.hpp"
#include "common/wire/client_page.hpp"
#include "common/wire/reply.hpp"
#include "common/wire/reply_header.hpp"

namespace dfs::wire {

/// FNV-1a over the numbers' bytes; for comparing, not against anybody.
[[nodiscard]] constexpr std::uint64_t hash_numbers(
    std::initializer_list<std::uint64_t> numbers) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint64_t number : numbers) {
    for (int shift = 0; shift < 64; shift += 8) {
      hash = (hash ^ (number >> shift & 0xff)) * 0x100000001b3;
    }
  }
  return hash;
}

/// `index_layout`: the same kind of hash over the index's layout, from the folder that owns it.
[[nodiscard]] constexpr std::uint64_t layout_hash(std::uint64_t index_layout) noexcept {
  return hash_numbers({index_layout,
                       kClientPageBytes,
                       offsetof(ClientPage, request_tail),
                       offsetof(ClientPage, reply_position),
                       offsetof(ClientPage, asleep),
                       offsetof(ClientPage, watching),
                       offsetof(ClientPage, holds),
                       offsetof(ClientPage, words),
                       kGenerationSlots,
                       kMaxInFlight,
                       kRequestRingBytes,
                       kChunkAlignment,
                       sizeof(ChunkHeader),
                       offsetof(ChunkHeader, bytes),
                       offsetof(ChunkHeader, flags),
                       kMaxChunkBytes,
                       kReplyHeaderBytes,
                       kReplyRingBytes,
                       kReplyMagic,
                       offsetof(ReplyHeader, released),
                       offsetof(ReplyHeader, prepared),
                       offsetof(ReplyHeader, request_head),
                       offsetof(ReplyHeader, dropped),
                       sizeof(FrameHeader),
                       offsetof(FrameHeader, number),
                       offsetof(FrameHeader, sequence),
                       sizeof(RefusalBody),
                       offsetof(RefusalBody, version),
                       offsetof(RefusalBody, limit),
                       offsetof(RefusalBody, offset),
                       offsetof(RefusalBody, system_errno),
                       offsetof(RefusalBody, key_bytes),
                       sizeof(CommitBody)});
}

}  // namespace dfs::wire
