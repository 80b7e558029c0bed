// A real daemon, started by a test and ended with it.
#pragma once

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace dfs::test {

/// How a daemon is started.
struct DaemonSettings {
  std::string program = DFSD;
  std::string store;
  std::vector<std::string> arguments{};  ///< besides the store
  std::string fault{};                   ///< DFS_FAULT, for DFSD_FAULTS
  std::vector<std::string> wrapper{};    ///< what it runs under: strace and its options
  /// Variables of its environment.
  std::vector<std::pair<std::string, std::string>> environment{};
  /// Listening sockets to pass as a service manager does, as 3, 4, ...; $LISTEN_PID is its own.
  std::vector<int> passed{};
};

/// Options for every daemon, before those of a test, from DFS_TEST_DAEMON_OPTIONS: how a suite runs
/// once more, say with compaction going on all the time.
inline std::vector<std::string> options_for_all_daemons() {
  const char* given = std::getenv("DFS_TEST_DAEMON_OPTIONS");
  std::istringstream words(given == nullptr ? "" : given);
  return {std::istream_iterator<std::string>(words), {}};
}

/// A child process in the foreground; killed by the destructor, and by the kernel when the test
/// dies. What it says goes to STORE.stderr, appended.
class DaemonProcess {
 public:
  /// Starts it; `ready` waits until it serves.
  explicit DaemonProcess(const DaemonSettings& settings) : said_at_(settings.store + ".stderr") {
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    std::vector<std::string> words = settings.wrapper;
    words.push_back(settings.program);
    words.insert(words.end(), {"--ready-fd", std::to_string(3 + settings.passed.size())});
    const std::vector<std::string> all = options_for_all_daemons();
    words.insert(words.end(), all.begin(), all.end());
    words.insert(words.end(), settings.arguments.begin(), settings.arguments.end());
    words.push_back(settings.store);
    const ::pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) run(words, settings, ready[1], parent);
    ::close(ready[1]);
    ready_ = ready[0];
  }
  DaemonProcess(DaemonProcess&& other) noexcept
      : said_at_(std::move(other.said_at_)),
        pid_(std::exchange(other.pid_, -1)),
        ready_(std::exchange(other.ready_, -1)) {}
  DaemonProcess& operator=(DaemonProcess&& other) noexcept {
    std::swap(said_at_, other.said_at_);
    std::swap(pid_, other.pid_);
    std::swap(ready_, other.ready_);
    return *this;
  }
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;
  ~DaemonProcess() {
    kill();
    if (ready_ >= 0) ::close(ready_);
  }

  /// Starts it and waits until it serves, which it must.
  [[nodiscard]] static DaemonProcess serving(const DaemonSettings& settings) {
    DaemonProcess daemon(settings);
    const std::string words = daemon.ready();
    if (words != "ok\n") {
      throw std::runtime_error("the daemon of " + settings.store + " does not serve: " + words +
                               daemon.said());
    }
    return daemon;
  }

  /// Waits until it serves (`ok\n`), or has given up (an error in one line), or died (nothing).
  [[nodiscard]] std::string ready() {
    std::string words;
    char buffer[512];
    // Up to the end of the line, not of the pipe: a tracer holds the pipe as well.
    for (::ssize_t n = 0; !words.ends_with('\n');) {
      n = ::read(ready_, buffer, sizeof buffer);
      if (n <= 0) break;
      words.append(buffer, static_cast<std::size_t>(n));
    }
    return words;
  }
  [[nodiscard]] ::pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  /// SIGKILL, and reaps it.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    static_cast<void>(wait());
  }
  /// Waits for its end: the status as waitpid tells it.
  int wait() {
    int status = 0;
    if (::waitpid(pid_, &status, 0) == pid_) pid_ = -1;
    return status;
  }
  /// Waits for an end by SIGKILL: what a stop point does.
  [[nodiscard]] bool killed_itself() {
    const int status = wait();
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }
  /// Waits for its end: the exit code, or 128 and the signal.
  int exit_code() {
    const int status = wait();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// SIGTERM, to which it answers with 0: what it was lent has all come back.
  void stop() {
    signal(SIGTERM);
    EXPECT_EQ(exit_code(), 0) << said();
  }
  [[nodiscard]] bool ended() const {
    ::siginfo_t state{};
    return ::waitid(P_PID, static_cast<::id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           state.si_pid == pid_;
  }
  /// Everything that this store's daemons have said on stderr.
  [[nodiscard]] std::string said() const {
    std::ifstream file(said_at_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  [[noreturn]] void run(const std::vector<std::string>& words, const DaemonSettings& settings,
                        int ready, ::pid_t parent) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int errors = ::open(said_at_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int nothing = ::open("/dev/null", O_RDWR);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(nothing, STDOUT_FILENO);
    ::dup2(errors, STDERR_FILENO);
    std::vector<int> inherited = settings.passed;
    inherited.push_back(ready);
    // Out of the way first, so that no target number overwrites a source.
    for (int& fd : inherited) fd = ::fcntl(fd, F_DUPFD, 100);
    int next = 3;
    for (const int fd : inherited) ::dup2(fd, next++);
    ::close_range(static_cast<unsigned>(next), ~0U, 0);
    for (const auto& [name, value] : settings.environment) {
      ::setenv(name.c_str(), value.c_str(), 1);
    }
    if (!settings.passed.empty()) {
      ::setenv("LISTEN_FDS", std::to_string(settings.passed.size()).c_str(), 1);
      ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    }
    const std::string& fault = settings.fault;
    fault.empty() ? ::unsetenv("DFS_FAULT") : ::setenv("DFS_FAULT", fault.c_str(), 1);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }

  std::string said_at_;
  ::pid_t pid_ = -1;
  int ready_ = -1;
};

}  // namespace dfs::test
