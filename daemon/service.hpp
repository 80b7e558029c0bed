// What a service manager (systemd) is told of this daemon: that it serves, reads its config again,
// ends; that it lives, while its writer moves; that a start or an end takes longer than planned.
// Without one, all of it is nothing.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "common/os/clock.hpp"
#include "common/os/supervisor.hpp"
#include "daemon/journal.hpp"
#include "daemon/pulse.hpp"

namespace dfs::daemon {

/// Threads: main only.
class Service {
 public:
  Service(os::Supervisor supervisor, Journal& journal, const Pulse& pulse);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// It serves: after the start, and again after each reloading().
  void ready(const std::string& status);
  void reloading();
  void stopping(const std::string& status);

  /// When ping_if_due() wants to be called next; never where nobody watches or is to be told again.
  [[nodiscard]] os::Deadline next_ping() const;
  /// A sign of life for us and for the writer: withheld while the writer does not move, so that the
  /// watchdog ends both. Says again what a manager that did not read has missed.
  void ping_if_due();

  [[nodiscard]] const os::Supervisor& supervisor() const { return supervisor_; }

 private:
  void say(const std::string& state);

  // Constant after construction.
  const os::Supervisor supervisor_;
  Journal& journal_;
  const std::chrono::nanoseconds interval_;  // half of the watchdog's, as it asks for

  PulseWatch watch_;
  os::Monotonic::time_point next_ping_;
  std::string missed_;         // the last state that found no room
  bool silence_said_ = false;  // that the writer does not move
  bool unheard_said_ = false;  // that nobody hears
};

/// For its life, asks for more time as long as a pulse moves: a store takes as long to open as its
/// log is large, and the manager's timeout knows nothing of that. A thread of its own, since main
/// is what takes the time.
class Extension {
 public:
  struct Times {
    std::chrono::milliseconds every{10'000};
    std::chrono::milliseconds asked{60'000};  ///< each time, from then on
    bool watched = false;  ///< a watchdog is looking, which main does not answer meanwhile
  };
  /// Asks at once, and says what for.
  Extension(const os::Supervisor& supervisor, const Pulse& pulse, std::string status, Times times);
  ~Extension();
  Extension(const Extension&) = delete;
  Extension& operator=(const Extension&) = delete;

 private:
  void run();

  // Constant after construction.
  const os::Supervisor& supervisor_;
  const Pulse& pulse_;
  const std::string status_;
  const Times times_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace dfs::daemon
