// Where the chunks of one client become whole requests again, in the daemon, bounded in every
// direction (I8): bytes of one request, requests begun, and a sum that the caller holds against the
// quotas before it grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

#include "common/wire/buffer.hpp"
#include "common/wire/chunk.hpp"
#include "common/wire/reply.hpp"
#include "common/wire/request.hpp"

namespace dfs::wire {

/// Requests of one client begun and not finished. A client that streams more at once is refused
/// `busy`; requests of one chunk do not count.
inline constexpr std::size_t kMaxPartialRequests = 64;

/// A request received whole; `buffer` holds the only copy that is checked and used (I7).
struct WholeRequest {
  std::uint64_t number = 0;
  Buffer buffer;
};

/// What is to be done with a chunk.
enum class Placement : std::uint8_t {
  copy,     ///< Copy its payload to `destination`, then `finish`.
  skip,     ///< It belongs to nothing any more (or is an `abandon`): step behind it.
  refused,  ///< Its request breaks a bound: refuse that, step behind; later chunks will be `skip`.
  broken,   ///< So many refused and unfinished requests that no honest client has them: drop it.
};

/// One for each client. For every chunk: growth, place, copy, finish. Threads: one at a time.
class RequestAssembly {
 public:
  /// What `place` would add to `bytes()`: for the quotas, before it happens.
  [[nodiscard]] std::size_t growth(const Chunk& chunk) const noexcept;

  struct Place {
    Placement placement = Placement::skip;
    std::span<std::byte> destination;  // copy
    Refusal refusal;                   // refused
  };
  /// Makes room for the chunk's payload, or says why not.
  [[nodiscard]] Place place(const Chunk& chunk);
  /// The payload is at its destination. True: the request is whole and moves to `whole`; its bytes
  /// (buffer.capacity()) leave `bytes()` with it. Requires: `place` of this chunk said `copy`.
  [[nodiscard]] bool finish(const Chunk& chunk, WholeRequest& whole);
  /// The caller refuses this chunk's request, over a quota say: what there is of it goes, later
  /// chunks will be `skip`. False: broken, as Placement::broken.
  [[nodiscard]] bool refuse(const Chunk& chunk);

  /// Nothing is begun: a request that comes in one chunk need not go through here.
  [[nodiscard]] bool idle() const noexcept { return partial_.empty() && discarded_.empty(); }

  /// Held by requests that are not whole, as allocated.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t partial_requests() const noexcept { return partial_.size(); }

 private:
  struct Partial {
    std::uint64_t number = 0;
    Buffer buffer;
  };
  [[nodiscard]] Partial* find(std::uint64_t number) noexcept;
  [[nodiscard]] const Partial* find(std::uint64_t number) const noexcept;
  void drop(std::uint64_t number) noexcept;

  std::vector<Partial> partial_;                 // at most kMaxPartialRequests, and one placed
  std::unordered_set<std::uint64_t> discarded_;  // at most kMaxInFlight; no payload kept
  std::size_t bytes_ = 0;
};

}  // namespace dfs::wire
