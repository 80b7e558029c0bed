// The writer's side of the feed: an entry for every so many commits.
#pragma once

#include <cstdint>

#include "common/index/arena.hpp"
#include "common/index/control_page.hpp"
#include "common/index/feed.hpp"

namespace dfs::index {

/// Writer thread only. Where there is no memory for an entry it is left out, and the walk from the
/// one before is longer.
class FeedWriter {
 public:
  FeedWriter(Arena& arena, GenerationSlot& slot) noexcept : arena_(arena), slot_(slot) {}

  /// The feed begins at `offset`, behind `sequence`. Forgets what was noted before.
  void begin(std::uint64_t sequence, std::uint64_t offset) noexcept;
  /// A record of commit `sequence` lies at `offset`.
  void note(std::uint64_t sequence, std::uint64_t offset);

 private:
  [[nodiscard]] FeedBlock* room();

  // Constant after construction.
  Arena& arena_;
  GenerationSlot& slot_;

  // Writer thread only.
  std::uint64_t block_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t commits_ = 0;  ///< Since the last entry.
  std::uint64_t records_ = 0;  ///< Since the last entry.
};

}  // namespace dfs::index
