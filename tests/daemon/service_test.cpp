#include "daemon/service.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/daemon/scratch_directory.hpp"
#include "tests/process/supervisor_socket.hpp"

namespace dfs::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using test::SupervisorSocket;

TEST(Pulse, a_writer_that_works_must_move_within_the_time_given) {
  Pulse pulse;
  const auto start = os::Monotonic::now();
  PulseWatch watch(pulse, milliseconds(100), start);
  EXPECT_TRUE(watch.lives(start + milliseconds(99)));
  EXPECT_FALSE(watch.lives(start + milliseconds(100)));
  pulse.beat();
  EXPECT_TRUE(watch.lives(start + milliseconds(150)));
  EXPECT_TRUE(watch.lives(start + milliseconds(249)));
  EXPECT_FALSE(watch.lives(start + milliseconds(250)));
}

TEST(Pulse, a_writer_that_waits_for_work_lives_however_long) {
  Pulse pulse;
  const auto start = os::Monotonic::now();
  PulseWatch watch(pulse, milliseconds(100), start);
  const DoingFor waiting(pulse, Doing::waiting);
  EXPECT_TRUE(watch.lives(start + minutes(1000)));
}

TEST(Pulse, a_slow_disk_has_ten_minutes) {
  Pulse pulse;
  const auto start = os::Monotonic::now();
  PulseWatch watch(pulse, milliseconds(100), start);
  {
    const DoingFor disk(pulse, Doing::in_kernel);
    EXPECT_TRUE(watch.lives(start));
    EXPECT_TRUE(watch.lives(start + minutes(9)));
    EXPECT_FALSE(watch.lives(start + minutes(10)));
  }
  EXPECT_TRUE(watch.lives(start + minutes(11)));
}

class Services : public testing::Test {
 protected:
  Services() : socket_(directory_.file("notify")) {
    journal_.set({.level = "off"}).value();
    ::setenv("NOTIFY_SOCKET", socket_.address().c_str(), 1);
  }
  ~Services() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
  }

  /// What main does: waits until it is due (nobody says anything meanwhile).
  void ping_in_time(Service& service) const {
    EXPECT_FALSE(socket_.within(std::chrono::ceil<milliseconds>(service.next_ping().left())));
    service.ping_if_due();
  }

  ScratchDirectory directory_;
  SupervisorSocket socket_;
  Journal journal_;
  Pulse pulse_;
};

TEST_F(Services, a_writer_that_hangs_is_not_vouched_for) {
  ::setenv("WATCHDOG_USEC", "20000", 1);  // a ping each 10 ms, a stall after 20
  Service service(os::Supervisor::from_environment(), journal_, pulse_);
  // Nothing moves the pulse: pings must end.
  for (int missed = 0; missed < 5;) {
    ping_in_time(service);
    missed = socket_.so_far().empty() ? missed + 1 : 0;
  }
  pulse_.now(Doing::waiting);
  ping_in_time(service);
  EXPECT_EQ(socket_.next(), "WATCHDOG=1");
}

TEST_F(Services, without_a_watchdog_there_is_no_ping) {
  Service service(os::Supervisor::from_environment(), journal_, pulse_);
  EXPECT_GE(service.next_ping().left(), std::chrono::hours(1));
  service.ping_if_due();
  EXPECT_TRUE(socket_.so_far().empty());
}

TEST_F(Services, what_a_manager_had_no_room_for_is_said_again_until_it_hears) {
  const os::Supervisor supervisor = os::Supervisor::from_environment();
  while (supervisor.mention("STATUS=full")) {
  }
  Service service(supervisor, journal_, pulse_);
  EXPECT_GE(service.next_ping().left(), std::chrono::hours(1));
  service.ready("here");
  for (const std::string& state : socket_.so_far()) EXPECT_EQ(state, "STATUS=full");
  ping_in_time(service);
  EXPECT_EQ(socket_.next(), "READY=1\nSTATUS=here");
  EXPECT_GE(service.next_ping().left(), std::chrono::hours(1));
}

TEST_F(Services, a_status_is_one_line_whatever_its_text) {
  Service service(os::Supervisor::from_environment(), journal_, pulse_);
  service.ready("a\nMAINPID=1");
  const std::string state = socket_.next();
  EXPECT_TRUE(SupervisorSocket::has(state, "READY=1"));
  EXPECT_EQ(SupervisorSocket::value(state, "MAINPID"), "");
}

TEST_F(Services, more_time_is_asked_for_at_once_and_again_while_the_pulse_moves) {
  const os::Supervisor supervisor = os::Supervisor::from_environment();
  const Extension extension(supervisor, pulse_, "reading x.db", {milliseconds(5), minutes(1)});
  const std::string first = socket_.next();
  EXPECT_EQ(SupervisorSocket::value(first, "EXTEND_TIMEOUT_USEC"), "60000000");
  EXPECT_EQ(SupervisorSocket::value(first, "STATUS"), "reading x.db");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(socket_.next(), "EXTEND_TIMEOUT_USEC=60000000");
  }
}

TEST_F(Services, a_slow_end_keeps_the_watchdog_content) {
  ::setenv("WATCHDOG_USEC", "20000", 1);
  const os::Supervisor supervisor = os::Supervisor::from_environment();
  const Extension extension(supervisor, pulse_, "ending", {minutes(1), minutes(1), true});
  EXPECT_TRUE(SupervisorSocket::has(socket_.next(), "STATUS=ending"));
  EXPECT_TRUE(SupervisorSocket::has(socket_.next(), "WATCHDOG=1"));
}

TEST_F(Services, no_more_time_is_asked_for_where_nothing_moves) {
  const os::Supervisor supervisor = os::Supervisor::from_environment();
  const Extension extension(supervisor, pulse_, "reading x.db",
                            {milliseconds(5), milliseconds(15)});
  // At the most one request in a while, until there is none.
  while (socket_.within(milliseconds(200))) {
  }
  pulse_.beat();
  EXPECT_EQ(SupervisorSocket::value(socket_.next(), "EXTEND_TIMEOUT_USEC"), "15000");
}

}  // namespace
}  // namespace dfs::daemon
