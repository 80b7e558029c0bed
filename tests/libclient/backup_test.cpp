// Backup and restore through the library: what a backup holds, and what a restored store never
// gives again.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/log/recovery.hpp"
#include "common/os/file.hpp"
#include "tests/libclient/served_store.hpp"
#include "tests/log/sample.hpp"

namespace dfs {
namespace {

using log::SeenRecord;

std::string content(const std::string& path) {
  return os::File::open(path, {}).value().read_all().value();
}

struct State {
  std::map<std::string, SeenRecord> live;
  std::uint64_t highest_erased = 0;
};

/// What a log says of the store after the commit `sequence`.
State state_at(const log::Seen& seen, std::uint64_t sequence) {
  State state;
  for (SeenRecord record : seen.records) {
    if (record.sequence > sequence) break;
    if (record.erased) {
      state.live.erase(record.key);
      state.highest_erased = std::max(state.highest_erased, record.version);
      continue;
    }
    record.in_base = true;
    state.live[record.key] = record;
  }
  return state;
}

std::map<std::string, SeenRecord> live(const log::Seen& seen) {
  std::map<std::string, SeenRecord> live;
  for (const SeenRecord& record : seen.records) live[record.key] = record;
  return live;
}

class Backups : public ::testing::Test {
 protected:
  [[nodiscard]] std::string beside(const std::string& name) const {
    return os::directory_of(served_.path()) + "/" + name;
  }
  [[nodiscard]] BackedUp back_up(const std::string& name) const {
    return Admin(store_).backup(beside(name)).value();
  }
  /// A store made of a backup, served.
  [[nodiscard]] Store restored(const std::string& from, const std::string& name) {
    static_cast<void>(restore(beside(from), {.into = beside(name)}).value());
    daemons_.push_back(served(name));
    Options options = test::ServedStore::options();
    options.wait_for_daemon = options.timeout;
    return Store::open(beside(name), options).value();
  }
  [[nodiscard]] test::DaemonProcess served(const std::string& name) const {
    test::DaemonSettings settings;
    settings.program = DFSD;
    settings.store = beside(name);
    return test::DaemonProcess::serving(settings);
  }

  test::ServedStore served_;
  Store store_ = served_.open();
  std::vector<test::DaemonProcess> daemons_;
};

TEST_F(Backups, one_made_while_writers_run_is_the_store_after_its_commit) {
  constexpr int kWriters = 2;
  constexpr int kBackups = 12;
  std::atomic<bool> enough{false};
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      Store own = served_.open();
      for (int turn = 0; !enough; ++turn) {
        const std::string key = std::to_string(writer) + "/" + std::to_string(turn % 97);
        Batch batch;
        batch.set(key + "/a", std::to_string(turn));
        if (turn % 5 == 0) {
          batch.erase(key + "/b");
        } else {
          batch.set(key + "/b", std::to_string(turn));
        }
        static_cast<void>(own.submit(batch).wait().value());
      }
    });
  }
  std::vector<BackedUp> made;
  for (int i = 0; i < kBackups; ++i) made.push_back(back_up(std::to_string(i)));
  enough = true;
  for (std::thread& writer : writers) writer.join();

  log::Seen history;
  ASSERT_TRUE(log::recover(content(served_.path()), history).usable());
  std::uint64_t last = 0;
  for (int i = 0; i < kBackups; ++i) {
    const BackedUp& backup = made[static_cast<std::size_t>(i)];
    log::Seen seen;
    const log::Recovery found = log::recover(content(beside(std::to_string(i))), seen);
    ASSERT_EQ(found.kind, log::RecoveryKind::whole) << found.reason;
    const State expected = state_at(history, backup.sequence);
    EXPECT_EQ(live(seen), expected.live);
    EXPECT_EQ(seen.records.size(), backup.records);
    EXPECT_EQ(found.last(), std::max<std::uint64_t>(backup.sequence, 1));
    EXPECT_GE(found.floor, expected.highest_erased);
    EXPECT_GE(backup.sequence, last);
    last = backup.sequence;
  }
  EXPECT_GT(last, made.front().sequence) << "nobody wrote meanwhile";
}

TEST_F(Backups, a_restored_store_holds_what_was_backed_up_and_is_another_store) {
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(store_.set("key" + std::to_string(i), "{\"n\":19.90}"));
  }
  ASSERT_TRUE(store_.erase("key7"));
  const BackedUp backup = back_up("backup");
  const Store other = restored("backup", "other.db");
  const Snapshot before = store_.snapshot();
  const Snapshot after = other.snapshot();
  const Range expected = before.all();
  auto at = expected.begin();
  const Range range = after.all();
  for (const Entry& entry : range) {
    ASSERT_NE(at, expected.end());
    EXPECT_EQ(entry.key, (*at).key);
    EXPECT_EQ(entry.value, (*at).value);
    EXPECT_EQ(entry.version, (*at).version);
    EXPECT_EQ(entry.sequence, (*at).sequence);
    EXPECT_EQ(entry.time_ms, (*at).time_ms);
    ++at;
  }
  EXPECT_EQ(at, expected.end());
  EXPECT_EQ(backup.records, 299U);
  EXPECT_NE(before.position().store(), after.position().store());
  EXPECT_EQ(other.resolve(before.position().text()).error(), errc::compacted);
}

TEST_F(Backups, a_restored_store_never_repeats_a_version_or_sequence) {
  const auto newest = [](Store& store, const std::string& key) {
    return store.set(key, "1").value();
  };
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(store_.set("erased", "1"));
  ASSERT_TRUE(store_.erase("erased"));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(store_.set("kept", "1"));
  static_cast<void>(back_up("backup"));
  // What the original gives afterwards is given by nobody else.
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store_.set("kept", "1"));
  const Committed kept = newest(store_, "kept");
  const Committed erased = newest(store_, "erased");
  const Committed never = newest(store_, "never");
  Store other = restored("backup", "other.db");
  for (const std::string key : {"kept", "erased", "never"}) {
    const Committed next = newest(other, key);
    EXPECT_GT(next.version, std::max({kept.version, erased.version, never.version})) << key;
    EXPECT_GT(next.sequence, never.sequence) << key;
  }
  // Nor once it was compacted, nor by the next daemon of that log.
  ASSERT_TRUE(Admin(other).compact(std::chrono::minutes(2)));
  EXPECT_GT(newest(other, "behind a compaction").version, never.version);
  daemons_.back().stop();
  daemons_.back() = served("other.db");
  EXPECT_GT(newest(other, "of the next daemon").version, never.version);
  // Nor by one that is restored from a backup of the restored one.
  const Committed last = newest(other, "kept");
  static_cast<void>(Admin(other).backup(beside("second")).value());
  Store third = restored("second", "third.db");
  EXPECT_GT(newest(third, "kept").version, last.version);
  EXPECT_GT(newest(third, "anything").version, last.version);
}

TEST_F(Backups, floors_of_what_was_compacted_away_carry_over) {
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(store_.set("erased", "1"));
  ASSERT_TRUE(store_.erase("erased"));
  ASSERT_TRUE(store_.set("kept", "1"));
  ASSERT_TRUE(Admin(store_).compact(std::chrono::minutes(2)));
  static_cast<void>(back_up("at_once"));
  log::Seen one;
  EXPECT_EQ(log::recover(content(beside("at_once")), one).floor, 41U)
      << "of no tombstone, which is gone, but of what the daemon says";
  ASSERT_TRUE(store_.set("younger", "1"));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(store_.set("younger", "1"));
  ASSERT_TRUE(store_.erase("younger"));
  static_cast<void>(back_up("backup"));
  log::Seen seen;
  const log::Recovery found = log::recover(content(beside("backup")), seen);
  // 41 versions of the one that is gone from the index, and 52 above that of the other.
  EXPECT_EQ(found.floor, 41U + 52U);
  EXPECT_EQ(seen.records.size(), 1U);
}

TEST_F(Backups, an_empty_store_can_be_backed_up) {
  EXPECT_EQ(back_up("backup").records, 0U);
  Store other = restored("backup", "other.db");
  EXPECT_EQ(other.get("a").error(), errc::absent);
  EXPECT_GT(other.set("a", "1").value().version, 1'000'000'000U);
}

TEST_F(Backups, gaps_of_the_history_carry_over) {
  ASSERT_TRUE(store_.set("a", "1"));
  served_.replace();
  ASSERT_TRUE(store_.set("a", "2"));
  static_cast<void>(back_up("backup"));
  log::Seen seen;
  const log::Recovery found = log::recover(content(beside("backup")), seen);
  EXPECT_TRUE(found.gaps.lost(2));
  EXPECT_FALSE(found.gaps.lost(found.last()));
}

TEST_F(Backups, a_sink_that_fails_ends_the_backup) {
  ASSERT_TRUE(store_.set("a", "1"));
  auto done = Admin(store_).backup([](std::string_view) -> Result<void> { return errc::stopped; });
  EXPECT_EQ(done.error(), errc::stopped);
}

}  // namespace
}  // namespace dfs
