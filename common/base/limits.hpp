// Bounds that library and daemon share but users need not know; the public ones are in
// dfs/limits.hpp.
#pragma once

#include <dfs/limits.hpp>  // IWYU pragma: export

namespace dfs {

/// A line of the log: the largest value, and 64 KiB for its key (escaped, at most six bytes for
/// one) and members.
inline constexpr std::size_t kMaxLineBytes = kMaxValueBytes + (std::size_t{64} << 10);

/// A batch: what shares one write and one sync. Past either the sync costs less than the wait.
inline constexpr std::size_t kMaxBatchCommits = 4096;
/// A batch that is not synced: few, so that a client that has many under way is answered for some
/// of them, and makes others, while the rest is written.
inline constexpr std::size_t kMaxUnsyncedBatchCommits = 128;
inline constexpr std::size_t kMaxBatchLineBytes = std::size_t{8} << 20;

/// Received and not yet committed: for all clients, and for the clients of one uid.
inline constexpr std::size_t kMaxReceivedBytes = std::size_t{512} << 20;
inline constexpr std::size_t kMaxReceivedBytesPerUid = std::size_t{128} << 20;

/// Received and validated from one client before the next one's turn.
inline constexpr std::size_t kReceiveRoundBytes = std::size_t{256} << 10;

/// One chunk of a request in the ring; a request larger than this crosses in several.
inline constexpr std::size_t kMaxChunkBytes = std::size_t{64} << 10;

inline constexpr std::size_t kRequestRingBytes = std::size_t{1} << 20;
inline constexpr std::size_t kReplyRingBytes = std::size_t{256} << 10;
inline constexpr std::size_t kClientPageBytes = std::size_t{64} << 10;

/// Versions in a reply; of a larger commit the sequence alone comes back.
inline constexpr std::size_t kMaxReplyVersions = 64;

/// Sequences skipped after an unclean stop: a multiple of this, at least this far beyond what was
/// found.
inline constexpr std::uint64_t kSequenceGap = std::uint64_t{1} << 20;
/// The writer syncs at the latest every so many commits, so that no gap can be outrun unsynced.
inline constexpr std::uint64_t kMaxUnsyncedCommits = std::uint64_t{1} << 19;
/// Gaps remembered; below the oldest every sequence counts as lost.
inline constexpr std::size_t kMaxGaps = 1024;

/// Steps of one range check; beyond, the transaction is too large.
inline constexpr std::size_t kMaxRangeSteps = 50'000;

/// Generations alive at once: the slots of the control page and of a client's holds.
inline constexpr std::size_t kGenerationSlots = 8;

}  // namespace dfs
