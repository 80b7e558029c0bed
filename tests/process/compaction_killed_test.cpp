// Daemons killed at every step of a compaction: what was acknowledged stays, versions rise by one,
// and a snapshot shows commits whole.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <poll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr int kWriters = 4;

struct Board {
  std::atomic<std::uint64_t> snapshots;
  std::atomic<bool> stopping;
  std::array<std::atomic<std::uint64_t>, kWriters> acknowledged;
  std::array<std::atomic<std::uint64_t>, kWriters> floors;    ///< that the first commit found
  std::array<std::atomic<std::uint64_t>, kWriters> versions;  ///< the last of a key made again
};

/// Commit n of a writer sets two keys to n, so that both have version n, or as much more as the
/// versions of keys that others erased were above 0; a third comes and goes.
void run_writer(const std::string& path, int number, Board& board) {
  Store store = need(Store::open(path, patient()), "open");
  const std::string name = "w" + std::to_string(number);
  const auto mine = static_cast<std::size_t>(number);
  for (std::uint64_t n = 1; !board.stopping; ++n) {
    const std::string value = std::to_string(n);
    Batch batch;
    batch.set(name + "/a", value).set(name + "/b", value);
    n % 2 != 0 ? batch.set(name + "/c", value) : batch.erase(name + "/c");
    const Committed done = need(store.submit(batch).wait(), "commit");
    if (n == 1) board.floors.at(mine) = done.versions.at(0) - 1;
    const std::uint64_t expected = board.floors.at(mine) + n;
    require(done.versions.at(0) == expected && done.versions.at(1) == expected,
            "commit " + value + " got version " + std::to_string(done.versions.at(0)));
    require(done.versions.at(2) > board.versions.at(mine), "a version was used twice");
    board.versions.at(mine) = done.versions.at(2);
    board.acknowledged.at(mine) = n;
  }
}

void run_reader(const std::string& path, Board& board) {
  Options options = patient();
  options.read_only = true;
  const Store store = need(Store::open(path, options), "open");
  while (!board.stopping) {
    std::array<std::uint64_t, kWriters> before{};
    for (std::size_t i = 0; i < kWriters; ++i) before.at(i) = board.acknowledged.at(i);
    const Snapshot snapshot = store.snapshot();
    if (const auto good = snapshot.check(); !good) {
      // Between a switch and the next daemon: the generation was not mapped yet.
      require(good.error() == errc::daemon_gone, "snapshot: " + std::string(good.error().text()));
      continue;
    }
    ++board.snapshots;
    for (std::size_t i = 0; i < kWriters; ++i) {
      const std::string name = "w" + std::to_string(i);
      const auto a = snapshot.get(name + "/a");
      const auto b = snapshot.get(name + "/b");
      require(a || a.error() == errc::absent,
              "get: " + std::string(a.has_value() ? "" : a.error().text()));
      require(a.has_value() == b.has_value(), "both keys of a commit, or none");
      const std::uint64_t seen = a ? std::stoull(std::string(a->value)) : 0;
      require(!a || (a->version == b->version && a->value == b->value), "a commit is seen whole");
      require(snapshot.stale() || seen >= before.at(i),
              "a live snapshot at " + std::to_string(snapshot.sequence()) + " has " +
                  std::to_string(seen) + " and lacks " + std::to_string(before.at(i)) +
                  ", acknowledged before it was taken");
      const auto c = snapshot.get(name + "/c");
      require(c.has_value() == (seen % 2 == 1),
              "the key that comes and goes is as the commit left it");
    }
  }
}

void kill_while_compacting(const std::string& point, int kills) {
  const Watchdog watchdog("killing while it compacts", 500);
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  const SharedMemory<Board> board;
  std::mt19937 random(static_cast<unsigned>(point.size() + static_cast<unsigned char>(point[0])));
  const auto settings = [&](bool dies) {
    DaemonSettings chosen{.program = DFSD_FAULTS, .store = path, .arguments = always_compacting()};
    if (dies && point != "random") {
      chosen.fault = "kill@" + point + ":" + std::to_string(1 + random() % 4);
    }
    return chosen;
  };
  DaemonProcess daemon = DaemonProcess::serving(settings(false));
  std::vector<ClientProcess> clients;
  for (int i = 0; i < kWriters; ++i) {
    clients.emplace_back("writer " + std::to_string(i), [&, i] { run_writer(path, i, *board); });
  }
  clients.emplace_back("reader", [&] { run_reader(path, *board); });
  std::uint64_t bases = 0;
  bool last = false;
  for (int kill = 0; !last; ++kill) {
    if (kill == 0 || point == "random") {
      std::uint64_t sum = 0;
      const std::uint64_t more = 20 + random() % 200;
      for (const auto& n : board->acknowledged) sum += n;
      for (std::uint64_t now = sum; now < sum + more;) {
        now = 0;
        for (const auto& n : board->acknowledged) now += n;
        for (const ClientProcess& client : clients) ASSERT_FALSE(client.ended());
        ::poll(nullptr, 0, 1);
      }
      daemon.kill();
    } else {
      ASSERT_TRUE(daemon.killed_itself()) << daemon.said();
    }
    const LogContents log = LogContents::at(path);
    ASSERT_TRUE(log.recovery().usable()) << log.recovery().reason;
    bases += log.recovery().first.base > 0 ? 1 : 0;
    // When a daemon dies is chance: it goes on until one did so with a compacted log.
    last = kill + 1 >= kills && bases > 0 && board->snapshots.load() > 0;
    daemon = DaemonProcess(settings(!last));
    if (last) {
      ASSERT_EQ(daemon.ready(), "ok\n") << daemon.said();
    }
  }
  board->stopping = true;
  for (ClientProcess& client : clients) client.expect_done();
  {
    const Store store = need(Store::open(path, patient()), "open");
    for (std::size_t i = 0; i < kWriters; ++i) {
      const auto value = store.get("w" + std::to_string(i) + "/a");
      ASSERT_TRUE(value.has_value()) << value.error().text();
      EXPECT_EQ(value->value, std::to_string(board->acknowledged.at(i)));
      EXPECT_EQ(value->version, board->floors.at(i) + board->acknowledged.at(i));
      EXPECT_GT(board->acknowledged.at(i), 0U);
    }
  }
  daemon.stop();
  EXPECT_EQ(LogContents::at(path).recovery().kind, log::RecoveryKind::whole);
  std::printf("%s: at least %d kills, %lu of them behind a compaction\n", point.c_str(), kills,
              bases);
}

TEST(compaction_killed, when_the_base_is_written_the_old_log_stays) {
  kill_while_compacting("base", scaled("kills", 15, 4));
}
TEST(compaction_killed, when_it_has_caught_up_the_old_log_stays) {
  kill_while_compacting("caught_up", scaled("kills", 15, 4));
}
TEST(compaction_killed, before_the_rename_the_old_log_stays) {
  kill_while_compacting("before_rename", scaled("kills", 15, 4));
}
TEST(compaction_killed, behind_the_rename_the_new_log_counts) {
  kill_while_compacting("renamed", scaled("kills", 15, 4));
}
TEST(compaction_killed, behind_the_switch_nothing_is_lost) {
  kill_while_compacting("switched", scaled("kills", 15, 4));
}
TEST(compaction_killed, at_random_nothing_is_lost) {
  kill_while_compacting("random", scaled("kills", 30, 4));
}

}  // namespace
}  // namespace dfs::test
