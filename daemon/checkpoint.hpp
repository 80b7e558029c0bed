// A point between two batches: what the log held, and how far the index was published.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>

#include "common/os/clock.hpp"

namespace dfs::daemon {

struct Checkpoint {
  std::uint64_t sequence = 0;  ///< the last published
  std::uint64_t next = 0;      ///< the next to be given
  std::uint64_t log_end = 0;   ///< the log's bytes up to here hold everything up to `sequence`
  std::uint64_t used = 0;      ///< bytes of the index up to here
  os::Monotonic::time_point time;
};

/// Those of the current generation, so that compaction may begin at an older one and keep what
/// followed for watchers. Threads: any.
class Checkpoints {
 public:
  /// By the writer, after each batch.
  void note(const Checkpoint& now);
  [[nodiscard]] Checkpoint latest() const;
  /// Whether anything was noted yet.
  [[nodiscard]] bool any() const;

  struct Wanted {
    std::chrono::milliseconds age{0};  ///< as long ago, or longer, where the tail allows; of what
                                       ///< is all older, nothing
    std::uint64_t tail_bytes = 0;      ///< of the log behind it, at the most
  };
  /// The one to begin at.
  [[nodiscard]] Checkpoint choose(const Wanted& wanted) const;

  /// Log and index were replaced: what was at `from` is at `to` now, and nothing of what was
  /// before.
  void move(const Checkpoint& from, const Checkpoint& to);

 private:
  // Guarded by mutex_.
  mutable std::mutex mutex_;
  Checkpoint latest_;
  std::deque<Checkpoint> kept_;  // rising, far enough from each other
};

}  // namespace dfs::daemon
