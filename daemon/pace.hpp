// How a compaction keeps out of the way of those who write: with fewer processors than threads it
// takes no more than its part of one, and where the writer is not to run ahead for ever, it is let
// on in small steps.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "common/os/clock.hpp"

namespace dfs::daemon {

/// What a thread has had of a processor, against its part. Threads: that one.
class ProcessorShare {
 public:
  /// Whether it has had more than its part lately. Both as they are now: the time, and the
  /// processor time of the thread.
  [[nodiscard]] bool used_up(std::chrono::nanoseconds now, std::chrono::nanoseconds mine) noexcept;

 private:
  std::chrono::nanoseconds looked_at_{0};
  std::chrono::nanoseconds mine_{0};
  std::chrono::nanoseconds credit_{0};
};

/// Threads: pause_at and about_to_wait by the writer, and in its turn open; all else by the
/// compactor's.
class Pace {
 public:
  explicit Pace(std::function<void()> wake_writer) : wake_writer_(std::move(wake_writer)) {}

  /// The writer is to append nothing while its log is as long as this.
  [[nodiscard]] std::uint64_t pause_at() const { return pause_at_.load(std::memory_order_acquire); }
  /// The writer will look once more, and then wait until it is woken.
  void about_to_wait() { awaited_.store(true, std::memory_order_seq_cst); }

  /// The writer waits until `open`.
  void close() { pause_at_.store(0, std::memory_order_seq_cst); }
  void open();
  /// It goes on as it likes, unless it waits for `open`.
  void let_go() { let_on_to(UINT64_MAX); }
  /// Its log is now so long, and may grow by `more`, and then by half of what `copied` tells.
  void begin_round(std::uint64_t log_end, std::uint64_t more);
  /// So many bytes were copied since the round began.
  void copied(std::uint64_t bytes);
  /// Between two pieces of work: lets others have the processor, if they want it and this thread
  /// has had its part.
  void give_way();

 private:
  void let_on_to(std::uint64_t log_end);

  const std::function<void()> wake_writer_;
  std::atomic<std::uint64_t> pause_at_{UINT64_MAX};
  std::atomic<bool> awaited_{false};
  std::uint64_t round_end_ = 0;
  ProcessorShare share_;
};

}  // namespace dfs::daemon
