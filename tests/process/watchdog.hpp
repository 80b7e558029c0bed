// Ends a test that hangs, loudly. Not a bound on time: minutes for what takes seconds.
#pragma once

#include <unistd.h>

#include <csignal>
#include <cstring>

namespace dfs::test {

/// Armed for its life, in the process that made it: an alarm, since a thread would not be forked
/// along. Everything that the process started ends with it (see ClientProcess, DaemonProcess).
class Watchdog {
 public:
  /// `what` is a string literal.
  explicit Watchdog(const char* what, unsigned seconds = 300) {
    what_ = what;
    std::signal(SIGALRM, [](int) {
      const auto say = [](const char* text) {
        if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
      };
      say("watchdog: ");
      say(what_);
      say(" hangs\n");
      std::_Exit(99);
    });
    ::alarm(seconds);
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() { ::alarm(0); }

 private:
  static inline const char* volatile what_ = "";
};

}  // namespace dfs::test
