// The reply ring: finished replies, from the daemon to one client that can only read it.
//
// A reply is prepared before the append and released after the publish (I1). The ring outlives the
// daemon in the client's mapping, so after a crash the client finds which of its requests had been
// given which sequence, and asks the next daemon about those. Frames lie in one piece: one that
// would wrap round is preceded by padding. Reply is prepared -> published as prepared -> released.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/wire/chunk.hpp"
#include "common/wire/reply.hpp"
#include "common/wire/reply_header.hpp"

namespace dfs::wire {

enum class Room : std::uint8_t {
  enough,
  wait,    ///< The client has not read: leave its requests alone until it does.
  broken,  ///< reply_position went back or passed the released end: drop the client.
};

/// The daemon's end. Threads: the writer.
class ReplyProducer {
 public:
  /// Requires: header and `data` (a power of two, at least two largest frames, aligned to
  /// 8) outlive this; `position` is the client's.
  ReplyProducer(ReplyHeader& header, std::span<std::byte> data,
                const std::atomic<std::uint64_t>& position) noexcept;

  /// Is there room for more frames of up to `bytes` together, at most half the ring? The padding
  /// that they may need is counted.
  [[nodiscard]] Room room(std::size_t bytes) noexcept;
  /// Writes the reply behind the others, where the client does not look yet. `sequence` of a
  /// refusal is 0. Requires: `room` said enough for its frame_bytes.
  void prepare(std::uint64_t number, const Commitment& commitment);
  void prepare(std::uint64_t number, const Refusal& refusal);
  void prepare(const Reply& reply);
  /// Lets the client find what was prepared if this daemon dies. Before the append.
  void publish_prepared() noexcept;
  /// The batch was refused: every unreleased commit becomes this refusal, in place, without a key,
  /// and so does every refusal that may tell of what only this batch would have made. Before
  /// `release`, and after the cut and the start line are synced.
  void overwrite_prepared_with(const Refusal& refusal) noexcept;
  /// After the publish (I1). The caller then looks whether the client sleeps (waiting.hpp).
  void release() noexcept;
  /// Tells the client that this daemon lives but not for it. Between batches only, or the client
  /// would ask the next daemon about a commit that this one still makes.
  void drop(DropReason reason) noexcept;

  [[nodiscard]] bool has_unreleased() const noexcept { return released_ != end_; }

 private:
  // The next frame's place; padding before it where it would wrap round.
  [[nodiscard]] std::byte* frame_of(std::size_t size) noexcept;

  ReplyHeader& header_;
  const std::span<std::byte> data_;
  const std::atomic<std::uint64_t>& shared_position_;
  // Writer thread only.
  std::uint64_t end_ = 0;  // of what is written
  std::uint64_t released_ = 0;
  std::uint64_t position_ = 0;             // the client's, as last seen and checked
  std::vector<std::uint64_t> unreleased_;  // positions of what falls with the batch
  bool broken_ = false;
};

/// A frame that the daemon prepared and did not release: what to ask its successor about.
struct PreparedCommit {
  std::uint64_t number = 0;
  std::uint64_t sequence = 0;
  std::vector<std::uint64_t> versions;
  bool versions_left_out = false;
};

/// The client's end. The daemon is another program, perhaps a newer or a dead one: its bytes are
/// checked like any. Threads: one at a time, under the caller's lock.
class ReplyConsumer {
 public:
  /// Requires: all three outlive this.
  ReplyConsumer(const ReplyHeader& header, std::span<const std::byte> data,
                std::atomic<std::uint64_t>& position) noexcept;

  /// The next released reply, stepped behind. Its key lies in the ring and lives until `give_back`,
  /// its versions until the next call.
  [[nodiscard]] Found next(Reply& reply);
  /// Lets the daemon write over everything stepped behind. The caller then looks whether the daemon
  /// sleeps (waiting.hpp).
  void give_back() noexcept;
  /// The second look of a thread about to sleep: is a released reply there?
  [[nodiscard]] bool has_more() const noexcept;

  /// The sequence under which a living daemon has prepared this request's reply; none: not
  /// prepared yet, or a refusal, or released (then `next` has it).
  [[nodiscard]] std::optional<std::uint64_t> prepared_sequence(std::uint64_t number) const noexcept;
  /// The daemon is dead: commits that were prepared and not released, with their sequence. A
  /// refusal that was not released counts as never prepared. Call `next` until nothing before.
  [[nodiscard]] std::vector<PreparedCommit> prepared_commits();
  [[nodiscard]] DropReason dropped() const noexcept;

 private:
  struct Frame {
    FrameHeader header{};
    std::span<const std::byte> body;
    std::uint64_t end = 0;  // where the next one begins
  };
  [[nodiscard]] Found read_frame(std::uint64_t at, std::uint64_t end, Frame& frame) const noexcept;
  [[nodiscard]] bool read_commit(const Frame& frame, Commitment& commitment) noexcept;

  const ReplyHeader& header_;
  const std::span<const std::byte> data_;
  std::atomic<std::uint64_t>& shared_position_;
  // Guarded by the caller's lock.
  std::uint64_t position_ = 0;
  bool broken_ = false;
  std::array<std::uint64_t, kMaxReplyVersions> versions_{};
};

}  // namespace dfs::wire
