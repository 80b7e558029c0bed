// The memory of one client as the daemon would make it, in the heap of a test.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "common/wire/client_page.hpp"
#include "common/wire/reply_header.hpp"
#include "common/wire/reply_ring.hpp"
#include "common/wire/request_ring.hpp"

namespace dfs::wire {

/// All ends begin at `start`, as if so much had crossed before. Threads: as what lies in it.
class ClientMemory {
 public:
  explicit ClientMemory(std::uint64_t start = 0, std::size_t request_ring_bytes = kRequestRingBytes)
      : page_memory_(allocate(kClientPageBytes)),
        reply_memory_(allocate(kReplyMemoryBytes)),
        ring_memory_(allocate(request_ring_bytes)),
        ring(ring_memory_.get(), request_ring_bytes),
        data(reply_memory_.get() + kReplyHeaderBytes, kReplyRingBytes),
        page(client_page_at({page_memory_.get(), kClientPageBytes})),
        header(make_reply_header({reply_memory_.get(), kReplyMemoryBytes}, 1)) {
    page.request_tail = start;
    page.reply_position = start;
    header.request_head = start;
    header.released = start;
    header.prepared = start;
  }

  [[nodiscard]] RequestProducer request_producer() {
    return {ring, page.request_tail, header.request_head};
  }
  [[nodiscard]] RequestConsumer request_consumer() {
    return {ring, page.request_tail, header.request_head};
  }
  [[nodiscard]] ReplyProducer reply_producer() { return {header, data, page.reply_position}; }
  [[nodiscard]] ReplyConsumer reply_consumer() { return {header, data, page.reply_position}; }

  /// Everything that the client may write.
  [[nodiscard]] std::span<std::byte> page_bytes() { return {page_memory_.get(), kClientPageBytes}; }
  [[nodiscard]] std::span<std::byte> reply_bytes() {
    return {reply_memory_.get(), kReplyMemoryBytes};
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  using Memory = std::unique_ptr<std::byte, Free>;

  static Memory allocate(std::size_t bytes) {
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(4096, bytes));
    std::memset(memory, 0, bytes);
    return Memory(memory);
  }

  Memory page_memory_;
  Memory reply_memory_;
  Memory ring_memory_;

 public:
  std::span<std::byte> ring;
  std::span<std::byte> data;
  ClientPage& page;
  ReplyHeader& header;
};

/// Bytes that tell their place and their seed, so that none can pass for another.
inline std::vector<std::byte> pattern(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> bytes(size);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
  for (std::byte& byte : bytes) {
    state = state * 6364136223846793005 + 1442695040888963407;
    byte = static_cast<std::byte>(state >> 56);
  }
  return bytes;
}

inline Reply committed(std::uint64_t number, std::uint64_t sequence,
                       std::span<const std::uint64_t> versions = {}) {
  Reply reply;
  reply.kind = ReplyKind::committed;
  reply.number = number;
  reply.commitment.sequence = sequence;
  reply.commitment.versions = versions;
  return reply;
}

inline Reply refused(std::uint64_t number, const Refusal& refusal) {
  Reply reply;
  reply.kind = ReplyKind::refused;
  reply.number = number;
  reply.refusal = refusal;
  return reply;
}

}  // namespace dfs::wire
