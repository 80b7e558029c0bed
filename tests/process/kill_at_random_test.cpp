// kill -9 of the daemon at any moment, under eight writing clients, the next one started by the
// test or by the clients: nothing acknowledged is lost, and a process that only reads follows.
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
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

/// Lets a random, short stretch pass: less than a batch, more than an instruction.
void dawdle(std::mt19937& random, unsigned most_us) {
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::microseconds(random() % (most_us + 1));
  while (std::chrono::steady_clock::now() < until) {
  }
}

/// Waits until a file is larger than it was: then a write of megabytes is under way.
void wait_for_growth(const std::string& path) {
  const auto before = std::filesystem::file_size(path);
  while (std::filesystem::file_size(path) == before) {
  }
}

struct KillCounts {
  int kills = 0;
  int sightings = 0;
  int torn = 0;
  Company::Totals totals;

  void add(const Company::Totals& more) {
    totals.commits += more.commits;
    totals.resolved_committed += more.resolved_committed;
    totals.resolved_not_committed += more.resolved_not_committed;
    totals.not_written += more.not_written;
  }
  void print(const char* who) const {
    std::printf(
        "%d kills at random, %s restarts: %lu commits, %d torn tails; callers resolved %lu "
        "committed, %lu not committed, were refused %lu; %d first commits of successors seen\n",
        kills, who, totals.commits, torn, totals.resolved_committed, totals.resolved_not_committed,
        totals.not_written, sightings);
  }
};

void expect_live(const Sighting& sighting, KillCounts& counts) {
  EXPECT_FALSE(sighting.stale) << "its daemon lives";
  EXPECT_GE(sighting.seen, sighting.told) << "a successor's first acknowledged commit is seen";
  ++counts.sightings;
}

/// What is special about one of the stores.
enum class Kind : std::uint8_t {
  usual,
  behind_mark,  ///< the first kill comes when an idle mark stands in the log
  large,        ///< batches of megabytes, so that a kill tears one
};

/// One store, killed and started again by the test.
void kill_one_store(int kills, Kind kind, std::mt19937& random, KillCounts& counts) {
  const TemporaryDirectory directory;
  const std::string path = directory / "random.db";
  DaemonProcess daemon = DaemonProcess::serving({.store = path});
  if (kind == Kind::behind_mark) {
    commit_one(path);
    wait_for_mark(path);
  }
  Company company({.path = path, .large = kind == Kind::large});
  expect_live(company.next_sighting(), counts);
  Deaths deaths;
  for (int kill = 0; kill < kills; ++kill) {
    company.wait_for_answers(1 + random() % (kind == Kind::large ? 30U : 600U));
    if (kind == Kind::large) {
      wait_for_growth(path);
    } else {
      dawdle(random, 1000);
    }
    daemon.kill();
    ++counts.kills;
    LogContents log = deaths.examine(path);
    company.expect_log_has_acknowledged(log);
    if (kind == Kind::behind_mark && kill == 0) {
      EXPECT_NE(log.good().find("[\"mark\","), std::string_view::npos);
    }
    if (kill % 5 == 4) {
      // One more that dies while it starts, or right after.
      daemon = DaemonProcess({.store = path});
      dawdle(random, 30'000);
      daemon.kill();
      log = deaths.examine(path);
      company.expect_log_has_acknowledged(log);
    }
    company.expect_successor(log.recovery().next);
    daemon = DaemonProcess::serving({.store = path});
    Sighting sighting = company.next_sighting();
    // The one that died while it started may have told somebody something.
    while (sighting.told < log.recovery().next) sighting = company.next_sighting();
    expect_live(sighting, counts);
  }
  company.finish();
  daemon.stop();
  const LogContents whole = LogContents::at(path);
  deaths.expect_prefix(whole);
  company.expect_log_has_all(whole);
  counts.torn += deaths.torn();
  counts.add(company.totals());
}

TEST(kill_at_random, killed_at_random_and_started_again_nothing_acknowledged_is_lost) {
  const Watchdog watchdog("killing at random", 500);
  std::mt19937 random(4711);
  KillCounts counts;
  const int kills = scaled("kills", 60, 5);
  for (int store = 0; counts.kills < kills; ++store) {
    const Kind kind = store == 0 ? Kind::behind_mark : store == 1 ? Kind::large : Kind::usual;
    kill_one_store(std::min(full_scale() ? 10 : 2, kills - counts.kills), kind, random, counts);
    if (::testing::Test::HasFailure()) break;
  }
  counts.print("the test");
  EXPECT_GE(counts.sightings, counts.kills);
}

/// The daemon that a store's lock file names.
::pid_t serving_pid(const std::string& path) {
  const std::string text = file_bytes(path + ".lock");
  ::pid_t pid = -1;
  if (text.starts_with("pid ")) std::from_chars(text.data() + 4, text.data() + text.size(), pid);
  return pid;
}

/// Makes this process the parent of what its children's children leave behind: daemons that its
/// clients started. All of them end with it.
class Subreaper {
 public:
  Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  Subreaper(const Subreaper&) = delete;
  Subreaper& operator=(const Subreaper&) = delete;
  ~Subreaper() {
    if (last_ > 0) end(last_, SIGKILL);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }
  void remember(::pid_t pid) { last_ = pid; }
  /// Ends a daemon and waits for it: its exit code, or 128 and the signal.
  int end(::pid_t pid, int signal) {
    last_ = -1;
    ::kill(pid, signal);
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  ::pid_t last_ = -1;
};

/// One store whose clients start its daemons.
void kill_one_self_started(int kills, std::mt19937& random, KillCounts& counts) {
  const TemporaryDirectory directory;
  const std::string path = directory / "self.db";
  Subreaper daemons;
  Company company({.path = path, .starts_daemons = true});
  expect_live(company.next_sighting(), counts);
  ::pid_t pid = serving_pid(path);
  daemons.remember(pid);
  for (int kill = 0; kill < kills; ++kill) {
    company.wait_for_answers(1 + random() % 800);
    dawdle(random, 1000);
    // Every unclean stop leaves a gap: where the next daemon's sequences begin.
    const std::uint64_t block = std::uint64_t{1} << 20U;
    const std::uint64_t next = (company.board().announced / block + 1) * block;
    company.expect_successor(next);
    EXPECT_EQ(daemons.end(pid, SIGKILL), 128 + SIGKILL);
    ++counts.kills;
    expect_live(company.next_sighting(), counts);
    pid = serving_pid(path);
    daemons.remember(pid);
  }
  company.finish();
  EXPECT_EQ(daemons.end(pid, SIGTERM), 0);
  const LogContents whole = LogContents::at(path);
  company.expect_log_has_all(whole);
  counts.add(company.totals());
}

TEST(kill_at_random, killed_at_random_and_started_by_its_clients_nothing_acknowledged_is_lost) {
  const Watchdog watchdog("killing what clients start", 500);
  std::mt19937 random(1174);
  KillCounts counts;
  const int kills = scaled("kills", 40, 5);
  while (counts.kills < kills) {
    kill_one_self_started(std::min(10, kills - counts.kills), random, counts);
    if (::testing::Test::HasFailure()) break;
  }
  counts.print("the clients'");
  EXPECT_GE(counts.sightings, counts.kills);
}

}  // namespace
}  // namespace dfs::test
