// kill -9 of the daemon at its stop points, under eight writing clients: what was acknowledged is
// there, nothing is half there, what is recovered is a prefix, and what became of a commit whose
// reply was lost is told rightly. A process that only reads follows.
#include <sched.h>

#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "tests/process/company.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/deaths.hpp"
#include "tests/process/idle_mark.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

/// Kills daemons at one stop point, again and again, under one company.
void kill_at(const std::string& point, int kills) {
  const Watchdog watchdog("killing at a stop point", 500);
  const TemporaryDirectory directory;
  const std::string path = directory / "stop.db";
  std::mt19937 random(
      static_cast<unsigned>(point.size() * 1000 + static_cast<unsigned char>(point[0])));
  const auto settings = [&](std::uint64_t pass) {
    return DaemonSettings{.program = DFSD_FAULTS,
                          .store = path,
                          .fault = "kill@" + point + ":" + std::to_string(pass)};
  };
  // The first dies behind an idle mark; its first pass is the commit before the mark.
  DaemonProcess daemon = DaemonProcess::serving(settings(2 + random() % 20));
  commit_one(path);
  wait_for_mark(path);
  Company company({.path = path});

  Deaths deaths;
  std::uint64_t in_log = 0;      // replies lost of commits that are in the log
  std::uint64_t not_in_log = 0;  // commits under way that are not
  int live_sightings = 0;
  // What becomes of those whose reply a death takes; when they find out is chance.
  const auto told_so = [&company, &point] {
    const Company::Totals totals = company.totals();
    if (point == "appended" || point == "synced") return totals.resolved_committed > 0;
    if (point == "prepared") return totals.resolved_not_committed > 0;
    return point != "taken" || totals.not_written > 0;
  };
  for (int death = 0; death < kills || !told_so(); ++death) {
    // A daemon that dies early may die before its first answer.
    ASSERT_TRUE(daemon.killed_itself()) << daemon.said();
    const LogContents log = deaths.examine(path);
    ASSERT_TRUE(log.recovery().usable());
    if (death == 0) {
      ASSERT_NE(log.good().find("[\"mark\","), std::string_view::npos);
    }
    not_in_log += company.expect_log_has_acknowledged(log);
    if (point == "torn") {
      EXPECT_EQ(log.recovery().kind, log::RecoveryKind::cut);
    }
    if (point == "appended" || point == "synced") in_log += log.last_batch();
    company.expect_successor(log.recovery().next);
    const bool early = random() % 3 == 0;
    const std::uint64_t pass = 1 + random() % (early ? 8U : 40U);
    daemon = DaemonProcess(settings(pass));  // it may die before it says that it serves: no matter
  }
  // The last one lives.
  ASSERT_TRUE(daemon.killed_itself()) << daemon.said();
  // Readers go on without one, on what the dead one has published.
  while (company.reading().stale.load() == 0) ::sched_yield();
  const LogContents log = deaths.examine(path);
  company.expect_successor(log.recovery().next);
  daemon = DaemonProcess::serving({.store = path});
  for (Sighting last; last.told < log.recovery().next;) {
    last = company.next_sighting();
    if (!last.stale) {
      ++live_sightings;
      EXPECT_GE(last.seen, last.told);
    }
    if (last.told >= log.recovery().next) {
      EXPECT_FALSE(last.stale);
    }
  }
  while (company.reading().live.load() == 0) ::sched_yield();
  company.finish();
  daemon.stop();

  const LogContents whole = LogContents::at(path);
  deaths.expect_prefix(whole);
  company.expect_log_has_all(whole);
  const Company::Totals totals = company.totals();
  std::printf(
      "%s: at least %d deaths, %lu commits; replies lost of %lu in the log and %lu not; callers "
      "resolved "
      "%lu committed, %lu not committed, were refused %lu; %d live sightings; %lu live and %lu "
      "stale snapshots\n",
      point.c_str(), kills + 1, totals.commits, in_log, not_in_log, totals.resolved_committed,
      totals.resolved_not_committed, totals.not_written, live_sightings,
      company.reading().live.load(), company.reading().stale.load());
  if (point == "appended" || point == "synced") {
    EXPECT_GE(in_log, static_cast<std::uint64_t>(kills));
  } else {
    EXPECT_GE(not_in_log, static_cast<std::uint64_t>(kills));
  }
  EXPECT_GT(live_sightings, 0);
}

TEST(kill_daemon, killed_when_it_has_taken_a_request_nothing_of_it_is_there) {
  kill_at("taken", scaled("kills", 25, 8));
}
TEST(kill_daemon, killed_when_replies_are_prepared_they_count_as_not_committed) {
  kill_at("prepared", scaled("kills", 25, 8));
}
TEST(kill_daemon, killed_in_the_middle_of_a_write_what_is_torn_was_told_to_nobody) {
  kill_at("torn", scaled("kills", 25, 8));
}
TEST(kill_daemon, killed_when_a_batch_is_appended_its_commits_are_told_to_have_happened) {
  kill_at("appended", scaled("kills", 25, 8));
}
TEST(kill_daemon, killed_when_a_batch_is_synced_its_commits_are_told_to_have_happened) {
  kill_at("synced", scaled("kills", 25, 8));
}

}  // namespace
}  // namespace dfs::test
