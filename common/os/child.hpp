// A program run as a child of this process, and what its parent may do to it: wait for it, stop it,
// kill it, take its disk away. The latter are for the daemons of tests (dfs/testing.hpp).
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
  std::string said_at;  ///< a file that standard error is appended to; empty: it is kept
  enum class Group {
    own,      ///< a process group in the parent's session
    session,  ///< a session as well: the parent's terminal is not the child's
  };
  Group group = Group::own;
};

/// A running child, killed and reaped by the destructor; in a fork of the parent, left alone. Where
/// it has a process group of its own in the parent's session, nothing stopped is left behind: when
/// the parent dies meanwhile, the kernel sends that group SIGHUP and SIGCONT. Threads: one at a
/// time.
class Child {
 public:
  /// With standard input and output at /dev/null, no signal blocked or ignored, and our environment
  /// but for what a service manager gave to this process alone.
  static Result<Child> start(const ChildRequest& request);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] std::int32_t pid() const noexcept { return pid_; }
  /// Waits for its end: the exit code, or 128 and the signal that ended it. Requires: it was not
  /// waited for yet.
  [[nodiscard]] int wait() noexcept;
  /// Whether it has ended by itself.
  [[nodiscard]] bool ended() const noexcept;
  /// SIGKILL, and waits until it is gone.
  void kill() noexcept;
  /// SIGTERM, and waits for its end, as `wait`.
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

  std::int32_t pid_ = -1;  // -1: none, or reaped
  std::int32_t parent_ = -1;
};

}  // namespace dfs::os
