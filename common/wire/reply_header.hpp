// The first page of a reply ring: how far the daemon has got, for a client that can only read it.
//
// It outlives the daemon in the client's mapping: what lies between the released and the prepared
// end is what a client may ask the next daemon about. Byte table: docs/client-memory.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "common/base/limits.hpp"
#include "common/wire/client_page.hpp"

namespace dfs::wire {

inline constexpr std::size_t kReplyHeaderBytes = 4096;
/// The memfd of a reply ring: header page and data.
inline constexpr std::size_t kReplyMemoryBytes = kReplyHeaderBytes + kReplyRingBytes;
/// "DFSREPLY", read as a little-endian number.
inline constexpr std::uint64_t kReplyMagic = 0x594c504552534644;

/// Why the daemon will have nothing more to do with a client. The numbers never change.
enum class DropReason : std::uint32_t {
  none = 0,
  ended = 1,           ///< The daemon stops.
  bad_tail = 2,        ///< request_tail went back or beyond the ring.
  bad_chunk = 3,       ///< A chunk's header is not one.
  bad_position = 4,    ///< reply_position went back or passed the released end.
  bad_word = 5,        ///< A request's word was not that request's.
  bad_packet = 6,      ///< A packet on the socket is not one.
  too_many_parts = 7,  ///< More requests begun and not finished than can be in flight.
  memory_fault = 8,    ///< The client took away memory that it shares.
  not_reading = 9,     ///< It left its replies unread, or its socket, for too long.
};
/// One sentence for people.
[[nodiscard]] std::string_view describe(DropReason reason) noexcept;

/// Threads: the daemon's writer writes, but for `dropped`, which the thread that drops writes.
struct ReplyHeader {
  // Constant once the client has it.
  std::uint64_t magic;
  std::uint32_t layout;
  std::uint32_t data_bytes;
  std::uint64_t connection;
  // Written by the daemon, read by the client.
  alignas(kCacheLineBytes) std::atomic<std::uint64_t> released;
  alignas(kCacheLineBytes) std::atomic<std::uint64_t> prepared;
  /// How far the daemon has given back the request ring.
  alignas(kCacheLineBytes) std::atomic<std::uint64_t> request_head;
  /// A DropReason; tells a client that its daemon lives but not for it.
  alignas(kCacheLineBytes) std::atomic<std::uint32_t> dropped;
};

static_assert(std::is_standard_layout_v<ReplyHeader>);
static_assert(offsetof(ReplyHeader, magic) == 0 && offsetof(ReplyHeader, layout) == 8);
static_assert(offsetof(ReplyHeader, data_bytes) == 12 && offsetof(ReplyHeader, connection) == 16);
static_assert(offsetof(ReplyHeader, released) == 64);
static_assert(offsetof(ReplyHeader, prepared) == 128);
static_assert(offsetof(ReplyHeader, request_head) == 192);
static_assert(offsetof(ReplyHeader, dropped) == 256);
static_assert(sizeof(ReplyHeader) == 320 && sizeof(ReplyHeader) <= kReplyHeaderBytes);

/// Daemon: makes the header in fresh (zeroed) memory of kReplyMemoryBytes, aligned to 64.
ReplyHeader& make_reply_header(std::span<std::byte> memory, std::uint64_t connection) noexcept;
/// Client: the header in a mapping, or nullptr if it is none that this version knows.
[[nodiscard]] const ReplyHeader* reply_header_at(std::span<const std::byte> memory) noexcept;

}  // namespace dfs::wire
