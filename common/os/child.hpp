// A program run as a child of this process, and what its parent may do to it: stop it, kill it,
// take its disk away. For the daemons of tests (dfs/testing.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace dfs::os {

struct ChildRequest {
  std::string program;
  std::vector<std::string> arguments;  ///< without the program itself
  std::vector<int> descriptors;        ///< inherited as 3, 4, ...; all others are closed
  std::string said_at;                 ///< a file that standard error is appended to
};

/// A running child, killed and reaped by the destructor; in a fork of the parent, left alone. It
/// has a process group of its own in the parent's session: when the parent dies while the child is
/// stopped, the kernel sends that group SIGHUP and SIGCONT, so nothing stopped is left behind.
/// Threads: one at a time.
class Child {
 public:
  static Result<Child> start(const ChildRequest& request);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] std::int32_t pid() const noexcept { return pid_; }
  /// Whether it has ended by itself.
  [[nodiscard]] bool ended() const noexcept;
  /// SIGKILL, and waits until it is gone.
  void kill() noexcept;
  /// SIGTERM, and waits for its end: the exit code, or 128 and the signal that ended it.
  [[nodiscard]] Result<int> terminate();
  /// SIGSTOP, and waits until it has taken effect: a process runs on for a moment behind it.
  [[nodiscard]] Result<void> pause() const;
  /// SIGCONT.
  [[nodiscard]] Result<void> resume() const;
  /// No file that it writes may become larger (RLIMIT_FSIZE): a disk that is full, for one process.
  [[nodiscard]] Result<void> limit_file_size(std::uint64_t bytes) const;
  [[nodiscard]] Result<void> lift_file_size() const;

 private:
  explicit Child(std::int32_t pid) noexcept;
  [[nodiscard]] int reap() noexcept;

  std::int32_t pid_ = -1;  // -1: none, or reaped
  std::int32_t parent_ = -1;
};

}  // namespace dfs::os
