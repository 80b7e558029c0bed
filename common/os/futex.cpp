#include "common/os/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace dfs::os {

void sleep_at(const std::atomic<std::uint32_t>& word, std::uint32_t value,
              std::chrono::nanoseconds longest) noexcept {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(longest);
  const timespec span{static_cast<time_t>(seconds.count()),
                      static_cast<long>((longest - seconds).count())};
  static_cast<void>(::syscall(SYS_futex, &word, FUTEX_WAIT, value, &span, nullptr, 0));
}

void wake_at(const std::atomic<std::uint32_t>& word) noexcept {
  static_cast<void>(::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0));
}

}  // namespace dfs::os
