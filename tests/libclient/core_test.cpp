// A handle and its daemons: what goes on when one dies, what comes back with the next, and what a
// forked child may do.
#include "libclient/core.hpp"

#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/limits.hpp"
#include "tests/libclient/served_store.hpp"
#include "tests/process/client_process.hpp"

namespace dfs {
namespace {

using test::ServedStore;

class CoreTest : public ::testing::Test {
 protected:
  ServedStore served_;
  Store store_ = served_.open();
};

TEST_F(CoreTest, without_a_daemon_reads_go_on_and_say_that_they_are_stale) {
  store_.set("k", "1").value();
  const Snapshot held = store_.snapshot();
  served_.kill();
  EXPECT_EQ(store_.state(), StoreState::stale);
  const Snapshot after = store_.snapshot();
  EXPECT_TRUE(after.stale());
  EXPECT_FALSE(held.stale());
  EXPECT_EQ(after.get("k")->value, "1");
  EXPECT_EQ(store_.get("k")->value, "1");
  EXPECT_EQ(held.get("k")->value, "1");
}

TEST_F(CoreTest, a_handle_that_never_read_reads_the_last_state_too) {
  Store quiet = served_.open();
  store_.set("k", "1").value();
  served_.kill();
  EXPECT_EQ(quiet.get("k")->value, "1");
}

TEST_F(CoreTest, without_a_daemon_commits_say_so_and_nothing_is_written) {
  served_.kill();
  const auto outcome = store_.set("k", "1");
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::daemon_gone);
  EXPECT_TRUE(outcome.error().nothing_was_written());
  EXPECT_FALSE(outcome.error().text().empty());
  EXPECT_EQ(Admin(store_).info().error(), errc::daemon_gone);
}

TEST_F(CoreTest, reads_and_commits_come_back_with_the_successor) {
  for (int round = 1; round <= 5; ++round) {
    EXPECT_EQ(store_.set("k", std::to_string(round))->version, static_cast<std::uint64_t>(round));
    served_.replace();
    EXPECT_EQ(store_.get("k")->value, std::to_string(round));
    EXPECT_EQ(store_.state(), StoreState::live);
  }
}

TEST_F(CoreTest, a_reader_that_never_writes_sees_the_successors_first_commit_at_once) {
  Options options = ServedStore::options();
  options.read_only = true;
  Store reader = served_.open(options);
  for (int round = 0; round < 10; ++round) {
    served_.replace();
    store_.set("k", std::to_string(round)).value();
    const Snapshot snap = reader.snapshot();
    EXPECT_FALSE(snap.stale());
    EXPECT_EQ(snap.get("k")->value, std::to_string(round));
  }
}

TEST_F(CoreTest, a_snapshot_held_across_daemons_does_not_change) {
  for (int i = 0; i < 100; ++i) store_.set("k" + std::to_string(i), "1").value();
  const Snapshot held = store_.snapshot();
  const std::uint64_t sequence = held.sequence();
  for (int round = 0; round < 3; ++round) {
    served_.replace();
    for (int i = 0; i < 100; i += 7) store_.erase("k" + std::to_string(i)).value();
  }
  std::size_t keys = 0;
  const Range everything = held.all();
  for (const Entry& entry : everything) {
    EXPECT_EQ(entry.value, "1");
    ++keys;
  }
  EXPECT_TRUE(everything.status().has_value());
  EXPECT_EQ(keys, 100U);
  EXPECT_EQ(held.sequence(), sequence);
  EXPECT_TRUE(held.check().has_value());
}

TEST_F(CoreTest, a_commit_waits_for_a_daemon_as_long_as_it_was_told) {
  Options options = ServedStore::options();
  options.wait_for_daemon = std::chrono::minutes(1);
  Store patient = served_.open(options);
  served_.kill();
  std::thread writer([&patient] {
    const auto outcome = patient.set("k", "1");
    EXPECT_TRUE(outcome.has_value()) << outcome.error().text();
  });
  served_.serve();
  writer.join();
}

// Killed at each step of a commit: the caller learns the outcome, and it is the true one.

class CoreDeathTest : public CoreTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(CoreDeathTest, a_commit_under_way_when_the_daemon_dies_happens_once) {
  Options options = ServedStore::options();
  options.wait_for_daemon = std::chrono::minutes(1);
  Store patient = served_.open(options);
  patient.set("before", "1").value();
  served_.replace(std::string("kill@") + GetParam() + ":1");
  std::uint64_t sequence = 0;
  std::thread writer([&patient, &sequence] {
    const auto outcome = patient.set("k", "1", expect_absent);
    EXPECT_TRUE(outcome.has_value()) << outcome.error().text();
    if (outcome) sequence = outcome->sequence;
  });
  // Daemons are started by the main thread: one dies with the thread that started it.
  EXPECT_TRUE(served_.daemon().killed_itself());
  served_.serve();
  writer.join();
  const auto value = patient.get("k").value();
  EXPECT_EQ(value.version, 1U);
  EXPECT_EQ(value.sequence, sequence);
  EXPECT_EQ(patient.set("k", "2")->version, 2U);
}

TEST_F(CoreTest, a_commit_that_a_dead_daemon_had_prepared_is_unknown_while_nobody_serves) {
  served_.replace("kill@appended:1");
  Store store = served_.open();
  const auto outcome = store.set("k", "1");
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::unknown) << outcome.error().text();
  EXPECT_FALSE(outcome.error().nothing_was_written());
  EXPECT_TRUE(served_.daemon().killed_itself());
  served_.serve();
  EXPECT_EQ(store.resolve(outcome.error().commit()).value(), Resolution::committed);
  EXPECT_EQ(store.get("k")->value, "1");
}

TEST_F(CoreTest, the_versions_of_a_large_commit_are_known_though_its_daemon_died) {
  Options options = ServedStore::options();
  options.wait_for_daemon = std::chrono::minutes(1);
  Store patient = served_.open(options);
  served_.replace("kill@appended:1");
  constexpr std::size_t kKeys = kMaxReplyVersions + 1;
  std::thread writer([&patient] {
    Batch batch;
    for (std::size_t i = 0; i < kKeys; ++i) batch.set("k" + std::to_string(i), "1");
    const auto outcome = patient.submit(batch).wait();
    ASSERT_TRUE(outcome.has_value()) << outcome.error().text();
    EXPECT_EQ(outcome->versions, std::vector<std::uint64_t>(kKeys, 1));
  });
  EXPECT_TRUE(served_.daemon().killed_itself());
  served_.serve();
  writer.join();
}

TEST_F(CoreTest, commits_in_flight_survive_the_daemon_in_their_order) {
  Options options = ServedStore::options();
  options.wait_for_daemon = std::chrono::minutes(1);
  Store patient = served_.open(options);
  std::deque<Pending> flying;
  std::uint64_t landed = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 500; ++i) {
      flying.push_back(patient.submit(Batch().set("k", std::to_string(round * 500 + i))));
    }
    served_.kill();
    std::thread waiter([&flying, &landed] {
      while (!flying.empty()) {
        const auto outcome = flying.front().wait();
        EXPECT_TRUE(outcome.has_value()) << outcome.error().text();
        if (outcome) ++landed;
        flying.pop_front();
      }
    });
    served_.serve();
    waiter.join();
    const auto value = patient.get("k").value();
    EXPECT_EQ(value.value, std::to_string(round * 500 + 499));
    // Each exactly once: versions rise by one for each.
    EXPECT_EQ(value.version, landed);
  }
}

TEST_F(CoreTest, another_store_in_the_logs_place_is_refused_until_it_is_reopened) {
  store_.set("k", "1").value();
  served_.kill();
  ASSERT_EQ(::unlink(served_.path().c_str()), 0);
  served_.serve();
  const auto outcome = store_.set("k", "2");
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::daemon_gone);
  EXPECT_NE(outcome.error().text().find("another store"), std::string_view::npos)
      << outcome.error().text();
  EXPECT_TRUE(store_.snapshot().stale());
  ASSERT_TRUE(store_.reopen().has_value());
  EXPECT_EQ(store_.get("k").error(), errc::absent);
  EXPECT_EQ(store_.set("k", "2")->version, 1U);
}

// Forking.

TEST_F(CoreTest, in_a_child_every_call_answers_forked_and_reopen_connects_anew) {
  store_.set("k", "1").value();
  Snapshot snap = store_.snapshot();
  Transaction tx = store_.begin();
  Pending pending = store_.submit(Batch().set("l", "1"));
  test::ClientProcess child("child", [&] {
    using test::require;
    require(store_.state() == StoreState::forked, "state");
    require(store_.get("k").error() == errc::forked, "get");
    require(store_.set("k", "2").error() == errc::forked, "set");
    require(store_.fd() == -1, "fd");
    require(snap.get("k").error() == errc::forked, "snapshot");
    require(snap.check().error() == errc::forked, "check");
    const Range range = snap.all();
    require(range.begin() == range.end(), "range");
    require(range.status().error() == errc::forked, "status");
    require(tx.get("k").error() == errc::forked, "transaction");
    require(tx.commit().error() == errc::forked, "commit");
    require(pending.wait().error() == errc::forked, "pending");
    require(Admin(store_).info().error() == errc::forked, "info");
    test::need(store_.reopen(), "reopen");
    require(test::need(store_.get("k"), "get").value == "1", "value");
    test::need(store_.set("child", "1"), "set");
    // Destructors of the parent's handles do nothing here.
    snap = store_.snapshot();
    require(snap.get("child").has_value(), "its own");
    { const Transaction gone = std::move(tx); }
    { const Pending gone = std::move(pending); }
  });
  child.expect_done();
  EXPECT_EQ(snap.get("k")->value, "1");
  EXPECT_TRUE(tx.set("m", "1").commit().has_value());
  EXPECT_TRUE(pending.wait().has_value());
  EXPECT_EQ(store_.get("child")->value, "1");
  EXPECT_TRUE(snap.check().has_value());
}

TEST_F(CoreTest, snapshots_are_taken_by_many_threads_while_daemons_come_and_go) {
  store_.set("k", "1").value();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this, &stop] {
      while (!stop) {
        const Snapshot snap = store_.snapshot();
        const auto entry = snap.get("k");
        if (!entry) ADD_FAILURE() << entry.error().text();
      }
    });
  }
  for (int round = 0; round < 5; ++round) served_.replace();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

INSTANTIATE_TEST_SUITE_P(StopPoints, CoreDeathTest,
                         ::testing::Values("taken", "prepared", "appended", "synced", "published"));

}  // namespace
}  // namespace dfs
