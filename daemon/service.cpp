#include "daemon/service.hpp"

#include <algorithm>

#include "common/os/process.hpp"
#include "common/os/socket.hpp"

namespace dfs::daemon {

namespace {

// Until what was not heard is said again.
constexpr std::chrono::nanoseconds kAgain = std::chrono::milliseconds(500);

/// An error's text may hold a name with a line break, which would begin another assignment.
std::string status_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return "STATUS=" + text;
}

}  // namespace

Service::Service(os::Supervisor supervisor, Journal& journal, const Pulse& pulse)
    : supervisor_(std::move(supervisor)),
      journal_(journal),
      interval_(supervisor_.watchdog() / 2),
      watch_(pulse, supervisor_.watchdog(), os::Monotonic::now()),
      next_ping_(os::Monotonic::now()) {}

void Service::say(const std::string& state) {
  auto heard = supervisor_.say(state);
  missed_.clear();
  if (heard) return;
  // Without its READY=1 a manager would end us in the end: it is told until it hears.
  if (os::would_block(heard.error())) {
    missed_ = state;
    next_ping_ = os::Monotonic::now() + kAgain;
  }
  if (!unheard_said_) journal_.warn(heard.error().text());
  unheard_said_ = true;
}

// No MAINPID: a daemon under a service manager is the process that it started.
void Service::ready(const std::string& status) { say("READY=1\n" + status_line(status)); }

void Service::reloading() {
  // The time tells this READY=1 from one that was sent before (Type=notify-reload).
  say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(os::monotonic_time().count()) +
      "\nSTATUS=reading its config again");
}

void Service::stopping(const std::string& status) { say("STOPPING=1\n" + status_line(status)); }

os::Deadline Service::next_ping() const {
  if (interval_.count() == 0 && missed_.empty()) return os::Deadline::never();
  return os::Deadline::after(next_ping_ - os::Monotonic::now());
}

void Service::ping_if_due() {
  const auto now = os::Monotonic::now();
  if (now < next_ping_) return;
  next_ping_ = now + (interval_.count() == 0 ? kAgain : interval_);
  if (!missed_.empty() && supervisor_.mention(missed_)) missed_.clear();
  if (interval_.count() == 0) return;
  if (watch_.lives(now)) {
    silence_said_ = false;
    // One that finds no room follows others that were not read yet.
    static_cast<void>(supervisor_.mention("WATCHDOG=1"));
    return;
  }
  if (!silence_said_) journal_.error("the writer does not move; the watchdog is not answered");
  silence_said_ = true;
}

Extension::Extension(const os::Supervisor& supervisor, const Pulse& pulse, std::string status,
                     Times times)
    : supervisor_(supervisor), pulse_(pulse), status_(std::move(status)), times_(times) {
  if (supervisor_.is_there()) thread_ = std::thread([this] { run(); });
}

Extension::~Extension() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Extension::run() {
  os::name_thread("dfs-extension");
  const std::string request =
      "EXTEND_TIMEOUT_USEC=" +
      std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(times_.asked).count());
  static_cast<void>(supervisor_.say(request + "\n" + status_line(status_)));
  const bool watched = times_.watched && supervisor_.watchdog().count() > 0;
  const auto pause =
      watched ? std::min<std::chrono::nanoseconds>(times_.every, supervisor_.watchdog() / 2)
              : std::chrono::nanoseconds(times_.every);
  const std::string again = watched ? request + "\nWATCHDOG=1" : request;
  PulseWatch watch(pulse_, times_.asked, os::Monotonic::now());
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, pause, [this] { return over_; })) {
    if (watch.lives(os::Monotonic::now())) static_cast<void>(supervisor_.mention(again));
  }
}

}  // namespace dfs::daemon
