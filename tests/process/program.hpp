// Another program, run to its end: what it said, and how it ended.
#pragma once

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dfs::test {

/// Standard output and error of the program come together. Ends with the test.
class Program {
 public:
  /// The program, found as execvp finds it, and its arguments.
  explicit Program(std::vector<std::string> words) : words_(std::move(words)) {}
  /// A variable of its environment.
  void set(std::string name, std::string value) {
    environment_.emplace_back(std::move(name), std::move(value));
  }
  /// Its exit code, or 128 and the signal that ended it; 127 where it cannot be started.
  int run() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    const ::pid_t parent = ::getpid();
    const ::pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("fork");
    if (pid == 0) become(ends[1], parent);
    ::close(ends[1]);
    char buffer[4096];
    for (::ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
      output_.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  [[noreturn]] void become(int output, ::pid_t parent) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    for (const auto& [name, value] : environment_) ::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> arguments;
    for (const std::string& word : words_) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }

  std::vector<std::string> words_;
  std::vector<std::pair<std::string, std::string>> environment_;
  std::string output_;
};

}  // namespace dfs::test
