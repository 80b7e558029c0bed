#include "common/os/child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace dfs::os {

namespace {

/// The environment without what a service manager meant for this process alone (sd_notify(3),
/// sd_listen_fds(3)): another that spoke with these would speak in this one's name.
std::vector<char*> own_environment() {
  static constexpr std::array<std::string_view, 7> kPersonal{
      "NOTIFY_SOCKET=", "WATCHDOG_PID=",   "WATCHDOG_USEC=", "LISTEN_PID=",
      "LISTEN_FDS=",    "LISTEN_FDNAMES=", "MAINPID="};
  std::vector<char*> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (std::none_of(kPersonal.begin(), kPersonal.end(),
                     [text](std::string_view name) { return text.starts_with(name); })) {
      kept.push_back(*variable);
    }
  }
  kept.push_back(nullptr);
  return kept;
}

/// What posix_spawn is told, and given back.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

void plan_descriptors(posix_spawn_file_actions_t& actions, const ChildRequest& request) {
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  if (!request.said_at.empty()) {
    posix_spawn_file_actions_addopen(&actions, 2, request.said_at.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  // First far above, then down to 3, 4, ..., so that no target overwrites a source.
  constexpr int kFar = 200;
  const int count = static_cast<int>(request.descriptors.size());
  for (int i = 0; i < count; ++i) {
    posix_spawn_file_actions_adddup2(&actions, request.descriptors[static_cast<std::size_t>(i)],
                                     kFar + i);
  }
  for (int i = 0; i < count; ++i) posix_spawn_file_actions_adddup2(&actions, kFar + i, 3 + i);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3 + count);
}

void plan_signals(posix_spawnattr_t& attributes, ChildRequest::Group group) {
  // A clean slate, whatever the parent has done to its own.
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  const int apart =
      group == ChildRequest::Group::session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
  posix_spawnattr_setflags(
      &attributes, static_cast<short>(apart | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
}

Result<void> limit_files(std::int32_t pid, rlim_t bytes) {
  // The soft limit alone, so that it can be lifted without privilege.
  rlimit limit{};
  if (::prlimit(pid, RLIMIT_FSIZE, nullptr, &limit) != 0) {
    return Error::from_errno(errno, "read the file size limit of a child");
  }
  limit.rlim_cur = bytes;
  if (::prlimit(pid, RLIMIT_FSIZE, &limit, nullptr) != 0) {
    return Error::from_errno(errno, "limit the file size of a child");
  }
  return {};
}

}  // namespace

Result<Child> Child::start(const ChildRequest& request) {
  SpawnPlan plan;
  plan_descriptors(plan.actions, request);
  plan_signals(plan.attributes, request.group);
  std::vector<char*> arguments{const_cast<char*>(request.program.c_str())};
  for (const std::string& argument : request.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  std::vector<char*> surroundings = own_environment();
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, request.program.c_str(), &plan.actions, &plan.attributes,
                                  arguments.data(), surroundings.data());
  if (error != 0) return Error::from_errno(error, "start " + request.program);
  return Child(pid);
}

Child::Child(std::int32_t pid) noexcept : pid_(pid), parent_(::getpid()) {}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), parent_(other.parent_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(parent_, other.parent_);
  return *this;
}

Child::~Child() { kill(); }

bool Child::ended() const noexcept {
  if (pid_ < 0) return true;
  siginfo_t state{};
  const auto id = static_cast<id_t>(pid_);
  return ::waitid(P_PID, id, &state, WEXITED | WNOHANG | WNOWAIT) != 0 || state.si_pid == pid_;
}

void Child::kill() noexcept {
  if (pid_ < 0 || ::getpid() != parent_) return;
  ::kill(pid_, SIGKILL);
  static_cast<void>(wait());
}

int Child::wait() noexcept {
  int status = 0;
  // ECHILD: the program reaps its children itself (SIGCHLD ignored); then nothing is known.
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<int> Child::terminate() {
  if (pid_ < 0) return Error(errc::daemon_gone, "the process has ended");
  if (::kill(pid_, SIGTERM) != 0) return Error::from_errno(errno, "end a child");
  return wait();
}

Result<void> Child::pause() const {
  if (pid_ < 0) return Error(errc::daemon_gone, "the process has ended");
  if (::kill(pid_, SIGSTOP) != 0) return Error::from_errno(errno, "stop a child");
  siginfo_t state{};
  // WNOWAIT: its end, if that is what comes instead, is still there to be reaped.
  while (::waitid(P_PID, static_cast<id_t>(pid_), &state, WSTOPPED | WEXITED | WNOWAIT) != 0) {
    if (errno != EINTR) return Error::from_errno(errno, "wait for a child to stop");
  }
  if (state.si_code == CLD_STOPPED) return {};
  return Error(errc::daemon_gone, "the process has ended");
}

Result<void> Child::resume() const {
  if (pid_ < 0) return Error(errc::daemon_gone, "the process has ended");
  if (::kill(pid_, SIGCONT) != 0) return Error::from_errno(errno, "let a child go on");
  return {};
}

Result<void> Child::limit_file_size(std::uint64_t bytes) const {
  return limit_files(pid_, static_cast<rlim_t>(bytes));
}

Result<void> Child::lift_file_size() const {
  rlimit limit{};
  if (::prlimit(pid_, RLIMIT_FSIZE, nullptr, &limit) != 0) {
    return Error::from_errno(errno, "read the file size limit of a child");
  }
  return limit_files(pid_, limit.rlim_max);
}

}  // namespace dfs::os
