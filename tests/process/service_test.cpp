// The daemon as a service, against a stand-in for systemd: what it says and when, and the socket
// that it is passed.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <dfs/store.hpp>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/supervisor_socket.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

class Services : public testing::Test {
 protected:
  [[nodiscard]] DaemonSettings settings() const {
    DaemonSettings settings;
    settings.store = store_;
    settings.environment = {{"NOTIFY_SOCKET", supervisor_.address()}};
    return settings;
  }
  [[nodiscard]] DaemonSettings watched(const std::string& microseconds) const {
    DaemonSettings with = settings();
    with.environment.emplace_back("WATCHDOG_USEC", microseconds);
    return with;
  }
  [[nodiscard]] static Result<Store> open(const std::string& address) {
    Options options;
    options.autostart = Autostart::never;
    return Store::open(address, options);
  }
  static void wait_until_stopped(const DaemonProcess& daemon) {
    ::siginfo_t state{};
    ASSERT_EQ(::waitid(P_PID, static_cast<::id_t>(daemon.pid()), &state, WSTOPPED | WNOWAIT), 0);
  }

  const Watchdog watchdog_{"a service test"};
  const TemporaryDirectory directory_;
  const std::string store_ = directory_ / "users.db";
  const SupervisorSocket supervisor_{directory_ / "notify"};
};

TEST_F(Services, ready_is_said_when_clients_are_served_and_not_before) {
  {
    auto first = DaemonProcess::serving(settings());
    first.kill();
  }
  static_cast<void>(supervisor_.so_far());
  DaemonSettings slow = settings();
  slow.program = DFSD_FAULTS;
  slow.fault = "stop@reread:1";  // in the middle of recovery
  DaemonProcess daemon(slow);
  wait_until_stopped(daemon);
  for (const std::string& state : supervisor_.so_far()) {
    EXPECT_FALSE(SupervisorSocket::has(state, "READY=1")) << state;
  }
  daemon.signal(SIGCONT);
  const std::string ready = supervisor_.next_with("READY=1");
  EXPECT_TRUE(SupervisorSocket::value(ready, "STATUS").starts_with("serving " + store_)) << ready;
  EXPECT_TRUE(open(store_));
  daemon.stop();
}

TEST_F(Services, a_start_asks_for_time_before_it_reads_the_log) {
  auto daemon = DaemonProcess::serving(settings());
  const std::string first = supervisor_.next();
  EXPECT_NE(SupervisorSocket::value(first, "EXTEND_TIMEOUT_USEC"), "");
  EXPECT_EQ(SupervisorSocket::value(first, "STATUS"), "reading " + store_);
  static_cast<void>(supervisor_.next_with("READY=1"));
  daemon.stop();
}

TEST_F(Services, sigterm_is_answered_with_stopping_and_exit_0) {
  auto daemon = DaemonProcess::serving(settings());
  daemon.stop();
  static_cast<void>(supervisor_.next_with("READY=1"));
  static_cast<void>(supervisor_.next_with("STOPPING=1"));
}

TEST_F(Services, sighup_is_a_reload_between_two_marks_and_serving_goes_on) {
  auto daemon = DaemonProcess::serving(settings());
  auto store = open(store_).value();
  store.set("a", "1").value();
  static_cast<void>(supervisor_.next_with("READY=1"));
  daemon.signal(SIGHUP);
  const std::string reloading = supervisor_.next_with("RELOADING=1");
  EXPECT_GT(std::stoull(SupervisorSocket::value(reloading, "MONOTONIC_USEC")), 0U);
  EXPECT_TRUE(SupervisorSocket::has(supervisor_.next(), "READY=1"));
  store.set("a", "2").value();
  daemon.stop();
}

TEST_F(Services, a_start_that_fails_says_why_in_its_status) {
  ASSERT_EQ(::mkdir(store_.c_str(), 0700), 0);
  DaemonProcess daemon(settings());
  EXPECT_NE(daemon.exit_code(), 0);
  const std::string last = supervisor_.next_with("STOPPING=1");
  EXPECT_NE(SupervisorSocket::value(last, "STATUS").find(store_), std::string::npos) << last;
}

TEST_F(Services, the_watchdog_is_pinged_while_idle_and_while_busy) {
  auto daemon = DaemonProcess::serving(watched("100000"));
  for (int i = 0; i < 3; ++i) static_cast<void>(supervisor_.next_with("WATCHDOG=1"));
  auto store = open(store_).value();
  for (int pings = 0; pings < 3;) {
    store.set("a", "1").value();
    for (const std::string& state : supervisor_.so_far()) {
      pings += SupervisorSocket::has(state, "WATCHDOG=1") ? 1 : 0;
    }
  }
  daemon.stop();
}

TEST_F(Services, a_slow_disk_is_no_hang) {
  // The watchdog wants a ping each 50 ms, and has a writer that works for 100 ms without moving for
  // stuck; here it sits in a sync for two seconds.
  DaemonSettings slow = watched("100000");
  slow.wrapper = {"strace", "-D",
                  "-f",     "-qq",
                  "-o",     "/dev/null",
                  "-e",     "signal=none",
                  "-e",     "trace=fdatasync",
                  "-e",     "inject=fdatasync:delay_enter=2000000"};
  auto daemon = DaemonProcess::serving(slow);
  auto store = open(store_).value();
  static_cast<void>(supervisor_.next_with("READY=1"));
  static_cast<void>(supervisor_.so_far());
  std::atomic<bool> done{false};
  std::thread client([&] {
    EXPECT_TRUE(store.set("a", "1"));
    done = true;
  });
  int pings = 0;
  while (!done) {
    const auto state = supervisor_.within(std::chrono::milliseconds(50));
    pings += state && SupervisorSocket::has(*state, "WATCHDOG=1") ? 1 : 0;
  }
  client.join();
  EXPECT_GE(pings, 6);
  daemon.kill();
}

TEST_F(Services, a_daemon_that_is_stuck_pings_nobody) {
  auto daemon = DaemonProcess::serving(watched("20000"));
  static_cast<void>(supervisor_.next_with("WATCHDOG=1"));
  daemon.signal(SIGSTOP);
  wait_until_stopped(daemon);
  static_cast<void>(supervisor_.so_far());
  EXPECT_FALSE(supervisor_.within(std::chrono::milliseconds(200)));
  daemon.signal(SIGCONT);
  static_cast<void>(supervisor_.next_with("WATCHDOG=1"));
  daemon.stop();
}

TEST_F(Services, one_that_a_client_started_does_not_speak_in_the_name_of_the_clients_service) {
  ::setenv("NOTIFY_SOCKET", supervisor_.address().c_str(), 1);
  ::setenv("WATCHDOG_USEC", "1000", 1);
  Options options;
  options.daemon.program = DFSD;
  options.daemon.idle_exit = std::chrono::milliseconds(1);
  {
    auto store = Store::open(store_, options).value();
    store.set("a", "1").value();
  }
  // Until it has ended, its lock is held.
  DaemonSettings next;
  next.store = store_;
  for (;;) {
    DaemonProcess daemon(next);
    if (daemon.ready() == "ok\n") break;
  }
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  for (const std::string& state : supervisor_.so_far()) {
    // The last daemon above is a service's; the first is not, and would have said this.
    EXPECT_FALSE(SupervisorSocket::has(state, "STOPPING=1") &&
                 state.find("finishing") != std::string::npos)
        << state;
  }
}

/// Sockets as systemd makes them.
class Activation : public Services {
 protected:
  Activation() { std::filesystem::create_directory(directory_ / "run"); }

  [[nodiscard]] int listen_as(int type) const {
    const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    ::sockaddr_un place{};
    place.sun_family = AF_UNIX;
    std::strncpy(place.sun_path, socket_.c_str(), sizeof place.sun_path - 1);
    if (::bind(fd, reinterpret_cast<const ::sockaddr*>(&place), sizeof place) != 0 ||
        (type != SOCK_DGRAM && ::listen(fd, 16) != 0)) {
      throw std::runtime_error("listen at " + socket_);
    }
    return fd;
  }
  [[nodiscard]] DaemonSettings activated(std::vector<int> sockets) const {
    DaemonSettings with = settings();
    with.passed = std::move(sockets);
    return with;
  }
  /// Runs until it gives up: what it says, and its exit code in front.
  [[nodiscard]] static std::string refusal(const DaemonSettings& settings) {
    DaemonProcess daemon(settings);
    const std::string words = daemon.ready();
    return std::to_string(daemon.exit_code()) + " " + words;
  }

  const std::string socket_ = directory_ / "run/socket";
};

TEST_F(Activation, clients_meet_at_the_passed_socket_and_find_it_beside_the_log) {
  const int listening = listen_as(SOCK_SEQPACKET);
  auto daemon = DaemonProcess::serving(activated({listening}));
  EXPECT_EQ(std::filesystem::read_symlink(store_ + ".socket"), socket_);
  {
    auto by_log = open(store_).value();
    by_log.set("a", "1").value();
    auto by_socket = open(socket_).value();
    EXPECT_EQ(by_socket.get("a").value().value, "1");
  }
  daemon.stop();
  ::close(listening);
}

TEST_F(Activation,
       the_passed_socket_outlives_its_daemon_and_a_waiting_client_is_served_by_the_next) {
  const int listening = listen_as(SOCK_SEQPACKET);
  {
    auto daemon = DaemonProcess::serving(activated({listening}));
    open(store_).value().set("a", "1").value();
    daemon.stop();
  }
  EXPECT_TRUE(std::filesystem::exists(socket_));
  EXPECT_TRUE(std::filesystem::is_symlink(store_ + ".socket"));
  // Connects while no daemon runs, as to a socket unit; the next one finds it waiting.
  std::thread client([&] { EXPECT_EQ(open(store_).value().get("a").value().value, "1"); });
  auto next = DaemonProcess::serving(activated({listening}));
  client.join();
  next.stop();
  ::close(listening);
}

TEST_F(Activation, an_idle_daemon_ends_and_leaves_the_socket_to_who_passed_it) {
  const int listening = listen_as(SOCK_SEQPACKET);
  DaemonSettings brief = activated({listening});
  brief.arguments = {"--idle-exit", "1ms"};
  auto daemon = DaemonProcess::serving(brief);
  EXPECT_EQ(daemon.exit_code(), 0);
  EXPECT_TRUE(std::filesystem::exists(socket_));
  ::close(listening);
}

TEST_F(Activation, an_idle_daemon_counts_from_its_last_client_and_not_from_its_start) {
  constexpr std::chrono::milliseconds kIdle{200};
  const int listening = listen_as(SOCK_SEQPACKET);
  DaemonSettings brief = activated({listening});
  brief.arguments = {"--idle-exit", std::to_string(kIdle.count()) + "ms"};
  auto daemon = DaemonProcess::serving(brief);
  std::chrono::steady_clock::time_point left;
  {
    Options options;
    options.autostart = Autostart::never;
    Store store = need(Store::open(store_, options), "open");
    const auto connected = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() < connected + 2 * kIdle) {
      need(store.set("a", "1"), "set");
    }
    left = std::chrono::steady_clock::now();
  }
  EXPECT_EQ(daemon.exit_code(), 0);
  EXPECT_GE(std::chrono::steady_clock::now() - left, kIdle);
  ::close(listening);
}

TEST_F(Activation, another_kind_of_socket_is_refused_with_what_the_unit_must_say) {
  for (const auto& [type, word] : {std::pair{SOCK_STREAM, "stream"}, {SOCK_DGRAM, "datagram"}}) {
    const int listening = listen_as(type);
    const std::string said = refusal(activated({listening}));
    EXPECT_NE(said.find(word), std::string::npos) << said;
    EXPECT_NE(said.find("ListenSequentialPacket="), std::string::npos) << said;
    EXPECT_FALSE(std::filesystem::exists(store_));  // refused before anything is made
    ::close(listening);
    std::filesystem::remove(socket_);
  }
}

TEST_F(Activation, two_sockets_and_a_socket_elsewhere_are_refused) {
  const int listening = listen_as(SOCK_SEQPACKET);
  EXPECT_NE(refusal(activated({listening, listening})).find("2 were passed"), std::string::npos);
  DaemonSettings elsewhere = activated({listening});
  elsewhere.arguments = {"--socket", directory_ / "other"};
  EXPECT_NE(refusal(elsewhere).find(socket_), std::string::npos);
  ::close(listening);
}

}  // namespace
}  // namespace dfs::test
