// Transactions against a real daemon: what commits, what conflicts.
#include <dfs/store.hpp>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/libclient/served_store.hpp"

namespace dfs {
namespace {

using test::ServedStore;

class TransactionTest : public ::testing::Test {
 protected:
  ServedStore served_;
  Store store_ = served_.open();

  int number(std::string_view key) { return std::stoi(store_.get(key).value().value); }
};

TEST_F(TransactionTest, its_writes_happen_together) {
  Transaction tx = store_.begin();
  tx.set("a", "1").set("b", "2").erase("nobody");
  EXPECT_EQ(store_.get("a").error(), errc::absent);
  const auto committed = tx.commit().value();
  EXPECT_EQ(committed.versions, (std::vector<std::uint64_t>{1, 1, 0}));
  EXPECT_EQ(store_.get("a")->sequence, committed.sequence);
  EXPECT_EQ(store_.get("b")->sequence, committed.sequence);
}

TEST_F(TransactionTest, rolled_back_or_dropped_it_writes_nothing) {
  Transaction tx = store_.begin();
  tx.set("a", "1");
  tx.rollback();
  EXPECT_EQ(tx.commit().error(), errc::finished);
  EXPECT_EQ(tx.get("a").error(), errc::finished);
  { store_.begin().set("a", "1"); }
  EXPECT_EQ(store_.get("a").error(), errc::absent);
}

TEST_F(TransactionTest, a_key_that_it_read_and_somebody_changed_is_a_conflict) {
  store_.set("a", "1").value();
  Transaction tx = store_.begin();
  EXPECT_EQ(tx.get("a")->value, "1");
  store_.set("a", "2").value();
  EXPECT_EQ(tx.get("a")->value, "1");
  const auto outcome = tx.set("b", "1").commit();
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::transaction_conflict);
  EXPECT_EQ(outcome.error().key(), "a");
  EXPECT_TRUE(outcome.error().nothing_was_written());
  EXPECT_EQ(store_.get("b").error(), errc::absent);
}

TEST_F(TransactionTest, a_key_that_it_found_absent_and_somebody_made_is_a_conflict) {
  Transaction tx = store_.begin();
  EXPECT_EQ(tx.get("a").error(), errc::absent);
  store_.set("a", "2").value();
  EXPECT_EQ(tx.set("b", "1").commit().error(), errc::transaction_conflict);
}

TEST_F(TransactionTest, a_key_that_it_read_and_somebody_erased_and_made_again_is_a_conflict) {
  store_.set("a", "1").value();
  Transaction tx = store_.begin();
  EXPECT_TRUE(tx.get("a").has_value());
  store_.erase("a").value();
  store_.set("a", "1").value();
  EXPECT_EQ(tx.set("b", "1").commit().error(), errc::transaction_conflict);
}

TEST_F(TransactionTest, keys_that_it_did_not_read_may_change) {
  store_.set("a", "1").value();
  Transaction tx = store_.begin();
  tx.set("a", "5");
  store_.set("a", "2").value();
  store_.set("c", "2").value();
  EXPECT_EQ(tx.commit()->version, 3U);
  EXPECT_EQ(store_.get("a")->value, "5");
}

TEST_F(TransactionTest, write_skew_is_refused) {
  store_.set("on-call/alice", "true").value();
  store_.set("on-call/bob", "true").value();
  Transaction alice = store_.begin();
  Transaction bob = store_.begin();
  EXPECT_EQ(alice.get("on-call/bob")->value, "true");
  EXPECT_EQ(bob.get("on-call/alice")->value, "true");
  EXPECT_TRUE(alice.set("on-call/alice", "false").commit().has_value());
  EXPECT_EQ(bob.set("on-call/bob", "false").commit().error(), errc::transaction_conflict);
}

TEST_F(TransactionTest, under_snapshot_isolation_write_skew_passes) {
  store_.set("a", "1").value();
  Transaction tx = store_.begin({.snapshot_isolation = true});
  EXPECT_TRUE(tx.get("a").has_value());
  store_.set("a", "2").value();
  EXPECT_TRUE(tx.set("b", "1").commit().has_value());
}

// Ranges: what somebody does between the two ends that were read is a conflict, outside it is none.

struct RangeCase {
  const char* name;
  std::function<void(Transaction&)> read;
  const char* key;  // what somebody else then writes, or erases
  bool erase;
  bool conflict;
};

void step(const Range& range, int steps) {
  auto at = range.begin();
  for (int i = 1; i < steps && at != range.end(); ++i) ++at;
}

TEST_F(TransactionTest, phantoms_are_refused_between_the_ends_that_were_read_and_nowhere_else) {
  const std::vector<RangeCase> cases{
      {"whole range, new key", [](Transaction& tx) { step(tx.prefix("k/"), 99); }, "k/c", false,
       true},
      {"whole range, erased key", [](Transaction& tx) { step(tx.prefix("k/"), 99); }, "k/b", true,
       true},
      {"whole range, changed key", [](Transaction& tx) { step(tx.prefix("k/"), 99); }, "k/b", false,
       true},
      {"whole range, key behind", [](Transaction& tx) { step(tx.prefix("k/"), 99); }, "k0", false,
       false},
      {"whole range, at its exclusive end",
       [](Transaction& tx) { step(tx.range("k/a", "k/d"), 99); }, "k/d", false, false},
      {"left early, before the last shown", [](Transaction& tx) { step(tx.prefix("k/"), 2); },
       "k/aa", false, true},
      {"left early, behind the last shown", [](Transaction& tx) { step(tx.prefix("k/"), 2); },
       "k/bb", false, false},
      {"left early, before the first", [](Transaction& tx) { step(tx.prefix("k/"), 2); }, "k/",
       false, true},
      {"backwards, above the last shown",
       [](Transaction& tx) { step(tx.prefix("k/").reversed(), 2); }, "k/cc", false, true},
      {"backwards, below the last shown",
       [](Transaction& tx) { step(tx.prefix("k/").reversed(), 2); }, "k/aa", false, false},
      {"never stepped", [](Transaction& tx) { static_cast<void>(tx.prefix("k/")); }, "k/c", false,
       false},
      {"empty range, new key", [](Transaction& tx) { step(tx.range("x", "y"), 1); }, "x1", false,
       true},
      {"to the end of everything", [](Transaction& tx) { step(tx.range("k/b", ""), 99); }, "zz",
       false, true},
  };
  for (const RangeCase& one : cases) {
    SCOPED_TRACE(one.name);
    for (const char* key : {"k/", "k/aa", "k/bb", "k/c", "k/cc", "k0", "x1", "zz"}) {
      store_.erase(key).value();
    }
    for (const char* key : {"k/a", "k/b", "k/d"}) store_.set(key, "1").value();
    Transaction tx = store_.begin();
    one.read(tx);
    if (one.erase) {
      store_.erase(one.key).value();
    } else {
      store_.set(one.key, "2").value();
    }
    const auto outcome = tx.set("result", "1").commit();
    EXPECT_EQ(outcome.has_value(), !one.conflict);
    if (!outcome) {
      EXPECT_EQ(outcome.error(), errc::transaction_conflict);
    }
  }
}

/// One commit of so many records, none of them in `k/`.
Batch commit_of(std::size_t records) {
  Batch many;
  for (std::size_t i = 0; i < records; ++i) many.set("other/" + std::to_string(i), "1");
  return many;
}

TEST_F(TransactionTest, a_short_range_is_checked_whatever_was_committed_beside_it) {
  for (const char* key : {"k/a", "k/b", "k/c"}) store_.set(key, "1").value();
  Transaction same = store_.begin();
  Transaction changed = store_.begin();
  step(same.prefix("k/"), 99);
  step(changed.prefix("k/"), 99);
  // One commit, of more records than a check takes steps.
  store_.submit(commit_of(60'000)).wait().value();
  const auto outcome = same.set("result", "1").commit();
  EXPECT_TRUE(outcome) << outcome.error().text();
  store_.erase("k/b").value();
  EXPECT_EQ(changed.set("result", "1").commit().error(), errc::transaction_conflict);
}

TEST_F(TransactionTest, a_check_of_ranges_has_so_many_steps_for_all_of_them) {
  store_.submit(commit_of(30'000)).wait().value();
  Transaction one = store_.begin();
  Transaction both = store_.begin();
  step(one.prefix("other/"), 99'999);
  step(both.prefix("other/"), 99'999);
  step(both.range("other/", "other0"), 99'999);
  // As many commits as keys, so that the ranges are walked.
  std::vector<Pending> flying;
  for (int i = 0; i < 30'000; ++i) {
    flying.push_back(store_.submit(Batch().set("k", "1")));
    if (flying.size() == 4'000) {
      for (Pending& pending : flying) pending.wait().value();
      flying.clear();
    }
  }
  store_.set("k", "2").value();
  EXPECT_TRUE(one.set("result", "1").commit());
  const auto outcome = both.set("result", "2").commit();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(), errc::transaction_too_large) << outcome.error().text();
}

TEST_F(TransactionTest, its_own_writes_in_a_range_are_no_phantoms) {
  store_.set("k/a", "1").value();
  store_.set("k/b", "1").value();
  Transaction tx = store_.begin();
  tx.set("k/aa", "1").erase("k/b").set("k/a", "2");
  std::string keys;
  for (const Entry& entry : tx.prefix("k/")) keys += std::string(entry.key) + " ";
  EXPECT_EQ(keys, "k/a k/aa ");
  EXPECT_TRUE(tx.commit().has_value());
}

TEST_F(TransactionTest, one_that_only_read_commits_without_the_daemon) {
  store_.set("a", "1").value();
  Transaction tx = store_.begin();
  EXPECT_TRUE(tx.get("a").has_value());
  served_.stop();
  EXPECT_EQ(tx.commit()->sequence, 0U);
  served_.go_on();
}

TEST_F(TransactionTest, a_check_compares_at_the_commit) {
  store_.set("a", "1").value();
  Transaction tx = store_.begin();
  tx.check("a", expect_version(1));
  store_.set("a", "2").value();
  const auto outcome = tx.commit();
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::version_mismatch);
  EXPECT_EQ(outcome.error().version(), 2U);
}

TEST_F(TransactionTest, transact_begins_anew_until_it_commits) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 50;
  store_.set("counter", "0").value();
  std::atomic<int> runs{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, &runs] {
      for (int i = 0; i < kRounds; ++i) {
        const auto done = store_.transact([&runs](Transaction& tx) {
          ++runs;
          const int before = std::stoi(std::string(tx.get("counter").value().value));
          tx.set("counter", std::to_string(before + 1));
        });
        EXPECT_TRUE(done.has_value()) << done.error().text();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(number("counter"), kThreads * kRounds);
  EXPECT_GE(runs, kThreads * kRounds);
}

TEST_F(TransactionTest, transact_rolls_back_when_told) {
  EXPECT_EQ(store_.transact([](Transaction& tx) { return tx.set("a", "1"), false; })->sequence, 0U);
  const auto failed = store_.transact([](Transaction& tx) -> Result<void> {
    tx.set("a", "1");
    return Error(errc::wrong_type, "mine");
  });
  EXPECT_EQ(failed.error(), errc::wrong_type);
  EXPECT_THROW(static_cast<void>(store_.transact([](Transaction& tx) {
                 tx.set("a", "1");
                 throw std::runtime_error("mine");
               })),
               std::runtime_error);
  EXPECT_EQ(store_.get("a").error(), errc::absent);
}

TEST_F(TransactionTest, a_mismatch_is_the_callers_to_decide) {
  store_.set("a", "1").value();
  int runs = 0;
  const auto outcome = store_.transact([&runs](Transaction& tx) {
    ++runs;
    tx.set("a", "2", expect_absent);
  });
  EXPECT_EQ(outcome.error(), errc::version_mismatch);
  EXPECT_EQ(runs, 1);
}

TEST_F(TransactionTest, one_begun_under_a_dead_daemon_commits_with_its_successor_or_conflicts) {
  store_.set("a", "1").value();
  Transaction good = store_.begin();
  Transaction late = store_.begin();
  EXPECT_TRUE(good.get("a").has_value());
  EXPECT_TRUE(late.get("a").has_value());
  served_.replace();
  EXPECT_TRUE(good.set("a", "2").commit().has_value());
  EXPECT_EQ(late.set("a", "3").commit().error(), errc::transaction_conflict);
  EXPECT_EQ(number("a"), 2);
}

}  // namespace
}  // namespace dfs
