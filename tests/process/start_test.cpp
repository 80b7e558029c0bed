// Clients that start the daemon themselves: many at once, from everywhere; when it leaves; when it
// is killed; and a container that sees nothing but the directory of its socket.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr ::uid_t kOne = 54321;
constexpr ::uid_t kOther = 54322;
constexpr ::gid_t kGroup = 54320;

Options starting(const std::string& program, std::chrono::milliseconds idle_exit) {
  Options options;
  options.timeout = std::chrono::seconds(60);
  options.daemon.program = program;
  options.daemon.idle_exit = idle_exit;
  return options;
}

/// The text behind `"name":` in a JSON object of plain members, without quotes.
std::string member(const std::string& json, const std::string& name) {
  auto at = json.find("\"" + name + "\":");
  require(at != std::string::npos, "no " + name + " in " + json);
  at += name.size() + 3;
  if (json[at] == '"') return json.substr(at + 1, json.find('"', at + 1) - at - 1);
  return json.substr(at, json.find_first_of(",}", at) - at);
}

/// Who serves a store.
struct Server {
  ::pid_t pid = 0;
  std::array<char, 33> store{};
};

Server server_of(const Store& store) {
  const std::string info = need(Admin(store).info(), "info");
  Server server;
  server.pid = std::atoi(member(info, "pid").c_str());
  std::strncpy(server.store.data(), member(info, "store").c_str(), server.store.size() - 1);
  return server;
}

/// Waits until a process has ended; it need not be a child of ours.
void await_end(::pid_t pid) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return;  // it has
  ::pollfd slot{fd, POLLIN, 0};
  while (::poll(&slot, 1, -1) < 0 && errno == EINTR) {
  }
  ::close(fd);
}

/// Kills a process that is not a child of ours, whatever has become of the test.
class Killed {
 public:
  explicit Killed(::pid_t pid) : pid_(pid) {}
  Killed(const Killed&) = delete;
  Killed& operator=(const Killed&) = delete;
  ~Killed() { ::kill(pid_, SIGKILL); }

 private:
  const ::pid_t pid_;
};

void become(::uid_t uid) {
  const ::gid_t group = kGroup;
  require(::setgroups(1, &group) == 0 && ::setresgid(uid, uid, uid) == 0 &&
              ::setresuid(uid, uid, uid) == 0,
          "become another user");
}

void mount_at(const std::string& from, const std::string& to) {
  require(::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0,
          "mount " + from + " at " + to);
}

void enter_mount_name_space() {
  require(::unshare(CLONE_NEWNS) == 0 &&
              ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0,
          "a mount name space of one's own");
}

/// A directory of a group's, deep enough that a log in it has a path of 300 bytes, and the ways to
/// it. As root the ways are those of two users.
class Meeting {
 public:
  Meeting() {
    std::filesystem::create_directories(deep_);
    std::filesystem::create_directory_symlink(deep_, directory_ / "short");
    std::filesystem::create_symlink(deep_ + "/users.db", directory_ / "link.db");
    std::filesystem::create_directory(directory_ / "mounted");
    // Other users may not reach the tree this was built in.
    std::filesystem::copy_file(DFSD, program_);
    if (!as_root()) return;
    for (const std::string& path : {directory_.path(), deep_}) {
      require(::chown(path.c_str(), kOne, kGroup) == 0 && ::chmod(path.c_str(), 02775) == 0,
              "share " + path);
    }
    ::chmod((directory_ / std::string(150, 'a')).c_str(), 0755);
  }
  [[nodiscard]] static bool as_root() { return ::geteuid() == 0; }
  [[nodiscard]] const std::string& program() const { return program_; }
  [[nodiscard]] std::string log() const { return deep_ + "/users.db"; }

  /// In a client process: goes there in the way of this number, and says by which address.
  [[nodiscard]] std::string go(int number) const {
    ::umask(002);
    std::string address = log();
    switch (number % 6) {
      case 0:
        break;
      case 1:
        ::unsetenv("XDG_RUNTIME_DIR");
        address = directory_ / "short/../users.db";
        address = directory_ / "short/users.db";
        break;
      case 2:
        address = directory_ / "link.db";
        break;
      case 3:
        std::filesystem::current_path(deep_);
        address = "./users.db";
        break;
      case 4:
        if (as_root()) {
          enter_mount_name_space();
          mount_at(deep_, directory_ / "mounted");
          address = directory_ / "mounted/users.db";
        }
        break;
      default:
        ::setenv("XDG_RUNTIME_DIR", directory_.path().c_str(), 1);
        break;
    }
    // Of a group, whose members meet in a directory that is theirs.
    if (as_root()) become(number % 5 == 0 ? kOther : kOne);
    return address;
  }

 private:
  const TemporaryDirectory directory_;
  const std::string deep_ = directory_ / (std::string(150, 'a') + "/" + std::string(150, 'b'));
  const std::string program_ = directory_ / "dfsd";
};

TEST(start, a_hundred_that_open_a_new_store_at_once_meet_at_one_daemon) {
  const Watchdog watchdog("a hundred clients");
  const Meeting meeting;
  if (!Meeting::as_root()) std::printf("without root: one user, no mount name space\n");
  const int count = scaled("clients", 100, 20);
  const MessagePipe<int> begin;
  const MessagePipe<int> end;
  const MessagePipe<Server> met;
  std::vector<ClientProcess> clients;
  for (int i = 0; i < count; ++i) {
    clients.emplace_back("client " + std::to_string(i), [&, i] {
      const std::string address = meeting.go(i);
      static_cast<void>(begin.receive());
      Store store =
          need(Store::open(address, starting(meeting.program(), std::chrono::milliseconds(1))),
               address.c_str());
      const Committed done = need(store.set("k" + std::to_string(i), "1"), "set");
      require(done.version == 1, "set twice");
      met.send(server_of(store));
      static_cast<void>(end.receive());
    });
  }
  for (int i = 0; i < count; ++i) begin.send(i);
  std::set<::pid_t> daemons;
  std::set<std::string> stores;
  for (int i = 0; i < count; ++i) {
    const Server server = met.receive();
    daemons.insert(server.pid);
    stores.insert(server.store.data());
  }
  EXPECT_EQ(daemons.size(), 1U);
  EXPECT_EQ(stores.size(), 1U);
  for (int i = 0; i < count; ++i) end.send(i);
  for (ClientProcess& client : clients) client.expect_done();

  // Nobody is connected: it leaves.
  await_end(*daemons.begin());
  EXPECT_FALSE(std::filesystem::exists(meeting.log() + ".socket"));

  // The next call has the next one, and a killed one is replaced.
  Options options = starting(meeting.program(), std::chrono::milliseconds(1));
  options.autostart = Autostart::always;  // root may be here, for another's log
  for (int round = 0; round < 2; ++round) {
    Store store = need(Store::open(meeting.log(), options), "open again");
    const Snapshot snapshot = store.snapshot();
    int found = 0;
    for (const Entry& entry : snapshot.prefix("k")) found += entry.version == 1 ? 1 : 0;
    EXPECT_EQ(found, count);
    const Server server = server_of(store);
    EXPECT_EQ(stores.count(server.store.data()), 1U);
    EXPECT_EQ(daemons.count(server.pid), 0U);
    daemons.insert(server.pid);
    ::kill(server.pid, SIGKILL);
    await_end(server.pid);
  }
}

TEST(start, who_comes_while_the_daemon_leaves_is_served_by_it_or_by_its_successor) {
  const Watchdog watchdog("clients of daemons that leave");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  const int rounds = scaled("rounds", 100, 10);
  std::vector<ClientProcess> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back("client " + std::to_string(i), [&, i] {
      const std::string key = "k" + std::to_string(i);
      for (int round = 1; round <= rounds; ++round) {
        // It leaves at once, so that nearly every call meets one that starts or one that ends.
        Store store = need(Store::open(path, starting(DFSD, std::chrono::milliseconds(1))), "open");
        const Committed done = need(store.set(key, std::to_string(round)), "set");
        require(done.version == static_cast<std::uint64_t>(round), "a commit too many or too few");
      }
    });
  }
  for (ClientProcess& client : clients) client.expect_done();
}

/// What the writers of the test below have been told.
struct Acknowledged {
  std::array<std::atomic<std::uint64_t>, 8> by_writer;
  std::atomic<std::uint64_t> all;
  std::atomic<bool> stopping;
};

TEST(start, daemons_that_are_killed_are_started_again_and_no_acknowledged_commit_is_lost) {
  const Watchdog watchdog("killed daemons");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  const int kills = scaled("kills", 40, 8);
  const SharedMemory<Acknowledged> board;
  std::vector<ClientProcess> writers;
  for (std::size_t i = 0; i < 4; ++i) {
    writers.emplace_back("writer " + std::to_string(i), [&, i] {
      Store store = need(Store::open(path, starting(DFSD, std::chrono::minutes(1))), "open");
      const std::string key = "k" + std::to_string(i);
      for (std::uint64_t n = 1; !board->stopping; ++n) {
        // Each in its turn, once: lost it would be missing, repeated the version would be higher.
        const Committed done = need(store.set(key, std::to_string(n)), "set");
        require(done.version == n,
                "version " + std::to_string(done.version) + " of set " + std::to_string(n));
        board->by_writer[i] = n;
        ++board->all;
      }
    });
  }
  std::set<::pid_t> killed;
  std::minstd_rand random(20231119);
  {
    Store store = need(Store::open(path, starting(DFSD, std::chrono::minutes(1))), "open");
    for (int i = 0; i < kills; ++i) {
      const std::uint64_t until = board->all + random() % 40;
      while (board->all < until) ::sched_yield();
      const Server server = server_of(store);
      ::kill(server.pid, SIGKILL);
      await_end(server.pid);
      killed.insert(server.pid);
    }
    EXPECT_EQ(killed.size(), static_cast<std::size_t>(kills));
    board->stopping = true;
    for (ClientProcess& writer : writers) writer.expect_done();
    EXPECT_TRUE(store.set("last", "1"));
    const Snapshot snapshot = store.snapshot();
    for (std::size_t i = 0; i < writers.size(); ++i) {
      const Entry entry = need(snapshot.get("k" + std::to_string(i)), "get");
      EXPECT_EQ(entry.value, std::to_string(board->by_writer[i]));
      EXPECT_EQ(entry.version, board->by_writer[i]);
    }
    std::printf("%zu daemons killed under %llu commits\n", killed.size(),
                static_cast<unsigned long long>(board->all.load()));
    EXPECT_TRUE(Admin(store).stop());
  }
}

TEST(start, a_daemon_that_is_stopped_in_its_start_is_waited_for_and_named) {
  const Watchdog watchdog("a daemon that stands still");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  Options options = starting(DFSD_FAULTS, std::chrono::minutes(1));
  options.timeout = std::chrono::milliseconds(300);
  ::setenv("DFS_FAULT", "stop@reread:1", 1);
  const auto late = Store::open(path, options);
  ::unsetenv("DFS_FAULT");
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error(), errc::timeout) << late.error().text();
  const std::string text(late.error().text());
  const auto at = text.find("kill -CONT ");
  ASSERT_NE(at, std::string::npos) << text;
  const ::pid_t pid = std::atoi(text.c_str() + at + std::strlen("kill -CONT "));
  const Killed in_the_end(pid);

  // Another client sees the same, though it starts nothing; and is served once that goes on.
  options.autostart = Autostart::never;
  const auto refused = Store::open(path, options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), errc::timeout) << refused.error().text();
  options.timeout = std::chrono::seconds(60);
  ClientProcess waiting("waiting client", [&] {
    Store store = need(Store::open(path, options), "open");
    require(server_of(store).pid == pid, "another daemon");
  });
  ::kill(pid, SIGCONT);
  waiting.expect_done();
  ASSERT_TRUE(Admin(Store::open(path, options).value()).stop());
}

TEST(start, a_container_with_the_sockets_directory_alone_goes_through_restarts) {
  if (::geteuid() != 0) GTEST_SKIP() << "without root: no container";
  const Watchdog watchdog("a container");
  const TemporaryDirectory directory;
  const std::string meeting_place = directory / "run";
  const std::string root = directory / "root";
  for (const std::string& path : {meeting_place, root}) std::filesystem::create_directory(path);
  const DaemonSettings settings{.store = directory / "users.db",
                                .arguments = {"--socket", meeting_place + "/socket"}};
  DaemonProcess daemon = DaemonProcess::serving(settings);

  const MessagePipe<int> go_on;
  const MessagePipe<std::uint64_t> done;
  ClientProcess client("container", [&] {
    enter_mount_name_space();
    require(::mount("dfs-test", root.c_str(), "tmpfs", 0, nullptr) == 0, "mount a root");
    for (const char* name : {"/proc", "/app"}) std::filesystem::create_directory(root + name);
    mount_at("/proc", root + "/proc");
    mount_at(meeting_place, root + "/app");
    require(::chroot(root.c_str()) == 0 && ::chdir("/") == 0, "chroot");
    require(!std::filesystem::exists(settings.store), "the log is seen");
    Options options;
    options.timeout = options.wait_for_daemon = std::chrono::seconds(60);
    Store store = need(Store::open("/app", options), "open");
    for (int round = 0; round < 3; ++round) {
      done.send(need(store.set("k", std::to_string(round)), "set").version);
      static_cast<void>(go_on.receive());
      // Whether its daemon is away or back, what was read stays readable.
      require(need(store.get("k"), "get").value == std::to_string(round), "another value");
    }
  });
  EXPECT_EQ(done.receive(), 1U);
  daemon.stop();
  go_on.send(0);  // it waits for the successor
  daemon = DaemonProcess::serving(settings);
  EXPECT_EQ(done.receive(), 2U);
  daemon.kill();
  daemon = DaemonProcess::serving(settings);
  go_on.send(0);
  EXPECT_EQ(done.receive(), 3U);
  go_on.send(0);
  client.expect_done();
  daemon.stop();
}

}  // namespace
}  // namespace dfs::test
