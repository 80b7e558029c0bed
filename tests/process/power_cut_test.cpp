// The power goes under load, again and again: what was acknowledged before is there afterwards,
// and what is there is a prefix.
//
// FS_IOC_SHUTDOWN stops a loop-mounted ext4 at an instant, without writing its journal out.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/lines_by_hand.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/loop_file_system.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr std::size_t kClients = 4;
constexpr std::uint64_t kFileSystemBytes = std::uint64_t{64} << 20;

/// What each client was told; the last of its numbers that is certainly committed.
struct Acknowledged {
  std::array<std::atomic<std::uint64_t>, kClients> last;
  [[nodiscard]] std::uint64_t sum() const {
    std::uint64_t all = 0;
    for (const auto& one : last) all += one.load();
    return all;
  }
};

std::string key_of(std::size_t client) { return "client/" + std::to_string(client); }

/// Commits 1, 2, 3, ... under two keys together, until nobody answers.
void count_up(const std::string& store, std::size_t client, std::atomic<std::uint64_t>& last) {
  Options options;
  options.autostart = Autostart::never;
  Store opened = need(Store::open(store, options), "open");
  for (std::uint64_t number = last.load() + 1;; ++number) {
    Batch batch;
    batch.set(key_of(client), std::to_string(number));
    batch.set(key_of(client) + "/twin", std::to_string(number));
    if (!opened.submit(batch).wait()) return;
    last.store(number);
  }
}

/// One store on one file system, and cuts of its power.
class PowerCuts {
 public:
  explicit PowerCuts(DaemonSettings settings) : settings_(std::move(settings)) {
    settings_.store = disk_ / "users.db";
  }

  /// Serves clients until `more` acknowledgements have come, cuts, comes back. What was
  /// acknowledged before the cut, by client.
  void cut_after(std::uint64_t more) {
    const std::uint64_t wanted = acknowledged_->sum() + more;
    cut_when([this, wanted](DaemonProcess&) {
      while (acknowledged_->sum() < wanted) ::sched_yield();
    });
  }
  /// The same, at the instant in which the daemon dies by its fault.
  void cut_at(const std::string& fault) {
    settings_.fault = fault;
    cut_when([](DaemonProcess& daemon) { EXPECT_TRUE(daemon.killed_itself()) << daemon.said(); });
    settings_.fault.clear();
  }

  /// Whether every client reads what it was told, whole, whatever the log looks like by now.
  [[nodiscard]] bool reads_what_was_acknowledged() {
    DaemonSettings settings = settings_;
    settings.arguments.clear();  // it stays as it was found
    DaemonProcess daemon(settings);
    if (daemon.ready() != "ok\n") return false;
    bases_ += LogContents::at(settings_.store).recovery().first.base > 0 ? 1U : 0U;
    bool all = true;
    {
      const Store store = need(Store::open(settings_.store), "open");
      for (std::size_t i = 0; i < kClients; ++i) {
        const auto number = store.get(key_of(i));
        const auto twin = store.get(key_of(i) + "/twin");
        if (!number || !twin) return before_[i] == 0;
        const std::uint64_t found = std::stoull(number->value);
        EXPECT_EQ(twin->value, number->value) << "half a commit";
        EXPECT_EQ(number->version, found);
        all = all && found >= before_[i];
        acknowledged_->last[i].store(found);
      }
    }
    daemon.stop();
    return all;
  }
  /// How many logs were found that a compaction had made.
  [[nodiscard]] unsigned bases() const { return bases_; }

  /// Whether what is there holds everything acknowledged before the cut, in order and whole.
  /// Afterwards clients go on from what is there.
  [[nodiscard]] bool holds_what_was_acknowledged() {
    DaemonProcess daemon(settings_);
    if (daemon.ready() != "ok\n") return false;
    const LogContents log = LogContents::at(settings_.store);
    std::array<std::uint64_t, kClients> found{};
    for (const LogCommit& commit : log.commits()) {
      EXPECT_EQ(commit.records.size(), 2U) << "half a commit, sequence " << commit.sequence;
      for (std::size_t i = 0; i < kClients; ++i) {
        if (commit.records[0].key != key_of(i)) continue;
        EXPECT_EQ(commit.records[0].value, std::to_string(++found[i]));
        EXPECT_EQ(commit.records[1].value, commit.records[0].value);
      }
    }
    bool all = true;
    for (std::size_t i = 0; i < kClients; ++i) {
      all = all && found[i] >= before_[i];
      kept_unacknowledged_ += found[i] > before_[i] ? 1U : 0U;
      acknowledged_->last[i].store(found[i]);
    }
    daemon.stop();
    return all;
  }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_->sum(); }

 private:
  template <class When>
  void cut_when(When when) {
    DaemonProcess daemon = DaemonProcess::serving(settings_);
    std::vector<ClientProcess> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.emplace_back(key_of(i),
                           [this, i] { count_up(settings_.store, i, acknowledged_->last[i]); });
    }
    when(daemon);
    for (std::size_t i = 0; i < kClients; ++i) before_[i] = acknowledged_->last[i].load();
    disk_.cut_power();
    for (ClientProcess& client : clients) client.kill();
    daemon.kill();
    disk_.unmount();
    disk_.mount();
  }

  LoopFileSystem disk_{kFileSystemBytes};
  DaemonSettings settings_;
  const SharedMemory<Acknowledged> acknowledged_;
  std::array<std::uint64_t, kClients> before_{};
  std::uint64_t kept_unacknowledged_ = 0;
  unsigned bases_ = 0;
};

TEST(PowerCut, what_was_acknowledged_before_it_is_there) {
  if (!LoopFileSystem::permitted()) GTEST_SKIP() << "50 power cuts need root, for a loop mount";
  const Watchdog watchdog("a power cut");
  std::mt19937 random(7);
  PowerCuts cuts({.store = ""});
  const int count = scaled("cuts", 50, 5);
  for (int i = 0; i < count; ++i) {
    cuts.cut_after(1 + random() % 200);
    ASSERT_TRUE(cuts.holds_what_was_acknowledged()) << "after cut " << i;
  }
  std::printf("%d cuts, %llu commits acknowledged and kept\n", count,
              static_cast<unsigned long long>(cuts.acknowledged()));
}

void cut_while_compacting(const std::string& point) {
  if (!LoopFileSystem::permitted()) GTEST_SKIP() << "power cuts need root, for a loop mount";
  const Watchdog watchdog("power cuts while it compacts", 300);
  std::mt19937 random(static_cast<unsigned>(point.size()));
  PowerCuts cuts({.program = DFSD_FAULTS, .store = "", .arguments = always_compacting()});
  const int count = scaled("cuts", 10, 3);
  // Whether a compaction was over is chance at random: it goes on until one was.
  for (int i = 0; i < count || cuts.bases() == 0; ++i) {
    const std::string time = std::to_string(1 + random() % 8);
    point == "random" ? cuts.cut_after(1 + random() % 200)
                      : cuts.cut_at("kill@" + point + ":" + time);
    ASSERT_TRUE(cuts.reads_what_was_acknowledged()) << "after cut " << i;
  }
  EXPECT_GT(cuts.acknowledged(), 0U);
  std::printf("%s: at least %d cuts, %u logs found behind a compaction\n", point.c_str(), count,
              cuts.bases());
}

TEST(PowerCutWhileCompacting, when_the_base_is_written) { cut_while_compacting("base"); }
TEST(PowerCutWhileCompacting, when_it_has_caught_up) { cut_while_compacting("caught_up"); }
TEST(PowerCutWhileCompacting, before_the_rename) { cut_while_compacting("before_rename"); }
TEST(PowerCutWhileCompacting, behind_the_rename) { cut_while_compacting("renamed"); }
TEST(PowerCutWhileCompacting, behind_the_switch) { cut_while_compacting("switched"); }
TEST(PowerCutWhileCompacting, at_random) { cut_while_compacting("random"); }

TEST(PowerCut, over_lines_by_hand_leaves_the_rest_to_the_next_daemon_and_none_twice) {
  if (!LoopFileSystem::permitted()) GTEST_SKIP() << "power cuts need root, for a loop mount";
  const Watchdog watchdog("power cuts over lines by hand", 300);
  LoopFileSystem disk(kFileSystemBytes);
  int number = 0;
  for (const std::string durability : {"durable", "written"}) {
    for (const std::string& point : deaths_over_lines_by_hand()) {
      SCOPED_TRACE(durability + ", cut at " + point);
      const LinesByHand store(disk / (std::to_string(++number) + ".db"), durability);
      store.die_at(point);
      disk.cut_power();
      disk.unmount();
      disk.mount();
      ASSERT_NO_FATAL_FAILURE(store.expect_committed_once());
    }
  }
}

TEST(PowerCut, lines_by_hand_are_on_the_disk_when_the_next_commit_is) {
  if (!LoopFileSystem::permitted()) GTEST_SKIP() << "power cuts need root, for a loop mount";
  const Watchdog watchdog("a power cut behind lines by hand");
  LoopFileSystem disk(kFileSystemBytes);
  const LinesByHand store(disk / "users.db", "written");
  {
    DaemonProcess daemon = DaemonProcess::serving(
        {.store = store.path(), .arguments = {"--durability", "written", "--sync-interval", "1h"}});
    need(open_served(store.path()).set("behind", "1"), "set");
    disk.cut_power();
    daemon.kill();
  }
  disk.unmount();
  disk.mount();
  EXPECT_TRUE(store.kept().empty());
  EXPECT_GE(LogContents::at(store.path()).commits().size(), 3 + LinesByHand::kCommits);
}

TEST(PowerCut, a_daemon_without_its_syncs_is_found_out) {
  if (!LoopFileSystem::permitted()) GTEST_SKIP() << "power cuts need root, for a loop mount";
  const Watchdog watchdog("a power cut");
  int found_out = 0;
  for (int i = 0; i < 5; ++i) {
    PowerCuts cuts({.program = DFSD_FAULTS, .store = "", .fault = "no-sync"});
    cuts.cut_after(100);
    found_out += cuts.holds_what_was_acknowledged() ? 0 : 1;
  }
  std::printf("without fdatasync: %d of 5 cuts lost acknowledged commits\n", found_out);
  EXPECT_GT(found_out, 2);
}

}  // namespace
}  // namespace dfs::test
