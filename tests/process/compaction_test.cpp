// Compaction while everybody works: snapshots stay what they were, transactions count across a
// switch, nothing acknowledged is lost wherever the daemon dies, and old generations go back.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <poll.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
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

/// Makes garbage, and has it compacted, so many times.
void switch_generations(Store& store, int switches) {
  for (int n = 0; n < switches; ++n) {
    for (int i = 0; i < 200; ++i) {
      static_cast<void>(
          need(store.set("noise/" + std::to_string(i % 20), std::to_string(n)), "set"));
    }
    const std::uint64_t before = generation_of(store);
    const auto done = Admin(store).compact(std::chrono::minutes(2));
    require(done.has_value(), "compact");
    require(generation_of(store) > before, "another generation is current");
  }
}

class Compaction : public testing::Test {
 protected:
  Compaction() { serve({"--durability", "written", "--feed-retention", "0s"}); }
  void serve(const std::vector<std::string>& arguments) {
    daemon_.emplace(DaemonProcess::serving({.store = path_, .arguments = arguments}));
  }
  const Watchdog watchdog_{"compaction", 300};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "store.db";
  std::optional<DaemonProcess> daemon_;
};

TEST_F(Compaction, a_snapshot_stays_what_it_was_over_many_switches) {
  Store store = need(Store::open(path_, patient()), "open");
  for (int i = 0; i < 1000; ++i) {
    static_cast<void>(need(store.set("k" + std::to_string(i), std::to_string(i)), "set"));
  }
  static_cast<void>(need(store.erase("k7"), "erase"));
  const Snapshot held = store.snapshot();
  for (int i = 0; i < 1000; ++i) {
    static_cast<void>(need(store.set("k" + std::to_string(i), "\"new\""), "set"));
  }
  // The second generation that is held by a young snapshot is the last one that may be superseded.
  switch_generations(store, 1);
  for (int i = 0; i < 1000; ++i) {
    const auto entry = held.get("k" + std::to_string(i));
    if (i == 7) {
      EXPECT_EQ(entry.error(), errc::absent);
      continue;
    }
    ASSERT_TRUE(entry.has_value()) << entry.error().text();
    EXPECT_EQ(entry->value, std::to_string(i));
    EXPECT_EQ(entry->version, 1U);
  }
  std::size_t live = 0;
  const Range all = held.prefix("k");
  for (const Entry& entry : all) live += entry.version == 1 ? 1 : 0;
  EXPECT_TRUE(all.status().has_value());
  EXPECT_EQ(live, 999U);
  EXPECT_EQ(store.get("k7")->value, "\"new\"");
  EXPECT_GT(store.get("k7")->version, 2U) << "no version is used twice";
}

TEST_F(Compaction, a_transaction_counts_across_a_switch) {
  Store store = need(Store::open(path_, patient()), "open");
  static_cast<void>(need(store.set("a", "1"), "set"));
  static_cast<void>(need(store.set("b", "1"), "set"));
  Transaction good = store.begin();
  Transaction stale = store.begin();
  Transaction phantom = store.begin();
  ASSERT_TRUE(good.get("a").has_value());
  ASSERT_EQ(good.get("nobody").error(), errc::absent);
  ASSERT_TRUE(stale.get("b").has_value());
  for (const Entry& entry : phantom.prefix("p/")) ADD_FAILURE() << entry.key;
  switch_generations(store, 1);
  static_cast<void>(need(store.set("b", "2"), "set"));
  static_cast<void>(need(store.set("p/1", "2"), "set"));
  switch_generations(store, 1);
  good.set("c", "1");
  EXPECT_TRUE(good.commit().has_value());
  stale.set("d", "1");
  EXPECT_EQ(stale.commit().error(), errc::transaction_conflict);
  phantom.set("e", "1");
  EXPECT_EQ(phantom.commit().error(), errc::transaction_conflict);
}

TEST_F(Compaction, what_was_read_of_a_generation_before_the_dead_daemons_last_is_validated) {
  Store writer = need(Store::open(path_, patient()), "open");
  static_cast<void>(need(writer.set("a", "1"), "set"));
  static_cast<void>(need(writer.set("b", "1"), "set"));
  Store reader = need(Store::open(path_, patient()), "open");
  const Snapshot held = reader.snapshot();  // or its generation would be given back at the switch
  Options reading = patient();
  reading.read_only = true;
  Store only_reader = need(Store::open(path_, reading), "open");
  switch_generations(writer, 1);
  static_cast<void>(need(writer.set("a", "2"), "set"));
  daemon_->kill();

  // The reader never mapped the generation in which a is 2, and nobody can hand it out.
  Transaction late = reader.begin();
  Transaction even_so = reader.begin();
  Transaction weaker = reader.begin({.snapshot_isolation = true});
  Transaction nothing = reader.begin();
  Transaction unasked = only_reader.begin();
  ASSERT_EQ(late.get("a")->value, "1");
  ASSERT_EQ(even_so.get("b")->value, "1");
  ASSERT_EQ(weaker.get("a")->value, "1");
  EXPECT_TRUE(weaker.commit().has_value()) << "a snapshot is what it was promised";
  EXPECT_TRUE(nothing.commit().has_value());
  static_cast<void>(unasked.get("a"));
  const auto not_asked = unasked.commit();
  ASSERT_FALSE(not_asked.has_value());
  EXPECT_EQ(not_asked.error(), errc::daemon_gone);
  serve({"--durability", "written"});
  const auto too_late = late.commit();
  ASSERT_FALSE(too_late.has_value());
  EXPECT_EQ(too_late.error(), errc::transaction_conflict)
      << "a was 2, acknowledged, before the transaction began";
  EXPECT_TRUE(even_so.commit().has_value());
}

TEST_F(Compaction, a_key_made_again_never_gets_a_version_it_had) {
  Store store = need(Store::open(path_, patient()), "open");
  std::uint64_t last = 0;
  for (int round = 0; round < 10; ++round) {
    const Committed set = need(store.set("again", "1"), "set");
    EXPECT_GT(set.version, last);
    const Committed erased = need(store.erase("again"), "erase");
    EXPECT_GT(erased.version, set.version);
    last = erased.version;
    switch_generations(store, 1);
    if (round % 4 == 3) {
      daemon_->kill();
      serve(always_compacting("written"));
    }
  }
}

TEST_F(Compaction, the_log_keeps_its_mode_and_stays_small) {
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  Store store = need(Store::open(path_, patient()), "open");
  switch_generations(store, 5);
  struct ::stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
  const std::uint64_t commits = store.snapshot().sequence();
  EXPECT_GE(commits, 1000U);
  daemon_->stop();
  const LogContents log = LogContents::at(path_);
  EXPECT_EQ(log.recovery().kind, log::RecoveryKind::whole);
  EXPECT_LE(log.recovery().base_records, 20U) << "one line for each live key";
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(Compaction, a_snapshot_held_too_long_is_too_old_when_memory_is_short_and_never_absent) {
  daemon_->stop();
  std::vector<std::string> arguments = always_compacting("written");
  arguments.insert(arguments.end(), {"--snapshot-ttl", "1ms", "--memory-limit", "16M"});
  serve(arguments);
  Store store = need(Store::open(path_, patient()), "open");
  const std::string large = "\"" + std::string(20'000, 'x') + "\"";
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(need(store.set("k" + std::to_string(i), large), "set"));
  }
  const Snapshot held = store.snapshot();
  Error end = errc::absent;
  // Far more than the limit, and every commit comes through.
  for (int n = 0; n < 5000; ++n) {
    static_cast<void>(need(store.set("k" + std::to_string(n % 100), large), "set"));
    const auto entry = held.get("k5");
    if (entry) {
      EXPECT_EQ(entry->version, 1U);
      EXPECT_TRUE(entry->value == large || !held.check()) << "right, or said to be gone";
      continue;
    }
    end = entry.error();
    EXPECT_EQ(end, errc::snapshot_too_old);
  }
  EXPECT_EQ(end, errc::snapshot_too_old) << "5,000 values of 20 kB do not fit 16 MiB beside it";
  EXPECT_EQ(held.check().error(), errc::snapshot_too_old);
  EXPECT_EQ(store.get("k5")->version, 51U);
}

TEST_F(Compaction, a_young_snapshot_is_never_revoked) {
  daemon_->stop();
  std::vector<std::string> arguments = always_compacting("written");
  arguments.insert(arguments.end(), {"--memory-limit", "16M"});
  serve(arguments);
  Store store = need(Store::open(path_, patient()), "open");
  const std::string large = "\"" + std::string(20'000, 'x') + "\"";
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(need(store.set("k" + std::to_string(i), large), "set"));
  }
  const Snapshot held = store.snapshot();
  Result<Committed> last = errc::absent;
  int sets = 0;
  do {
    last = store.set("k" + std::to_string(sets % 100), large);
  } while (last && ++sets < 5000);
  EXPECT_EQ(last.error(), errc::store_full) << "rather than take back what is held";
  EXPECT_GT(sets, 100);
  for (int i = 0; i < 100; ++i) {
    const auto entry = held.get("k" + std::to_string(i));
    ASSERT_TRUE(entry.has_value()) << entry.error().text();
    EXPECT_EQ(entry->version, 1U);
    EXPECT_EQ(entry->value, large);
  }
  EXPECT_TRUE(store.erase("k0").has_value()) << "erasing goes on";
}

struct Board {
  std::atomic<std::uint64_t> snapshots;
  std::atomic<bool> stopping;
  std::array<std::atomic<std::uint64_t>, kWriters> acknowledged;
  std::array<std::atomic<std::uint64_t>, kWriters> floors;    ///< that the first commit found
  std::array<std::atomic<std::uint64_t>, kWriters> versions;  ///< the last of a key made again
  std::atomic<std::uint64_t> holding{0};
};

/// Of the daemon, in shared memory.
std::uint64_t shared_bytes(::pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssShmem:")) return std::stoull(line.substr(9)) << 10;
  }
  return 0;
}

/// In a client: one snapshot of now, and whether it is what it was, or too old, once it is told.
void hold(const std::string& path, Board& board, std::uint64_t number) {
  const Store store = need(Store::open(path, patient()), "open");
  const Snapshot held = store.snapshot();
  const std::uint64_t version = need(held.get("k5"), "get").version;
  board.holding.fetch_add(1);
  while (!board.stopping) ::poll(nullptr, 0, 1);
  const auto entry = held.get("k5");
  require(entry ? entry->version == version : entry.error() == errc::snapshot_too_old,
          "holder " + std::to_string(number) + " reads what was there, or that it is too old");
}

TEST_F(Compaction, whatever_clients_hold_memory_stays_below_its_limit_and_writing_goes_on) {
  daemon_->stop();
  std::vector<std::string> arguments = always_compacting("written");
  arguments.insert(arguments.end(), {"--snapshot-ttl", "50ms", "--memory-limit", "24M"});
  serve(arguments);
  Store store = need(Store::open(path_, patient()), "open");
  const std::string large = "\"" + std::string(20'000, 'x') + "\"";
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(need(store.set("k" + std::to_string(i), large), "set"));
  }
  const SharedMemory<Board> board;
  const auto held = [&](std::uint64_t holders) {
    while (board->holding < holders) ::poll(nullptr, 0, 1);
  };
  std::vector<ClientProcess> clients;
  // For ever; stopped; forked and dead, with a child that lives on; a hundred handles.
  clients.emplace_back("holder", [&] { hold(path_, *board, 1); });
  clients.emplace_back("stopped", [&] { hold(path_, *board, 2); });
  held(2);
  clients[1].signal(SIGSTOP);
  ClientProcess parent("parent", [&] {
    const Store own = need(Store::open(path_, patient()), "open");
    const Snapshot snapshot = own.snapshot();
    board->holding.fetch_add(1);
    if (::fork() == 0) {
      while (!board->stopping) ::poll(nullptr, 0, 1);
      ::_exit(0);
    }
    while (!board->stopping) ::poll(nullptr, 0, 1);
  });
  held(3);
  parent.kill();
  clients.emplace_back("hundred", [&] {
    std::vector<Store> stores;
    std::vector<Snapshot> snapshots;
    for (int i = 0; i < 100; ++i) {
      stores.push_back(need(Store::open(path_, patient()), "open"));
      snapshots.push_back(stores.back().snapshot());
    }
    board->holding.fetch_add(1);
    while (!board->stopping) ::poll(nullptr, 0, 1);
    for (const Snapshot& snapshot : snapshots) {
      const auto entry = snapshot.get("k5");
      require(entry || entry.error() == errc::snapshot_too_old, "what was there, or too old");
    }
  });
  held(4);

  const std::uint64_t before = shared_bytes(daemon_->pid());
  std::uint64_t most = 0;
  std::uint64_t refused = 0;
  for (int n = 0; n < 5000;) {
    const auto done = store.set("k" + std::to_string(n % 100), large);
    most = std::max(most, shared_bytes(daemon_->pid()));
    if (done) {
      ++n;
      continue;
    }
    // While what is held is young, and only then.
    ASSERT_EQ(done.error(), errc::store_full) << done.error().text();
    ++refused;
  }
  clients[1].signal(SIGCONT);
  board->stopping = true;
  for (ClientProcess& client : clients) client.expect_done();
  std::printf("100 MB in 24 MiB: %lu MiB at the most (%lu before), %lu refused for a moment\n",
              most >> 20, before >> 20, refused);
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, (24U << 20) + (16U << 20)) << "the limit, and the rings of a hundred clients";
}

TEST_F(Compaction, what_was_lost_in_a_gap_stays_lost) {
  Store store = need(Store::open(path_, patient()), "open");
  const Committed before = need(store.set("a", "1"), "set");
  daemon_->kill();
  const std::vector<std::string> quietly{"--durability", "written", "--feed-retention", "0s"};
  serve(quietly);
  const Committed after = need(store.set("a", "2"), "set");
  ASSERT_GT(after.sequence, before.sequence + 1) << "an unclean stop leaves a gap";
  switch_generations(store, 1);
  const Snapshot now = store.snapshot();
  const auto fate_of = [&](std::uint64_t sequence) {
    return store.resolve(Position(now.position().store(), sequence).text());
  };
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(fate_of(before.sequence).value(), Resolution::committed);
    EXPECT_EQ(fate_of(before.sequence + 1).value(), Resolution::not_committed);
    EXPECT_EQ(fate_of(after.sequence - 1).value(), Resolution::not_committed);
    EXPECT_EQ(fate_of(after.sequence).value(), Resolution::committed);
    // Now the compacted log alone tells.
    daemon_->stop();
    serve(quietly);
  }
  // A stop right behind an unclean one: what the gap announced is not given again.
  daemon_->kill();
  serve(quietly);
  need(Admin(store).compact(std::chrono::minutes(2)), "compact");
  daemon_->stop();
  serve(quietly);
  const Committed next = need(store.set("a", "3"), "set");
  EXPECT_GT(next.sequence, now.sequence() + 1) << "it was announced to be skipped";
}

TEST_F(Compaction, what_does_not_fit_beside_the_index_is_said) {
  Store store = need(Store::open(path_, patient()), "open");
  const std::string large = "\"" + std::string(100'000, 'x') + "\"";
  for (int i = 0; i < 30; ++i) {
    static_cast<void>(need(store.set("k" + std::to_string(i), large), "set"));
  }
  daemon_->stop();
  serve({"--durability", "written", "--memory-limit", "5M"});
  const auto compacted = Admin(store).compact(std::chrono::minutes(2));
  ASSERT_FALSE(compacted.has_value());
  EXPECT_EQ(compacted.error(), errc::store_full) << compacted.error().text();
  EXPECT_EQ(store.get("k7")->value, large);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

// Killed at every step.

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
  for (int kill = 0; kill < kills; ++kill) {
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
    daemon = DaemonProcess(settings(kill + 1 < kills));
    if (kill + 1 == kills) {
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
  EXPECT_GT(board->snapshots.load(), 0U);
  EXPECT_GT(bases, 0U) << "some daemon died with a compacted log";
  std::printf("%s: %d kills, %lu of them behind a compaction\n", point.c_str(), kills, bases);
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
