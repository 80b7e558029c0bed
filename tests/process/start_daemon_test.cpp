// A daemon that does not answer, one that is too new, one that cannot be started, and one that is
// waited for: who opens is told which of them it is, and what to do.
#include <poll.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/os/socket.hpp"
#include "common/wire/hello.hpp"
#include "tests/process/start_refusal.hpp"

namespace dfs::test {
namespace {

class StartDaemon : public StartRefusal {};

TEST_F(StartDaemon, a_daemon_that_is_stopped_is_named_with_its_state) {
  DaemonProcess daemon = DaemonProcess::serving({.store = real("users.db")});
  daemon.signal(SIGSTOP);
  ::siginfo_t state{};
  ::waitid(P_PID, static_cast<::id_t>(daemon.pid()), &state, WSTOPPED);
  Options options;
  options.timeout = std::chrono::milliseconds(200);
  const std::string pid = std::to_string(daemon.pid());
  expect(attempt("users.db", Doing::writing, {}, options), errc::timeout,
         {"does not answer", "pid " + pid + ", which is stopped by a signal (kill -CONT " + pid});
  daemon.signal(SIGCONT);
  expect_served(attempt("users.db", Doing::writing));
  daemon.stop();
}

TEST_F(StartDaemon, a_daemon_whose_socket_was_taken_away_is_named) {
  DaemonProcess daemon = DaemonProcess::serving({.store = real("users.db")});
  std::filesystem::remove(real("users.db.socket"));
  Options options;
  options.timeout = std::chrono::milliseconds(200);
  expect(attempt("users.db", Doing::writing, {}, options), errc::timeout,
         {"its socket " + real("users.db.socket") + " was taken away",
          "kill " + std::to_string(daemon.pid())});
  daemon.stop();
}

TEST_F(StartDaemon, a_descriptor_that_was_not_handed_on_is_named_before_anything_is_made) {
  for (const std::string option : {"--ready-fd", "--lock-fd"}) {
    for (const std::string number : {"977", "-977"}) {
      Program daemon({dfsd(), "--idle-exit", "1ms", option, number, real("users.db")});
      EXPECT_EQ(daemon.run(), 2) << daemon.output();
      EXPECT_TRUE(daemon.output().starts_with("dfsd: " + option + " " + number + ": "))
          << daemon.output();
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(here()));
}

TEST_F(StartDaemon, a_daemon_of_another_major_says_what_to_upgrade) {
  make_store("users.db");
  const auto listening = os::listen_at(real("users.db.socket")).value();
  const std::string text =
      "this daemon (dfsd 9.0.0) speaks protocol 9, the library speaks 1; "
      "upgrade the older of the two";
  ClientProcess daemon("a later daemon", [&] {
    for (;;) {
      ::pollfd slot{listening.get(), POLLIN, 0};
      ::poll(&slot, 1, -1);
      const auto socket = os::accept_from(listening.get()).value();
      os::receive_packet(socket.get(), os::Deadline::never()).value();
      wire::HelloAnswer answer;
      answer.status = wire::HelloStatus::incompatible;
      answer.text = text;
      const auto bytes = wire::encode(answer);
      os::try_send_packet(socket.get(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                          {})
          .value();
    }
  });
  expect(attempt("users.db", Doing::reading), errc::incompatible, {text});
  daemon.kill();
}

TEST_F(StartDaemon, who_waits_for_a_daemon_finds_it_once_it_is_there) {
  Options options;
  options.autostart = Autostart::never;
  options.timeout = options.wait_for_daemon = std::chrono::seconds(60);
  make_store("users.db");
  std::filesystem::create_directory(real("run"));
  std::vector<ClientProcess> waiting;
  // By its log, by a socket that is not there yet, and in a directory that is not there yet.
  for (const std::string& address : {real("users.db"), real("run/socket"), real("later/socket")}) {
    waiting.emplace_back("waiting", [address, options] {
      Store store = need(Store::open(address, options), address.c_str());
      need(store.set("a", "1"), "set");
    });
  }
  std::filesystem::create_directory_symlink("run", real("later"));
  DaemonProcess daemon = DaemonProcess::serving(
      {.store = real("users.db"), .arguments = {"--socket", real("run/socket")}});
  for (ClientProcess& client : waiting) client.expect_done();
  daemon.stop();
}

// The program.

TEST_F(StartDaemon, where_no_dfsd_is_it_is_said_who_named_it) {
  make_store("users.db");
  expect(attempt("users.db", Doing::reading, [] { ::setenv("DFS_DAEMON", "/nowhere/dfsd", 1); }),
         errc::no_daemon,
         {"start /nowhere/dfsd: No such file or directory", "DFS_DAEMON names it"});
  expect(attempt("users.db", Doing::reading, [] { ::setenv("DFS_DAEMON", "/bin/true", 1); }),
         errc::no_daemon, {"/bin/true ended 3 times without a word", "is it no dfsd?"});
  // Nothing is left of a store that was not made.
  expect(attempt("new.db", Doing::writing, [] { ::setenv("DFS_DAEMON", "/nowhere/dfsd", 1); }),
         errc::no_daemon, {"start /nowhere/dfsd"});
  EXPECT_FALSE(std::filesystem::exists(real("new.db.lock")));
  Options options;
  options.daemon.program = "/nowhere/else";
  options.autostart = Autostart::always;
  const auto store = Store::open(real("users.db"), options);
  ASSERT_FALSE(store.has_value());
  EXPECT_NE(store.error().text().find("Options::daemon.program names it"), std::string_view::npos);
}

}  // namespace
}  // namespace dfs::test
