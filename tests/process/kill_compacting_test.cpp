// kill -9 of a daemon that compacts all the time, at the stop points of compaction and of a commit:
// the company of kill_daemon_test, whose writers keep commits in flight, give up and ask what
// became of them. Each commit has keys of its own, so that a compacted log still tells of all of
// them.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/company.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

/// Asks for one compaction after the other, whoever serves: there is garbage, but what is kept
/// grows.
void run_asker(const std::string& path, const TaggedBoard& board) {
  const Store store = need(Store::open(path, patient()), "open");
  while (!board.stopping) {
    const auto done = Admin(store).compact(std::chrono::minutes(2));
    if (!done) ::poll(nullptr, 0, 1);  // its daemon died, and the next one is not there yet
  }
}

/// Kills daemons at one stop point, or at random, again and again, under one company.
void kill_at(const std::string& point, int kills) {
  const Watchdog watchdog("killing while it compacts", 500);
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  std::mt19937 random(
      static_cast<unsigned>(point.size() * 1000 + static_cast<unsigned char>(point[0])));
  const auto settings = [&](bool dies) {
    DaemonSettings chosen{
        .program = DFSD_FAULTS, .store = path, .arguments = {"--feed-retention", "0s"}};
    const unsigned passes = point == "appended" ? 60 : 4;
    if (dies && point != "random") {
      chosen.fault = "kill@" + point + ":" + std::to_string(1 + random() % passes);
    }
    return chosen;
  };
  DaemonProcess daemon = DaemonProcess::serving(settings(false));
  Company company({.path = path, .keys = TaggedKeys::own_each});
  ClientProcess asker("asker", [&] { run_asker(path, company.board()); });
  static_cast<void>(company.next_sighting());
  std::uint64_t compacted = 0;
  std::uint64_t under_way = 0;
  int live_sightings = 0;
  bool last = false;
  for (int kill = 0; !last; ++kill) {
    if (kill == 0 || point == "random") {
      company.wait_for_answers(20 + random() % 400);
      daemon.kill();
    } else {
      ASSERT_TRUE(daemon.killed_itself()) << daemon.said();
    }
    const LogContents log = LogContents::at(path);
    ASSERT_TRUE(log.recovery().usable()) << log.recovery().reason;
    compacted += log.recovery().first.base > 0 ? 1 : 0;
    under_way += company.expect_log_has_acknowledged(log);
    if (::testing::Test::HasFailure()) return;
    company.expect_successor(log.recovery().next);
    // When a daemon dies is chance: it goes on until what is looked for has happened.
    last = kill + 1 >= kills && compacted > 0 && company.reading().live.load() > 0 &&
           (point != "appended" || company.totals().resolved_committed > 0);
    daemon = DaemonProcess(settings(!last));
    if (!last && point != "random") continue;
    ASSERT_EQ(daemon.ready(), "ok\n") << daemon.said();
    for (Sighting seen; seen.told < log.recovery().next;) {
      seen = company.next_sighting();
      if (seen.stale) continue;
      ++live_sightings;
      EXPECT_GE(seen.seen, seen.told);
    }
  }
  company.finish();
  asker.expect_done();
  daemon.stop();
  const LogContents whole = LogContents::at(path);
  company.expect_log_has_all(whole);
  const Company::Totals totals = company.totals();
  std::printf(
      "%s: %d kills, %lu of them behind a compaction; %lu commits, %lu under way at a death; "
      "callers resolved %lu committed, %lu not committed, were refused %lu; %d live sightings\n",
      point.c_str(), kills, compacted, totals.commits, under_way, totals.resolved_committed,
      totals.resolved_not_committed, totals.not_written, live_sightings);
  EXPECT_GT(live_sightings, 0);
}

TEST(kill_compacting, when_the_base_is_written_the_old_log_counts) {
  kill_at("base", scaled("kills", 12, 4));
}
TEST(kill_compacting, when_it_has_caught_up_the_old_log_counts) {
  kill_at("caught_up", scaled("kills", 12, 4));
}
TEST(kill_compacting, before_the_rename_the_old_log_counts) {
  kill_at("before_rename", scaled("kills", 12, 4));
}
TEST(kill_compacting, behind_the_rename_the_new_log_counts) {
  kill_at("renamed", scaled("kills", 12, 4));
}
TEST(kill_compacting, behind_the_switch_the_new_log_counts) {
  kill_at("switched", scaled("kills", 12, 4));
}
TEST(kill_compacting, when_a_batch_is_appended_its_commits_are_told_to_have_happened) {
  kill_at("appended", scaled("kills", 12, 4));
}
TEST(kill_compacting, at_random_nothing_acknowledged_is_lost) {
  kill_at("random", scaled("kills", 25, 4));
}

}  // namespace
}  // namespace dfs::test
