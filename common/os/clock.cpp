#include "common/os/clock.hpp"

#include <sched.h>

#include <algorithm>
#include <ctime>

namespace dfs::os {

std::uint64_t wall_clock_ms() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::chrono::nanoseconds Deadline::left() const noexcept {
  constexpr std::chrono::nanoseconds kMost = std::chrono::hours(1);
  if (at_ == Monotonic::time_point::max()) return kMost;
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(at_ - Monotonic::now());
  return std::clamp(left, std::chrono::nanoseconds(0), kMost);
}

int Deadline::left_ms() const noexcept {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left()).count());
}

void pause_processor() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

std::chrono::nanoseconds thread_time() noexcept {
  struct timespec had {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &had);
  return std::chrono::seconds(had.tv_sec) + std::chrono::nanoseconds(had.tv_nsec);
}

void yield_processor() noexcept { ::sched_yield(); }

unsigned processors() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

}  // namespace dfs::os
