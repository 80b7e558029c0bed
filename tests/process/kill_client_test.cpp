// kill -9 of clients anywhere in what they do: the daemon goes on, what they had of it comes back,
// nobody else notices, and nothing of theirs is half there.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/tagged_log.hpp"
#include "tests/process/tagged_writer.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr int kStable = 3;   // writers that are left alone
constexpr int kVictims = 5;  // writers that are killed, and begin again

Store open_served(const std::string& path) {
  Options options;
  options.autostart = Autostart::never;
  options.timeout = std::chrono::seconds(60);
  return need(Store::open(path, options), "open");
}

/// Lets a random, short stretch pass.
void dawdle(std::mt19937& random, unsigned most_us) {
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::microseconds(random() % (most_us + 1));
  while (std::chrono::steady_clock::now() < until) {
  }
}

/// Whether the daemon still counts that process among its clients.
bool is_client(const Admin& admin, ::pid_t pid) {
  const std::string list = need(admin.clients(), "clients");
  return list.find("\"pid\":" + std::to_string(pid) + ",") != std::string::npos;
}

/// The daemon notices the end of a client by itself; asks until it has.
void wait_until_gone(const Admin& admin, ::pid_t pid) {
  while (is_client(admin, pid)) {
  }
}

/// A number that stands in the daemon's `info`.
std::uint64_t figure(const Admin& admin, const std::string& name) {
  const std::string info = need(admin.info(), "info");
  const auto at = info.find("\"" + name + "\":");
  require(at != std::string::npos, "info has " + name);
  return std::stoull(info.substr(at + name.size() + 3));
}

class Crowd {
 public:
  Crowd(std::string path) : path_(std::move(path)) {
    board_->ring_at = UINT64_MAX;
    for (int i = 0; i < kStable; ++i) writers_.push_back(start(i));
    for (int i = 0; i < kVictims; ++i) writers_.push_back(start(kStable + i));
  }

  /// Lets the crowd get on by some commits.
  void wait_for_answers(std::uint64_t more) {
    const std::uint64_t target = board_->answers + more;
    board_->ring_at = target;
    while (board_->answers < target && !pipes_.reached.readable(100)) {
      for (const ClientProcess& writer : writers_) require(!writer.ended(), "a writer has ended");
    }
    while (pipes_.reached.poll()) {
    }
  }
  /// Kills a victim. Its pid.
  ::pid_t kill(int victim) {
    ClientProcess& process = writers_.at(static_cast<std::size_t>(kStable + victim));
    const ::pid_t pid = process.pid();
    process.kill();
    return pid;
  }
  /// Of a dead victim: the commits that it had handed over and had heard nothing of.
  [[nodiscard]] std::uint64_t under_way(int victim) {
    const TaggedSheet& of_all_lives = sheet(kStable + victim);
    const std::uint64_t open = of_all_lives.begun - of_all_lives.answered;
    return open - std::exchange(open_.at(static_cast<std::size_t>(victim)), open);
  }
  void start_again(int victim) {
    writers_[static_cast<std::size_t>(kStable + victim)].replace(start(kStable + victim));
  }
  void finish() {
    board_->stopping = true;
    for (ClientProcess& writer : writers_) writer.expect_done();
  }
  [[nodiscard]] const TaggedSheet& sheet(int writer) const {
    return board_->sheets[static_cast<std::size_t>(writer)];
  }
  /// What the writers that are left alone were told so far.
  [[nodiscard]] std::uint64_t stable_answers() const {
    std::uint64_t answers = 0;
    for (int i = 0; i < kStable; ++i) answers += sheet(i).answered;
    return answers;
  }

 private:
  ClientProcess start(int number) {
    TaggedSettings settings;
    settings.path = path_;
    settings.number = number;
    settings.depth = number < kStable ? 2 : 8;
    // Of the victims' commits many are larger than the ring, and most of the time one is in it.
    settings.large_every = number < kStable ? 64 : 3;
    settings.large_bytes = number < kStable ? 100'000 : 2'000'000;
    const bool victim = number >= kStable;
    return {"writer " + std::to_string(number), [this, settings, victim] {
              const Store store = open_served(settings.path);
              std::vector<Snapshot> held;  // and never given back
              for (int i = 0; victim && i < 5; ++i) held.push_back(store.snapshot());
              TaggedWriter(settings, *board_, pipes_).run();
            }};
  }

  const std::string path_;
  const SharedMemory<TaggedBoard> board_;
  const TaggedPipes pipes_;
  std::vector<ClientProcess> writers_;
  std::array<std::uint64_t, kVictims> open_{};  // of lives that are over
};

TEST(kill_client, killed_anywhere_in_a_push_nobody_else_notices) {
  const Watchdog watchdog("killing clients", 500);
  const int kills = scaled("kills", 200, 20);
  const TemporaryDirectory directory;
  const std::string path = directory / "clients.db";
  DaemonProcess daemon = DaemonProcess::serving({.store = path});
  const Store store = open_served(path);
  const Admin admin(store);
  Crowd crowd(path);
  std::mt19937 random(99);
  std::uint64_t in_flight = 0;  // commits under way at the deaths
  for (int kill = 0; kill < kills; ++kill) {
    crowd.wait_for_answers(1 + random() % 12);
    dawdle(random, 5000);
    const int victim = static_cast<int>(random() % kVictims);
    const ::pid_t pid = crowd.kill(victim);
    in_flight += crowd.under_way(victim);
    wait_until_gone(admin, pid);
    // The others get on.
    const std::uint64_t before = crowd.stable_answers();
    while (crowd.stable_answers() == before) crowd.wait_for_answers(1);
    crowd.start_again(victim);
  }
  crowd.finish();

  // All that clients had of the daemon has come back: connections, holds, room for requests. (What
  // is left is this process, and the holds of its snapshot.)
  while (figure(admin, "clients") > 1 || figure(admin, "received_bytes") > 0) {
  }
  EXPECT_NE(need(admin.clients(), "clients").find("\"snapshots\":0,"), std::string::npos);
  EXPECT_EQ(figure(admin, "dropped_clients"), 0U) << daemon.said();
  daemon.stop();

  const LogContents log = LogContents::at(path);
  EXPECT_EQ(log.recovery().kind, log::RecoveryKind::whole);
  log.expect_versions_rise_by_one();
  const TaggedLog tagged(log);
  std::uint64_t never = 0;
  for (int i = 0; i < kStable + kVictims; ++i) {
    const TaggedSheet& sheet = crowd.sheet(i);
    tagged.expect_told(i, sheet);
    EXPECT_GT(sheet.answered, 0U);
    if (i < kStable) {
      EXPECT_EQ(tagged.count(i), sheet.begun);
      EXPECT_EQ(sheet.answered, sheet.begun);
      EXPECT_TRUE(tagged.in_order(i));
    }
    never += sheet.begun - tagged.count(i);
  }
  std::printf("%d clients killed with %lu commits under way, %lu of which never happened\n", kills,
              in_flight, never);
  EXPECT_GT(in_flight, never) << "some die when the daemon has taken what they asked";
  EXPECT_GT(never, 0U) << "some die before";
}

TEST(kill_client, partial_requests_of_the_dead_hold_no_room) {
  const Watchdog watchdog("killing large requests");
  const TemporaryDirectory directory;
  const std::string path = directory / "large.db";
  DaemonProcess daemon = DaemonProcess::serving({.store = path});
  Store store = open_served(path);
  const Admin admin(store);
  // Received and not committed: 128 MiB for each user. Three of these would fill it.
  Batch large;
  const std::string pad(std::size_t{15} << 20U, 'x');
  for (int i = 0; i < 3; ++i) large.set("large/" + std::to_string(i), "\"" + pad + "\"");
  std::mt19937 random(7);
  int partial = 0;
  const int kills = scaled("kills of large requests", 24, 8);
  for (int kill = 0; kill < kills || partial == 0; ++kill) {
    const MessagePipe<int> begins;
    ClientProcess client("large", [&] {
      Store own = open_served(path);
      begins.send(1);
      static_cast<void>(own.submit(large).wait());
    });
    static_cast<void>(begins.receive());
    const ::pid_t pid = client.pid();
    while (figure(admin, "received_bytes") == 0 && !client.ended()) {
    }
    dawdle(random, 20'000);
    if (figure(admin, "received_bytes") > 0) ++partial;
    client.kill();
    wait_until_gone(admin, pid);
  }
  std::printf("%d clients died in the middle of 45 MiB\n", partial);
  // One of them may have been taken whole, and be on its way to the disk.
  while (figure(admin, "received_bytes") > 0) {
  }
  EXPECT_TRUE(store.submit(large).wait());
  daemon.stop();
}

TEST(kill_client, who_watched_and_held_leaves_nothing_open) {
  const Watchdog watchdog("a daemon that keeps what dead clients had");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  DaemonProcess daemon = DaemonProcess::serving({.store = path});
  Store store = open_served(path);
  const Admin admin(store);
  const auto open_files = [&daemon] {
    const std::filesystem::directory_iterator all("/proc/" + std::to_string(daemon.pid()) + "/fd");
    return std::distance(begin(all), end(all));
  };
  need(store.set("a", "1"), "set");
  const auto before = open_files();
  for (int i = 0; i < 20; ++i) {
    const MessagePipe<int> there;
    ClientProcess client("who dies", [&] {
      const Store own = open_served(path);
      const Watch watch = need(own.watch(), "watch");
      const Snapshot snapshot = own.snapshot();
      there.send(1);
      for (;;) ::pause();
    });
    EXPECT_EQ(there.receive(), 1);
    EXPECT_GT(open_files(), before);
    const ::pid_t pid = client.pid();
    client.kill();
    wait_until_gone(admin, pid);
    // Its writer's thread has been told, and lets it go before it takes more.
    while (open_files() > before) need(store.set("a", "1"), "set");
  }
  daemon.stop();
}

}  // namespace
}  // namespace dfs::test
