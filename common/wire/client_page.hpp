// The client's own page: what one client writes and the daemon reads. The daemon makes it for each
// client, 64 KiB in a sealed memfd, and writes nothing in it but the request words it takes.
//
// On the way of a write it stands at the beginning (the words and the tail say that a request is
// there) and at the end (the reply position gives room back). Byte table: docs/client-memory.md.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "common/base/limits.hpp"

namespace dfs::wire {

inline constexpr std::size_t kCacheLineBytes = 64;

/// State of one request, and its number: `number << 2 | state`. See request_word.hpp.
using RequestWord = std::atomic<std::uint64_t>;
/// How many snapshots a client holds of each generation slot (generation modulo eight).
using Holds = std::array<std::atomic<std::uint64_t>, kGenerationSlots>;

/// Every member is input to the daemon (I7): read once, checked, never believed.
/// Threads: any of the client's write it, the daemon's writer and main thread read it.
struct ClientPage {
  /// End of what the client has pushed into the request ring.
  alignas(kCacheLineBytes) std::atomic<std::uint64_t> request_tail;
  /// How far the client has read the reply ring.
  alignas(kCacheLineBytes) std::atomic<std::uint64_t> reply_position;
  /// Not 0 while the client sleeps, or is about to, at its bell: see waiting.hpp.
  alignas(kCacheLineBytes) std::atomic<std::uint32_t> asleep;
  /// 1 while the client has watchers: it is rung after a publish.
  alignas(kCacheLineBytes) std::atomic<std::uint32_t> watching;
  alignas(kCacheLineBytes) Holds holds;
  /// The word of request n is words[n % kMaxInFlight].
  alignas(4096) std::array<RequestWord, kMaxInFlight> words;
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");
static_assert(std::atomic<std::uint32_t>::is_always_lock_free, "shared between processes");
static_assert(sizeof(std::atomic<std::uint64_t>) == 8 && sizeof(std::atomic<std::uint32_t>) == 4);
static_assert(std::is_standard_layout_v<ClientPage> && alignof(ClientPage) == 4096);
static_assert(offsetof(ClientPage, request_tail) == 0);
static_assert(offsetof(ClientPage, reply_position) == 64);
static_assert(offsetof(ClientPage, asleep) == 128);
static_assert(offsetof(ClientPage, watching) == 192);
static_assert(offsetof(ClientPage, holds) == 256);
static_assert(offsetof(ClientPage, words) == 4096);
static_assert(sizeof(ClientPage) == 4096 + 8 * kMaxInFlight);
static_assert(sizeof(ClientPage) <= kClientPageBytes);

/// The page that lies in `memory`; fresh memory is a page of zeros, which is a valid one.
/// Requires: kClientPageBytes, aligned to 4,096.
[[nodiscard]] ClientPage& client_page_at(std::span<std::byte> memory) noexcept;

}  // namespace dfs::wire
