// The request ring: bytes from one client to the daemon, single producer, single consumer. The
// first station of a write after the caller.
//
// Its memory is the client's to scribble over, so nothing in it is believed: the consumer keeps its
// head to itself, copies out once what it uses, and checks the copy (I7). The ring's ends are not
// in it: the tail is in the client's page, the head in the reply ring's header, which the client
// cannot write. Positions only rise; a position's place is its remainder by the capacity.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/limits.hpp"
#include "common/wire/chunk.hpp"
#include "common/wire/client_page.hpp"
#include "common/wire/reply_header.hpp"

namespace dfs::wire {

enum class Push : std::uint8_t {
  pushed,
  full,    ///< Wait until the daemon gives space back.
  broken,  ///< The daemon's head is nonsense: connect anew.
};

/// The client's end. After `pushed` the caller looks whether the daemon sleeps (waiting.hpp).
/// Threads: one at a time, under the caller's lock.
class RequestProducer {
 public:
  /// Requires: `ring` a power of two, at least one full chunk, aligned to 16; all three
  /// outlive this.
  RequestProducer(std::span<std::byte> ring, std::atomic<std::uint64_t>& tail,
                  const std::atomic<std::uint64_t>& head) noexcept;

  /// One chunk, whole or not at all. Requires: payload of at most kMaxChunkBytes, none with
  /// kAbandonChunk; the request's word submitted.
  [[nodiscard]] Push try_push(std::uint64_t number, std::span<const std::byte> payload,
                              std::uint32_t flags) noexcept;
  /// The longest payload that `try_push` would take now, up to kMaxChunkBytes; 0 also when full.
  [[nodiscard]] std::size_t room() noexcept;
  /// Position behind the last push: once `given_back` reaches it, its words may be freed.
  [[nodiscard]] std::uint64_t tail() const noexcept { return tail_; }
  /// How far the daemon has given back, as of now; what a sleeper for space looks at.
  [[nodiscard]] std::uint64_t given_back() const noexcept;
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  [[nodiscard]] std::size_t free_bytes(std::size_t wanted) noexcept;
  void copy_in(std::uint64_t position, std::span<const std::byte> bytes) noexcept;

  const std::span<std::byte> ring_;
  std::atomic<std::uint64_t>& shared_tail_;
  const std::atomic<std::uint64_t>& shared_head_;
  // Guarded by the caller's lock.
  std::uint64_t tail_;
  std::uint64_t head_;  // as last seen; the daemon's may be further
  bool broken_ = false;
};

/// The daemon's end: look, copy or skip, look, ..., give back. No call allocates or throws, and
/// none holds anything across its reading of the client's memory, so that a guard may leave any of
/// them by a jump. Threads: the writer.
class RequestConsumer {
 public:
  /// Requires: as RequestProducer.
  RequestConsumer(std::span<const std::byte> ring, const std::atomic<std::uint64_t>& tail,
                  std::atomic<std::uint64_t>& head) noexcept;

  /// The next chunk, its header copied once and checked; asked again, the same one. `broken`:
  /// `reason()` says why, and every later look says the same.
  [[nodiscard]] Found look(Chunk& chunk) noexcept;
  /// Copies the payload of the chunk just found, once, and steps behind it. The bytes are whatever
  /// the client has there by now. Requires: `look` found it; `out` has exactly chunk.bytes.
  void copy_out(const Chunk& chunk, std::span<std::byte> out) noexcept;
  /// Steps behind the chunk just found and leaves its payload.
  void skip(const Chunk& chunk) noexcept;
  /// Lets the client write over everything before `end` (a Chunk::end already stepped behind).
  /// Comes after `take`. The caller then looks whether the client sleeps (waiting.hpp).
  void give_back(std::uint64_t end) noexcept;
  /// The second look of a writer that is about to sleep: is anything there?
  [[nodiscard]] bool has_more() const noexcept;

  [[nodiscard]] DropReason reason() const noexcept { return reason_; }
  [[nodiscard]] std::uint64_t head() const noexcept { return head_; }

 private:
  [[nodiscard]] Found give_up(DropReason reason) noexcept;

  const std::span<const std::byte> ring_;
  const std::atomic<std::uint64_t>& shared_tail_;
  std::atomic<std::uint64_t>& shared_head_;
  // Writer thread only.
  std::uint64_t head_;
  std::uint64_t given_back_;
  std::uint64_t tail_;  // as last seen and checked
  DropReason reason_ = DropReason::none;
};

}  // namespace dfs::wire
