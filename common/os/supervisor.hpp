// Whoever runs this process as a service: systemd, or what speaks like it. Where it hears of our
// state (sd_notify(3)), how often it wants a sign of life (sd_watchdog_enabled(3)), which listening
// socket it passed (sd_listen_fds(3)), and whether standard error is its journal.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/os/descriptor.hpp"

namespace dfs::os {

/// Threads: any.
class Supervisor {
 public:
  /// Nobody: what is said is heard by no one.
  Supervisor() = default;
  /// Whom the environment names.
  static Supervisor from_environment();

  [[nodiscard]] bool is_there() const noexcept { return !address_.empty(); }
  /// Says assignments, one a line (`READY=1\nSTATUS=...`). Waits a second at the most where nobody
  /// reads; an error then, and where the address is none.
  [[nodiscard]] Result<void> say(std::string_view state) const;
  /// The same without waiting: for what is said again soon.
  [[nodiscard]] Result<void> mention(std::string_view state) const;
  /// Without a sign of life for so long it ends us; 0 where it does not watch.
  [[nodiscard]] std::chrono::microseconds watchdog() const noexcept { return watchdog_; }

 private:
  [[nodiscard]] Result<void> send(std::string_view state, int flags) const;

  // Constant after construction.
  std::string address_;  // a path, or `@` and an abstract name
  std::chrono::microseconds watchdog_{0};
};

/// A listening socket that was passed to this process.
struct PassedSocket {
  Descriptor socket;
  std::string path;  ///< where clients find it
};

/// The one listening SOCK_SEQPACKET socket that was passed to this process by number; nothing where
/// none was. bad_argument, with what the unit must say, where there are several or it is another
/// kind. To be called once: the descriptor is the caller's then.
Result<std::optional<PassedSocket>> take_passed_socket();

/// Whether standard error goes to the journal, which has times and names of its own.
[[nodiscard]] bool standard_error_is_journal() noexcept;

/// CLOCK_MONOTONIC, as systemd compares it.
[[nodiscard]] std::chrono::microseconds monotonic_time() noexcept;

}  // namespace dfs::os
