// Where clients meet the daemon: a socket of its own, or one that the service manager passed; and
// the name beside the log by which everybody finds it.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/supervisor.hpp"
#include "daemon/options.hpp"

namespace dfs::daemon {

/// Threads: main. Requires: the store's lock is held for its whole life.
class PublishedSocket {
 public:
  /// Listens where the options say.
  static Result<PublishedSocket> listen(const Options& options);
  /// Takes the one that was passed. It is the service manager's: it stays when this daemon ends,
  /// and with it the link beside the log, so that the next connection starts a daemon again.
  static Result<PublishedSocket> pass_on(os::PassedSocket passed, const Options& options);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Nobody connects any more; who waits for an answer is let go, unless a service manager keeps
  /// them for the next daemon. Before the lock goes: so that no successor's is removed.
  void withdraw();

 private:
  PublishedSocket(os::Descriptor fd, std::string path)
      : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<void> link_beside(const std::string& log);

  os::Descriptor fd_;
  std::string path_;
  std::string link_;  // empty: the socket itself is beside the log
  bool passed_ = false;
};

}  // namespace dfs::daemon
