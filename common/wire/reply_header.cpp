#include "common/wire/reply_header.hpp"

#include <new>

#include "common/base/assert.hpp"

namespace dfs::wire {

namespace {

constexpr std::uint32_t kReplyLayout = 1;

bool aligned(const std::byte* memory) noexcept {
  return reinterpret_cast<std::uintptr_t>(memory) % alignof(ReplyHeader) == 0;
}

}  // namespace

std::string_view describe(DropReason reason) noexcept {
  switch (reason) {
    case DropReason::none:
      return "the connection stands";
    case DropReason::ended:
      return "the daemon was stopped";
    case DropReason::bad_tail:
      return "the daemon dropped this client: the end of its request ring was out of bounds";
    case DropReason::bad_chunk:
      return "the daemon dropped this client: its request ring held bytes that are no chunk";
    case DropReason::bad_position:
      return "the daemon dropped this client: its place in the reply ring was out of bounds";
    case DropReason::bad_word:
      return "the daemon dropped this client: a request's word was not that request's";
    case DropReason::bad_packet:
      return "the daemon dropped this client: it sent a packet that is none of the protocol's";
    case DropReason::too_many_parts:
      return "the daemon dropped this client: it began more requests than can be in flight";
    case DropReason::memory_fault:
      return "the daemon dropped this client: memory that it shares was taken away";
    case DropReason::not_reading:
      return "the daemon dropped this client: it did not read what it was sent";
  }
  return "the daemon dropped this client for a reason that this version does not know";
}

ReplyHeader& make_reply_header(std::span<std::byte> memory, std::uint64_t connection) noexcept {
  DFS_ASSERT(memory.size() >= kReplyMemoryBytes && aligned(memory.data()),
             "a reply ring is a header page and its data");
  auto* header = new (memory.data()) ReplyHeader{};
  header->magic = kReplyMagic;
  header->layout = kReplyLayout;
  header->data_bytes = kReplyRingBytes;
  header->connection = connection;
  return *header;
}

const ReplyHeader* reply_header_at(std::span<const std::byte> memory) noexcept {
  if (memory.size() < kReplyMemoryBytes || !aligned(memory.data())) return nullptr;
  const auto* header = reinterpret_cast<const ReplyHeader*>(memory.data());
  const bool known = header->magic == kReplyMagic && header->layout == kReplyLayout &&
                     header->data_bytes == kReplyRingBytes;
  return known ? header : nullptr;
}

}  // namespace dfs::wire
