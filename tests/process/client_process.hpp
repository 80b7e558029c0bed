// A client of a store in a process of its own: forked from the test, running one function, gone
// with the test at the latest.
#pragma once

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <dfs/error.hpp>
#include <dfs/result.hpp>

namespace dfs::test {

/// In a client process: what must hold. Ends the process with the text where it does not.
inline void require(bool holds, const std::string& otherwise) {
  if (!holds) throw std::runtime_error(otherwise);
}

/// In a client process: the value of a result that must be one.
template <class T>
T need(Result<T> result, const char* what) {
  if (!result) {
    throw std::runtime_error(std::string(what) + ": " + std::string(name(result.error().code())) +
                             ": " + std::string(result.error().text()));
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Runs `body` in a forked process, which ends with 0 when it returns, with 1 and a line on stderr
/// when it throws. Killed by the destructor, and by the kernel when the test dies.
class ClientProcess {
 public:
  ClientProcess(std::string label, const std::function<void()>& body) : name_(std::move(label)) {
    std::fflush(nullptr);
    const ::pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    int code = 0;
    try {
      body();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s: %s\n", name_.c_str(), e.what());
      code = 1;
    }
    std::fflush(nullptr);
    ::_exit(code);  // no destructors of the test's: what they end is the parent's
  }
  ClientProcess(ClientProcess&& other) noexcept
      : name_(std::move(other.name_)), pid_(std::exchange(other.pid_, -1)) {}
  ClientProcess& operator=(ClientProcess&&) = delete;
  ClientProcess(const ClientProcess&) = delete;
  ClientProcess& operator=(const ClientProcess&) = delete;
  ~ClientProcess() { kill(); }

  [[nodiscard]] ::pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  /// SIGKILL, and reaps it.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  /// Waits for its end: the status as waitpid tells it.
  int wait() {
    int status = 0;
    if (::waitpid(pid_, &status, 0) == pid_) pid_ = -1;
    return status;
  }
  /// Waits for its end, which must be a good one.
  void expect_done() {
    const int status = wait();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << name_ << " ended with status " << status;
  }
  /// Becomes another process. Requires: this one was killed or waited for.
  void replace(ClientProcess next) {
    std::swap(name_, next.name_);
    std::swap(pid_, next.pid_);
  }
  /// Whether it has ended by itself, with an error or not.
  [[nodiscard]] bool ended() const {
    ::siginfo_t state{};
    return ::waitid(P_PID, static_cast<::id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           state.si_pid == pid_;
  }

 private:
  std::string name_;
  ::pid_t pid_ = -1;
};

}  // namespace dfs::test
