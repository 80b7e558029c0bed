// A store in a directory of its own, served by a daemon that the test starts and may kill.
#pragma once

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <dfs/store.hpp>

#include "tests/process/daemon_process.hpp"
#include "tests/process/temporary_directory.hpp"

namespace dfs::test {

/// Every handle it opens starts nothing by itself. Threads: one.
class ServedStore {
 public:
  /// `arguments` go to each daemon, behind its own.
  explicit ServedStore(std::vector<std::string> arguments = {}) : arguments_(std::move(arguments)) {
    serve();
  }

  [[nodiscard]] std::string path() const { return directory_ / "store.db"; }
  [[nodiscard]] DaemonProcess& daemon() { return *daemon_; }

  void serve(const std::string& fault = {}) {
    DaemonSettings settings;
    settings.program = fault.empty() ? DFSD : DFSD_FAULTS;
    settings.store = path();
    settings.arguments = {"--durability", "written"};
    settings.arguments.insert(settings.arguments.end(), arguments_.begin(), arguments_.end());
    settings.fault = fault;
    daemon_.emplace(DaemonProcess::serving(settings));
  }
  void kill() { daemon_->kill(); }
  /// SIGSTOP, and returns when it has taken effect: a process runs on for a moment behind it.
  void stop() {
    daemon_->signal(SIGSTOP);
    ::siginfo_t state{};
    while (::waitid(P_PID, static_cast<::id_t>(daemon_->pid()), &state, WSTOPPED) != 0 &&
           errno == EINTR) {
    }
  }
  void go_on() { daemon_->signal(SIGCONT); }
  /// SIGKILL, and a successor.
  void replace(const std::string& fault = {}) {
    kill();
    serve(fault);
  }

  [[nodiscard]] static Options options() {
    Options options;
    options.autostart = Autostart::never;
    // No test waits for this to pass; it is what keeps a hung one from hanging for ever.
    options.timeout = std::chrono::minutes(2);
    return options;
  }
  [[nodiscard]] Store open(Options chosen = options()) const {
    auto store = Store::open(path(), std::move(chosen));
    if (!store) throw std::runtime_error(std::string(store.error().text()));
    return std::move(*store);
  }

 private:
  const std::vector<std::string> arguments_;
  const TemporaryDirectory directory_;
  std::optional<DaemonProcess> daemon_;
};

}  // namespace dfs::test
