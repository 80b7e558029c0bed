// The memory limit: one sum for all generations that live at once, with a part of it promised to
// the one that compaction is to fill, so that a compaction always fits.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>

namespace dfs::daemon {

/// Counts what generations have allocated, until it is given back. Threads: any; relaxed
/// throughout, since no other memory hangs on these sums.
class MemoryBudget {
 public:
  enum class For : std::uint8_t {
    current,  ///< leaves what is promised
    erasing,  ///< the current one, and may take what is promised
    next,     ///< takes from what is promised, and beyond
    ahead,    ///< the next one, before it needs it: leaves a sixteenth of the limit to the current
  };

  /// Of the limit: with less left, memory is short.
  static constexpr std::uint64_t kReservePart = 16;

  explicit MemoryBudget(std::uint64_t limit) : limit_(limit) {}

  /// Counts `bytes` more, or refuses: then nothing is counted.
  [[nodiscard]] bool take(std::uint64_t bytes, For whom) noexcept {
    const std::uint64_t most = limit();
    std::uint64_t before = allocated_.load(std::memory_order_relaxed);
    do {
      const std::uint64_t kept = whom == For::current ? promised()
                                 : whom == For::ahead ? most / kReservePart
                                                      : 0;
      if (bytes > most || before > most - bytes || kept > most - bytes - before) return false;
    } while (!allocated_.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
    if (is_next(whom)) taken_by_next_.fetch_add(bytes, std::memory_order_relaxed);
    return true;
  }
  void give_back(std::uint64_t bytes, For whom) noexcept {
    allocated_.fetch_sub(bytes, std::memory_order_relaxed);
    if (!is_next(whom)) return;
    // It may have become the current one meanwhile, and then nothing of it is counted any more.
    std::uint64_t taken = taken_by_next_.load(std::memory_order_relaxed);
    while (!taken_by_next_.compare_exchange_weak(taken, taken - std::min(taken, bytes),
                                                 std::memory_order_relaxed)) {
    }
  }
  /// What the next generation will need, all told. By the writer, after each batch.
  void promise(std::uint64_t bytes) noexcept { promise_.store(bytes, std::memory_order_relaxed); }
  /// The next generation has become the current one: nothing of its successor's is taken yet.
  void next_is_current() noexcept { taken_by_next_.store(0, std::memory_order_relaxed); }

  [[nodiscard]] std::uint64_t allocated() const noexcept {
    return allocated_.load(std::memory_order_relaxed);
  }
  /// What is promised and not taken.
  [[nodiscard]] std::uint64_t promised() const noexcept {
    const std::uint64_t promise = promise_.load(std::memory_order_relaxed);
    return promise - std::min(promise, taken_by_next_.load(std::memory_order_relaxed));
  }
  [[nodiscard]] std::uint64_t limit() const noexcept {
    return limit_.load(std::memory_order_relaxed);
  }
  /// A lower one takes nothing away; it refuses sooner.
  void set_limit(std::uint64_t limit) noexcept { limit_.store(limit, std::memory_order_relaxed); }

 private:
  static bool is_next(For whom) noexcept { return whom == For::next || whom == For::ahead; }

  std::atomic<std::uint64_t> limit_;
  std::atomic<std::uint64_t> allocated_{0};
  std::atomic<std::uint64_t> promise_{0};
  std::atomic<std::uint64_t> taken_by_next_{0};
};

/// What to say of a limit that is below four times the live bytes, where two old generations that
/// are held, the current one and the next do not all fit; empty where it is not.
[[nodiscard]] std::string narrowness(const MemoryBudget& budget, std::uint64_t live_bytes);

}  // namespace dfs::daemon
