// Processes: starting a daemon, the word that the kernel marks when the writer dies, limits, who we
// are.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/memory.hpp"

namespace dfs::os {

/// The word that says whether a thread lives: its id while it does; the kernel sets
/// FUTEX_OWNER_DIED in it however the thread ends, before it gives back the process' file locks.
/// (set_robust_list(2); a list of one entry, kept in shared anonymous memory, which the
/// out-of-memory reaper leaves alone. glibc's list is private memory: it does not.)
class DeathWord {
 public:
  /// Registers the calling thread. `word` is in memory that stays mapped for the life of the
  /// thread.
  static Result<std::unique_ptr<DeathWord>> arm(std::atomic<std::uint32_t>& word,
                                                const ForkMark& mark);
  ~DeathWord() = default;
  DeathWord(const DeathWord&) = delete;
  DeathWord& operator=(const DeathWord&) = delete;

 private:
  explicit DeathWord(std::unique_ptr<Mapping> page) : page_(std::move(page)) {}
  std::unique_ptr<Mapping> page_;
};

struct SpawnRequest {
  std::string program;
  std::vector<std::string> arguments;  ///< without the program itself
  std::vector<int> descriptors;  ///< inherited as 3, 4, ... in this order; all others are closed
};
/// Starts a program in a session of its own, with standard input and output at /dev/null and
/// standard error kept, and waits for that process to end (a daemon forks once and lets the first
/// process go). Its exit status. The environment is ours but for what a service manager gave to
/// this process alone.
Result<int> spawn_and_wait(const SpawnRequest& request);
/// In a program that was started so: forks and lets the parent exit with 0. Returns in the child.
Result<void> detach();

/// Raises the soft limit of open files to the hard one. What it is then.
std::uint64_t raise_open_files() noexcept;
[[nodiscard]] std::int32_t process_id() noexcept;
[[nodiscard]] std::uint32_t effective_user() noexcept;
[[nodiscard]] std::uint32_t real_user() noexcept;
[[nodiscard]] std::uint32_t effective_group() noexcept;
/// True in a setuid program, where the environment is not to be believed (AT_SECURE).
[[nodiscard]] bool environment_is_untrusted() noexcept;
/// An environment variable, or empty.
[[nodiscard]] std::string environment(const char* name);
/// The absolute path of the shared library that has this very code in it; empty where it was found
/// by a relative one. Of a program that has the code itself: the word by which it was called.
[[nodiscard]] std::string own_library();
/// Ignores SIGPIPE and SIGXFSZ, so that both come back as errno.
void ignore_write_signals() noexcept;
void name_thread(const char* name) noexcept;
/// Ends the process at once: no destructors, no buffers.
[[noreturn]] void exit_now(int code) noexcept;
/// Points standard error at /dev/null and goes to "/": a daemon that a client started does not
/// write to its terminal, nor stand in its directory, for ever.
void forget_starter() noexcept;
/// SIGKILL to this very process: stop points of tests.
[[noreturn]] void kill_self() noexcept;
/// SIGSTOP to this very process, until somebody lets it go on.
void stop_self() noexcept;
/// Stops this thread alone, until somebody has opened the named pipe at `path` to write, and closed
/// it again.
void hold_self(const std::string& path) noexcept;

/// Bytes the machine can still give (MemAvailable), and the smallest cgroup limit at any level; 0
/// where unknown.
struct MemoryBounds {
  std::uint64_t available = 0;
  std::uint64_t cgroup_limit = 0;
};
[[nodiscard]] MemoryBounds memory_bounds();

}  // namespace dfs::os
