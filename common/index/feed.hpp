// The feed: the commits of a generation in order, as a reader follows them.
//
// Records lie one after the other in commit order, so walking them is the feed; an entry for every
// 1,024 commits says where to begin. What compaction carried over stands before the feed, in key
// order, and is not part of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/index/record.hpp"
#include "common/index/view.hpp"

namespace dfs::index {

inline constexpr std::uint64_t kCommitsPerFeedEntry = 1024;
/// Commits of many records have entries sooner, so that no search walks far.
inline constexpr std::uint64_t kRecordsPerFeedEntry = 16384;
/// A block of 64 KiB at the most.
inline constexpr std::uint64_t kMinFeedBlockEntries = 62;
inline constexpr std::uint64_t kMaxFeedBlockEntries = 4094;

/// Where a commit's first record lies.
struct FeedEntry {
  std::uint64_t sequence;
  std::uint64_t offset;
};
static_assert(sizeof(FeedEntry) == 16);
static_assert(offsetof(FeedEntry, sequence) == 0);
static_assert(offsetof(FeedEntry, offset) == 8);

/// A block of entries, `capacity` of them behind the header. Entries are appended, then the count
/// is released; each block is twice its predecessor, up to a bound.
struct FeedBlock {
  std::uint64_t previous;            ///< Offset of the block before, or 0.
  std::uint64_t capacity;            ///< Constant after construction.
  std::atomic<std::uint64_t> count;  ///< Written by the daemon, read by clients.
};
static_assert(sizeof(FeedBlock) == 24);
static_assert(offsetof(FeedBlock, previous) == 0);
static_assert(offsetof(FeedBlock, capacity) == 8);
static_assert(offsetof(FeedBlock, count) == 16);

/// One step of a walk through the feed.
struct FeedStep {
  /// found: `record` is the next one. absent: nothing more is published; ask again at `next`.
  Outcome outcome = Outcome::absent;
  const RecordHeader* record = nullptr;
  std::uint64_t next = 0;  ///< Where to go on; stays good with a larger mapping.
};

/// The oldest sequence after which this generation's feed can begin; below it: `compacted`.
[[nodiscard]] std::uint64_t feed_base(const View& view) noexcept;

/// Where the first commit after `after` lies, or will: the step's `next`; outcome found, without a
/// record. absent where `after` lies before the feed. Any threads.
[[nodiscard]] FeedStep first_after(const View& view, std::uint64_t after) noexcept;

/// The record at `offset`, which `first_after` or a step before has given, if it is published up to
/// `up_to`, a published sequence of this generation that was loaded before the call. Any threads.
[[nodiscard]] FeedStep feed_step(const View& view, std::uint64_t offset,
                                 std::uint64_t up_to) noexcept;

}  // namespace dfs::index
