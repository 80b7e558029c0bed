#include "common/os/proc.hpp"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/process/temporary_directory.hpp"

namespace dfs::os {
namespace {

/// A child that does nothing until it is killed.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    while (pid_ == 0) ::pause();
  }
  ~Sleeper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  [[nodiscard]] ::pid_t pid() const { return pid_; }
  void wait_for(int event) const {
    ::siginfo_t state{};
    ::waitid(P_PID, static_cast<::id_t>(pid_), &state, event | WNOWAIT);
  }

 private:
  ::pid_t pid_;
};

TEST(Proc, a_process_runs_is_stopped_and_is_dead) {
  const Sleeper sleeper;
  EXPECT_EQ(state_of_process(sleeper.pid()), "running");
  ::kill(sleeper.pid(), SIGSTOP);
  sleeper.wait_for(WSTOPPED);
  EXPECT_EQ(state_of_process(sleeper.pid()),
            "stopped by a signal (kill -CONT " + std::to_string(sleeper.pid()) + " lets it go on)");
  EXPECT_FALSE(is_exiting(sleeper.pid()));
  ::kill(sleeper.pid(), SIGKILL);
  sleeper.wait_for(WEXITED);
  EXPECT_EQ(state_of_process(sleeper.pid()), "dead, and its parent has not noticed");
  EXPECT_TRUE(is_exiting(sleeper.pid()));
}

TEST(Proc, of_a_process_that_is_not_there_nothing_is_said) {
  EXPECT_EQ(state_of_process(0), "");
  EXPECT_EQ(state_of_process(-1), "");
  EXPECT_TRUE(is_exiting(-1));
}

TEST(Proc, who_holds_a_lock_is_seen_by_who_may_not_open_it) {
  const test::TemporaryDirectory directory;
  const auto file = File::open(directory / "lock", {.write = true, .create = true, .mode = 0});
  ASSERT_TRUE(file.has_value());
  const FileStatus status = status_of(directory / "lock").value();
  EXPECT_FALSE(lock_holder(status).has_value());
  ASSERT_TRUE(file->try_lock().value());
  EXPECT_EQ(lock_holder(status), ::getpid());
  ::flock(file->fd(), LOCK_UN);
  EXPECT_FALSE(lock_holder(status).has_value());
}

TEST(Proc, the_service_is_the_first_unit_of_the_path) {
  EXPECT_EQ(system_service_in("0::/system.slice/nginx.service\n"), "nginx.service");
  EXPECT_EQ(system_service_in("0::/system.slice/system-dfsd.slice/dfsd@users.service/below\n"),
            "dfsd@users.service");
  EXPECT_EQ(system_service_in("0::/init.scope\n"), "");
}

TEST(Proc, sessions_user_services_and_containers_are_no_system_service) {
  EXPECT_EQ(system_service_in("0::/user.slice/user-1000.slice/session-3.scope\n"), "");
  EXPECT_EQ(system_service_in(
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/editor.service\n"),
            "");
  EXPECT_EQ(system_service_in("0::/system.slice/docker-0123456789ab.scope\n"), "");
  EXPECT_EQ(system_service_in("0::/\n"), "");
  EXPECT_EQ(system_service_in(""), "");
}

TEST(Proc, of_the_old_hierarchies_only_systemds_counts) {
  EXPECT_EQ(system_service_in("4:memory:/other.service\n1:name=systemd:/system.slice/a.service\n"),
            "a.service");
  EXPECT_EQ(system_service_in("4:memory:/other.service\n1:name=systemd:/\n0::/\n"), "");
}

}  // namespace
}  // namespace dfs::os
