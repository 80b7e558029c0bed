// Time: for people and the log (ms since 1970), and for waiting (a deadline). Never used for order.
#pragma once

#include <chrono>
#include <cstdint>

namespace dfs::os {

/// Milliseconds since 1970-01-01T00:00Z.
[[nodiscard]] std::uint64_t wall_clock_ms() noexcept;

using Monotonic = std::chrono::steady_clock;

/// A moment until which something is waited for.
class Deadline {
 public:
  template <class Rep, class Period>
  static Deadline after(std::chrono::duration<Rep, Period> span) noexcept {
    // Saturates, before it is told in nanoseconds: a caller's "for ever" must not wrap round to the
    // past.
    if (span > std::chrono::hours(24 * 365)) return never();
    if (span < std::chrono::duration<Rep, Period>::zero()) return Deadline(Monotonic::now());
    return Deadline(Monotonic::now() + std::chrono::duration_cast<Monotonic::duration>(span));
  }
  static Deadline never() noexcept { return Deadline(Monotonic::time_point::max()); }

  [[nodiscard]] bool passed() const noexcept {
    return at_ != Monotonic::time_point::max() && Monotonic::now() >= at_;
  }
  /// What is left, at least 0; capped at an hour, so that it fits every system call.
  [[nodiscard]] std::chrono::nanoseconds left() const noexcept;
  /// As poll(2) wants it: rounded up, so that it never spins at the end.
  [[nodiscard]] int left_ms() const noexcept;

 private:
  explicit Deadline(Monotonic::time_point at) noexcept : at_(at) {}
  Monotonic::time_point at_;
};

/// Tells the processor that this is a spin loop.
void pause_processor() noexcept;
/// Processor time that the calling thread has had.
[[nodiscard]] std::chrono::nanoseconds thread_time() noexcept;
/// Lets others that are ready have the processor for a while; comes back at once where none is.
void yield_processor() noexcept;
/// Processors this process may run on.
[[nodiscard]] unsigned processors() noexcept;

}  // namespace dfs::os
