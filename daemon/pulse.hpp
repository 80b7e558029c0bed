// The writer's sign of life: a count that it moves, and whether it works, waits for work, or sits
// in a system call that may be slow. Relaxed stores of its own thread; the commit path makes no
// system call for it. Before the writer runs, opening the store moves it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "common/os/clock.hpp"

namespace dfs::daemon {

enum class Doing : std::uint8_t {
  working,
  waiting,    ///< nobody wants anything of it
  in_kernel,  ///< a write, a sync, an allocation: a slow disk is no hang
};

/// Threads: the writer writes (before it starts, main), any reads.
class Pulse {
 public:
  void beat() noexcept {
    // One thread writes at a time, so no read-modify-write. Relaxed: nothing is read by it.
    beats_.store(beats_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void now(Doing doing) noexcept { now(doing, os::Monotonic::now()); }
  /// The same for who has the time already.
  void now(Doing doing, os::Monotonic::time_point time) noexcept {
    doing_.store(doing, std::memory_order_relaxed);
    since_.store(time, std::memory_order_relaxed);
    beat();
  }
  [[nodiscard]] std::uint64_t beats() const noexcept {
    return beats_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] Doing doing() const noexcept { return doing_.load(std::memory_order_relaxed); }
  /// When it began to do that, or a moment ago began anew.
  [[nodiscard]] os::Monotonic::time_point since() const noexcept {
    return since_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> beats_{0};
  std::atomic<Doing> doing_{Doing::working};
  std::atomic<os::Monotonic::time_point> since_{os::Monotonic::time_point()};
};

/// For its life the thread is in the kernel, or waits; then it works again.
class DoingFor {
 public:
  DoingFor(Pulse& pulse, Doing doing) noexcept : pulse_(pulse) { pulse_.now(doing); }
  ~DoingFor() { pulse_.now(Doing::working); }
  DoingFor(const DoingFor&) = delete;
  DoingFor& operator=(const DoingFor&) = delete;

 private:
  Pulse& pulse_;
};

/// Looks at a pulse now and then. Threads: one.
class PulseWatch {
 public:
  /// In one system call for longer than this is a hang too: a disk that answers nothing.
  static constexpr std::chrono::minutes kLongestCall{10};

  /// `stall`: how long it may work without moving the count.
  PulseWatch(const Pulse& pulse, std::chrono::nanoseconds stall, os::Monotonic::time_point now)
      : pulse_(pulse), stall_(stall), beats_(pulse.beats()), moved_at_(now) {}

  [[nodiscard]] bool lives(os::Monotonic::time_point now) noexcept {
    if (const std::uint64_t beats = pulse_.beats(); beats != beats_) {
      beats_ = beats;
      moved_at_ = now;
    }
    switch (pulse_.doing()) {
      case Doing::waiting:
        return true;
      case Doing::in_kernel:
        return now - moved_at_ < kLongestCall;
      case Doing::working:
        break;
    }
    return now - moved_at_ < stall_;
  }

 private:
  const Pulse& pulse_;
  const std::chrono::nanoseconds stall_;
  std::uint64_t beats_;
  os::Monotonic::time_point moved_at_;
};

}  // namespace dfs::daemon
