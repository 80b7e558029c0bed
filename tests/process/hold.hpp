// Where one thread of a daemon is held, at a stop point, while its other threads go on: a fault
// `hold@POINT:N` (daemon/faults.hpp).
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dfs::test {

/// A named pipe at which it is held; lets it go when it ends.
class Hold {
 public:
  explicit Hold(std::string path) : path_(std::move(path)) {
    if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("mkfifo " + path_);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() { let_go(); }
  /// For the daemon.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> environment() const {
    return {{"DFS_HOLD", path_}};
  }
  /// Waits until it is there.
  void wait() { fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC); }
  void let_go() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace dfs::test
