// Waiting for several descriptors at once (epoll), and what can be waited for: eventfds, timers,
// signals.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "common/os/descriptor.hpp"

namespace dfs::os {

/// A counter that wakes whoever polls it. Threads: ring from any, drain by the waiter.
class Event {
 public:
  static Result<Event> make();
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  void ring() const noexcept;
  void drain() const noexcept;
  /// Drains it, and says whether it had been rung.
  [[nodiscard]] bool rang() const noexcept;
  [[nodiscard]] Descriptor take() noexcept { return std::move(fd_); }

 private:
  Descriptor fd_;
};

/// Adds one to an eventfd of somebody else's, never waiting (the other side may have filled it).
void ring_event(int fd) noexcept;

/// What became ready: the tag it was added with, and whether the other side hung up.
struct Ready {
  std::uint64_t tag = 0;
  bool readable = false;
  bool hung_up = false;
};

/// An epoll set. Threads: add and remove from any; wait from one.
class Poller {
 public:
  enum class Trigger { level, edge };
  struct Interest {
    std::uint64_t tag = 0;
    Trigger trigger = Trigger::level;
  };
  static Result<Poller> make();
  [[nodiscard]] Result<void> add(int fd, Interest interest) const;
  void remove(int fd) const noexcept;
  /// From now on, or no longer, a level-triggered one that was added makes this set readable. What
  /// hung up does all the same.
  void heed(int fd, bool on) const noexcept;
  /// Whatever is ready, at least one unless the deadline passes. The span lives until the next
  /// call.
  [[nodiscard]] std::span<const Ready> wait(Deadline deadline);
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  Descriptor fd_;
  std::vector<Ready> ready_;
};

/// Waits for one descriptor to become readable, or to hang up; false when the deadline passes
/// first.
bool wait_readable(int fd, Deadline deadline) noexcept;

/// A descriptor that tells of the signals given, which are blocked for this and every later thread.
Result<Descriptor> catch_signals(std::span<const int> signals);
/// The same for those that ask something of a daemon: to end (SIGTERM, SIGINT), or to read its
/// config again (SIGHUP).
Result<Descriptor> catch_daemon_signals();
[[nodiscard]] bool asks_for_reload(int signal) noexcept;
/// The next signal caught, or 0.
int next_signal(int fd) noexcept;

}  // namespace dfs::os
