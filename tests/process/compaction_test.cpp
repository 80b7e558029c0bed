// Compaction while everybody works: snapshots stay what they were, transactions count across a
// switch, versions and gaps are kept, and the log stays small.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/log_contents.hpp"

namespace dfs::test {
namespace {

TEST_F(Compaction, who_only_reads_may_not_ask_for_one) {
  Options options = patient();
  Store writer = need(Store::open(path_, options), "open");
  need(writer.set("a", "1"), "set");
  options.read_only = true;
  const Store reader = need(Store::open(path_, options), "open");
  const auto refused = Admin(reader).compact(std::chrono::minutes(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::not_permitted) << refused.error().text();
  EXPECT_TRUE(Admin(writer).compact(std::chrono::minutes(2)));
}

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

TEST_F(Compaction, a_range_of_a_generation_before_is_counted_though_its_feed_is_gone) {
  Store store = need(Store::open(path_, patient()), "open");
  for (int i = 0; i < 20; ++i) {
    static_cast<void>(need(store.set("p/" + std::to_string(i), "1"), "set"));
  }
  Transaction same = store.begin();
  Transaction changed = store.begin();
  for (Transaction* one : {&same, &changed}) {
    for (const Entry& entry : one->prefix("p/")) EXPECT_EQ(entry.version, 1U);
  }
  // Fewer commits than the range has keys, and no feed tells of the first of them any more.
  static_cast<void>(need(store.set("a", "1"), "set"));
  ASSERT_TRUE(Admin(store).compact(std::chrono::minutes(2)));
  EXPECT_TRUE(same.set("result", "1").commit());
  Batch fewer;
  for (int i = 0; i < 10; ++i) fewer.erase("p/" + std::to_string(i));
  static_cast<void>(need(store.submit(fewer).wait(), "erase"));
  ASSERT_TRUE(Admin(store).compact(std::chrono::minutes(2)));
  const auto outcome = changed.set("result", "2").commit();
  ASSERT_FALSE(outcome) << "ten keys of the range are gone";
  EXPECT_EQ(outcome.error(), errc::transaction_conflict);
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

TEST_F(Compaction, where_the_log_was_at_some_time_is_another_place_in_the_next_log) {
  daemon_->stop();
  serve({"--compaction-interval", "1h", "--feed-retention", "1h", "--durability", "written"});
  Store store = need(Store::open(path_, patient()), "open");
  // What stays in the log for watchers is a part of what lives.
  for (int i = 0; i < 16; ++i) {
    need(store.set("large" + std::to_string(i), '"' + std::string(1'000'000, 'v') + '"'), "set");
  }
  std::uint64_t count = 0;
  // Writes until so many tenths of a second of the daemon's clock have passed.
  const auto write_for = [&](std::uint64_t tenths) {
    std::uint64_t first = 0;
    for (;; ++count) {
      const std::string key = "k" + std::to_string(count % 100);
      need(store.set(key, std::to_string(count)), "set");
      const std::uint64_t now = need(store.get(key), "get").time_ms;
      if (first == 0) first = now;
      if (now >= first + 100 * tenths) break;
    }
  };
  // The daemon remembers a place of the log for each tenth of a second, and begins a compaction at
  // the oldest that retention wants kept.
  for (int round = 0; round < 3; ++round) {
    write_for(round == 0 ? 3 : 5);
    need(Admin(store).compact(std::chrono::minutes(2)), "compact");
  }
  write_for(1);
  const std::uint64_t last = count;
  const auto expect_all = [last](const Store& of) {
    for (std::uint64_t n = last - 99; n <= last; ++n) {
      EXPECT_EQ(need(of.get("k" + std::to_string(n % 100)), "get").value, std::to_string(n));
    }
  };
  expect_all(store);
  daemon_->stop();
  serve({});
  expect_all(need(Store::open(path_, patient()), "open"));
}

}  // namespace
}  // namespace dfs::test
