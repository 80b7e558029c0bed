#include "common/os/supervisor.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/os/random.hpp"
#include "tests/process/supervisor_socket.hpp"

namespace dfs::os {
namespace {

using test::SupervisorSocket;

class Supervisors : public testing::Test {
 protected:
  Supervisors() : directory_(std::filesystem::temp_directory_path() / ("dfs-os-" + random_hex(8))) {
    std::filesystem::create_directories(directory_);
    for (const char* name : kNames) ::unsetenv(name);
  }
  ~Supervisors() override {
    for (const char* name : kNames) ::unsetenv(name);
    std::filesystem::remove_all(directory_);
  }
  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

  static constexpr std::array<const char*, 6> kNames{"NOTIFY_SOCKET", "WATCHDOG_USEC",
                                                     "WATCHDOG_PID",  "LISTEN_FDS",
                                                     "LISTEN_PID",    "JOURNAL_STREAM"};
  std::filesystem::path directory_;
};

TEST_F(Supervisors, nobody_in_the_environment_hears_nothing_and_nothing_fails) {
  const Supervisor nobody = Supervisor::from_environment();
  EXPECT_FALSE(nobody.is_there());
  EXPECT_TRUE(nobody.say("READY=1"));
  EXPECT_EQ(nobody.watchdog().count(), 0);
}

TEST_F(Supervisors, a_path_and_an_abstract_name_are_heard) {
  for (const std::string& address :
       {(directory_ / "notify").string(), "@dfs-test-" + random_hex(8)}) {
    const SupervisorSocket socket(address);
    set("NOTIFY_SOCKET", address);
    Supervisor::from_environment().say("READY=1\nSTATUS=here").value();
    EXPECT_EQ(socket.next(), "READY=1\nSTATUS=here");
  }
}

TEST_F(Supervisors, a_path_longer_than_an_address_is_heard) {
  const std::filesystem::path deep = directory_ / std::string(200, 'd');
  std::filesystem::create_directories(deep);
  const SupervisorSocket socket((directory_ / "notify").string());
  std::filesystem::rename(directory_ / "notify", deep / "notify");
  set("NOTIFY_SOCKET", (deep / "notify").string());
  Supervisor::from_environment().say("READY=1").value();
  EXPECT_EQ(socket.next(), "READY=1");
}

TEST_F(Supervisors, one_that_is_gone_is_an_error_and_one_that_does_not_read_does_not_keep_us) {
  const std::string address = (directory_ / "notify").string();
  set("NOTIFY_SOCKET", address);
  EXPECT_FALSE(Supervisor::from_environment().say("READY=1"));
  const SupervisorSocket socket(address);
  const Supervisor supervisor = Supervisor::from_environment();
  // Until the kernel takes no more.
  while (supervisor.mention("WATCHDOG=1")) {
  }
  EXPECT_FALSE(supervisor.say("READY=1"));
}

TEST_F(Supervisors, an_address_that_is_none_of_this_machine_is_nobody) {
  for (const char* other : {"vsock:2:1234", "relative", "@", ""}) {
    set("NOTIFY_SOCKET", other);
    EXPECT_FALSE(Supervisor::from_environment().is_there()) << other;
  }
}

TEST_F(Supervisors, a_watchdog_counts_only_when_it_is_for_this_process) {
  set("NOTIFY_SOCKET", "@dfs-test");
  set("WATCHDOG_USEC", "30000000");
  EXPECT_EQ(Supervisor::from_environment().watchdog(), std::chrono::seconds(30));
  set("WATCHDOG_PID", std::to_string(::getpid()));
  EXPECT_EQ(Supervisor::from_environment().watchdog(), std::chrono::seconds(30));
  set("WATCHDOG_PID", std::to_string(::getppid()));
  EXPECT_EQ(Supervisor::from_environment().watchdog().count(), 0);
  ::unsetenv("WATCHDOG_PID");
  for (const char* wrong : {"", "soon", "30s", "-1"}) {
    set("WATCHDOG_USEC", wrong);
    EXPECT_EQ(Supervisor::from_environment().watchdog().count(), 0) << wrong;
  }
}

TEST_F(Supervisors, sockets_passed_to_another_process_are_not_ours) {
  set("LISTEN_FDS", "1");
  EXPECT_FALSE(take_passed_socket().value());
  set("LISTEN_PID", std::to_string(::getppid()));
  EXPECT_FALSE(take_passed_socket().value());
}

TEST_F(Supervisors, standard_error_is_the_journal_only_if_it_still_is_what_was_connected) {
  EXPECT_FALSE(standard_error_is_journal());
  set("JOURNAL_STREAM", "1:2");
  EXPECT_FALSE(standard_error_is_journal());
}

}  // namespace
}  // namespace dfs::os
