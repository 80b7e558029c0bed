// `users.db.lock`: held by a store's daemon for life, and while one is being started. It says who
// holds it.
#pragma once

#include <string>

#include "common/os/file.hpp"

namespace dfs::daemon {

/// Threads: main. The lock goes when the process does, however it ends.
class LockFile {
 public:
  /// Takes the lock of the store at `log`: the one that was inherited (`inherited_fd`, or -1), or a
  /// new one, and says in it that a daemon starts. no_daemon where another daemon holds it, with
  /// its pid and what it does; no_store, and no lock file, where no log could be. What root makes
  /// belongs to the log's owner, who may come next.
  static Result<LockFile> take(const std::string& log, int inherited_fd);
  /// Writes down who serves, for people and for clients' messages.
  [[nodiscard]] Result<void> describe(const std::string& socket) const;

 private:
  explicit LockFile(os::File file) : file_(std::move(file)) {}
  os::File file_;
};

}  // namespace dfs::daemon
