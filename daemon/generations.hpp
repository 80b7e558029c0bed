// The generations that live: the current one, those before it that somebody still holds, and the
// one that compaction fills.
//
// Behind publish on the way of a write: the switch makes another generation current, and from then
// on the old one lives only as long as it is held, or until it is revoked.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "common/os/clock.hpp"
#include "daemon/generation.hpp"
#include "daemon/memory_budget.hpp"
#include "daemon/session.hpp"

namespace dfs::daemon {

/// Threads: current() and make_current() by the writer (before it starts, by main);
/// make_next() and drop_next() by the compactor; all else by any.
///
/// They are given back from the oldest on, so that whoever holds one can walk the feed from there
/// through all that came after it.
class Generations {
 public:
  Generations(index::ControlPage& page, std::unique_ptr<MemoryBudget> budget,
              std::unique_ptr<Generation> first, const os::ForkMark& mark);

  [[nodiscard]] Generation& current() const { return *writers_; }
  /// The switch. Requires: `next` came from make_next(), holds everything that the current one has
  /// published, and is published up to there itself.
  void make_current(const std::shared_ptr<Generation>& next);

  /// The next generation, empty. Requires: there_is_room().
  [[nodiscard]] Result<std::shared_ptr<Generation>> make_next(std::uint64_t expected_keys);
  /// It will never be current.
  void drop_next(const std::shared_ptr<Generation>& next);
  /// Whether another generation may be made: a slot is free, and no more than one superseded
  /// generation is held by snapshots that may not be revoked yet.
  [[nodiscard]] bool there_is_room(std::chrono::milliseconds snapshot_ttl) const;
  /// Whether every slot is taken.
  [[nodiscard]] bool is_full() const;

  /// Gives back what nobody holds any more. Returns how many are still held.
  std::size_t give_back_unheld();
  /// Gives the oldest one back although it is held, if it was superseded longer ago than
  /// `snapshot_ttl`: its snapshots say `snapshot_too_old`. False where none is.
  bool revoke_oldest(std::chrono::milliseconds snapshot_ttl);
  /// How long until it would; nothing where none is superseded.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> may_revoke_in(
      std::chrono::milliseconds snapshot_ttl) const;

  /// Null where it was given back.
  [[nodiscard]] std::shared_ptr<const Generation> find(std::uint64_t number) const;
  /// Whose holds count. Before the answer to its hello.
  void add_holder(std::shared_ptr<Session> session);
  void remove_holder(std::uint64_t connection);

  struct Superseded {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
    os::Monotonic::time_point since;
  };
  /// Those that are still held, the oldest first.
  [[nodiscard]] std::vector<Superseded> superseded() const;
  /// What they take together.
  [[nodiscard]] std::uint64_t old_bytes() const {
    return old_bytes_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] MemoryBudget& budget() const { return *budget_; }
  [[nodiscard]] index::ControlPage& page() const { return page_; }

 private:
  struct Old {
    std::shared_ptr<Generation> generation;
    std::uint64_t bytes = 0;  // as counted in old_bytes_
    os::Monotonic::time_point since;
  };
  [[nodiscard]] bool held(std::uint64_t number) const;
  void give_back_oldest(std::unique_lock<std::mutex>& lock);

  // Constant after construction.
  index::ControlPage& page_;
  const std::unique_ptr<MemoryBudget> budget_;
  const os::ForkMark& mark_;

  // Writer thread only.
  Generation* writers_;

  // Of those that are superseded.
  std::atomic<std::uint64_t> old_bytes_{0};

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::shared_ptr<Generation> current_;
  std::deque<Old> old_;
  std::vector<std::shared_ptr<Session>> holders_;
};

}  // namespace dfs::daemon
