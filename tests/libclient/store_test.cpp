// One daemon, several handles and processes: what a caller sees of reads and commits.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <deque>
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

class StoreTest : public ::testing::Test {
 protected:
  ServedStore served_;
  Store store_ = served_.open();
};

TEST_F(StoreTest, what_one_handle_sets_every_other_reads) {
  Store other = served_.open();
  const auto committed = store_.set("user123", R"({"name": "Alice"})").value();
  EXPECT_EQ(committed.version, 1U);
  EXPECT_EQ(committed.versions, std::vector<std::uint64_t>{1});
  const auto value = other.get("user123").value();
  EXPECT_EQ(value.value, R"({"name":"Alice"})");
  EXPECT_EQ(value.version, 1U);
  EXPECT_EQ(value.sequence, committed.sequence);
  EXPECT_GT(value.time_ms, 0U);
}

TEST_F(StoreTest, what_one_process_sets_another_reads) {
  test::ClientProcess writer(
      "writer", [this] { test::need(served_.open().set("from", R"("a child")"), "set"); });
  writer.expect_done();
  EXPECT_EQ(store_.get("from")->value, R"("a child")");
}

TEST_F(StoreTest, a_miss_is_absent_and_an_impossible_key_is_said) {
  const Snapshot snap = store_.snapshot();
  EXPECT_EQ(snap.get("nobody").error(), errc::absent);
  EXPECT_EQ(snap.get("").error(), errc::bad_key);
  EXPECT_EQ(snap.get("a\xff").error(), errc::bad_key);
  EXPECT_EQ(store_.get("a\xff").error(), errc::bad_key);
  EXPECT_EQ(snap.get(std::string(kMaxKeyBytes + 1, 'k')).error(), errc::too_large);
  EXPECT_EQ(store_.get("nobody").error(), errc::absent);
}

TEST_F(StoreTest, expectations_hold_or_name_the_real_version) {
  const auto first = store_.set("k", "1", expect_absent).value();
  const auto refused = store_.set("k", "2", expect_absent);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), errc::version_mismatch);
  EXPECT_EQ(refused.error().key(), "k");
  EXPECT_EQ(refused.error().version(), first.version);
  EXPECT_TRUE(refused.error().nothing_was_written());
  EXPECT_EQ(store_.set("k", "2", expect_version(first.version))->version, first.version + 1);
  EXPECT_EQ(store_.set("k", "3", expect_version(first.version)).error(), errc::version_mismatch);
  EXPECT_EQ(store_.set("other", "3", expect_present).error(), errc::version_mismatch);
  EXPECT_TRUE(store_.erase("k", expect_version(first.version + 1)).has_value());
  EXPECT_EQ(store_.get("k").error(), errc::absent);
}

TEST_F(StoreTest, erasing_an_absent_key_writes_nothing) {
  store_.set("somebody", "1").value();
  const auto erased = store_.erase("nobody").value();
  EXPECT_EQ(erased.version, 0U);
  EXPECT_EQ(erased.sequence, 0U);
}

TEST_F(StoreTest, a_key_that_was_erased_goes_on_with_its_version) {
  EXPECT_EQ(store_.set("k", "1")->version, 1U);
  EXPECT_EQ(store_.erase("k")->version, 2U);
  EXPECT_EQ(store_.set("k", "1")->version, 3U);
}

TEST_F(StoreTest, wrong_arguments_are_refused_and_nothing_is_written) {
  EXPECT_EQ(store_.set("", "1").error(), errc::bad_key);
  EXPECT_EQ(store_.set(std::string(kMaxKeyBytes + 1, 'k'), "1").error(), errc::too_large);
  EXPECT_EQ(store_.set("a\xff", "1").error(), errc::bad_key);
  EXPECT_EQ(store_.set("k", "hello").error(), errc::bad_value);
  EXPECT_EQ(store_.set("k", "").error(), errc::bad_value);
  EXPECT_EQ(store_.set("k", "1 2").error(), errc::bad_value);
  EXPECT_EQ(store_.set("k", std::string(kMaxValueBytes + 1, '1')).error(), errc::too_large);
  EXPECT_EQ(store_.get("k").error(), errc::absent);
}

TEST_F(StoreTest, the_largest_value_passes_through_a_ring_that_is_smaller) {
  const std::string value = '"' + std::string(kMaxValueBytes - 2, 'x') + '"';
  EXPECT_EQ(store_.set("big", value)->version, 1U);
  EXPECT_EQ(store_.get("big")->value, value);
}

TEST_F(StoreTest, a_snapshot_never_changes) {
  store_.set("k", "1").value();
  const Snapshot before = store_.snapshot();
  store_.set("k", "2").value();
  store_.set("l", "2").value();
  EXPECT_EQ(before.get("k")->value, "1");
  EXPECT_EQ(before.get("l").error(), errc::absent);
  EXPECT_EQ(store_.snapshot().sequence(), before.sequence() + 2);
  EXPECT_TRUE(before.check().has_value());
  EXPECT_FALSE(before.stale());
}

TEST_F(StoreTest, ranges_are_in_byte_order_both_ways) {
  for (const char* key : {"user/b", "user/a", "user0", "us", "user/\xc3\xa4", "z"}) {
    store_.set(key, "1").value();
  }
  const Snapshot snap = store_.snapshot();
  const auto keys = [](const Range& range) {
    std::string all;
    for (const Entry& entry : range) all += std::string(entry.key) + " ";
    EXPECT_TRUE(range.status().has_value());
    return all;
  };
  EXPECT_EQ(keys(snap.prefix("user/")), "user/a user/b user/\xc3\xa4 ");
  EXPECT_EQ(keys(snap.prefix("user/").reversed()), "user/\xc3\xa4 user/b user/a ");
  EXPECT_EQ(keys(snap.range("user/b", "z")), "user/b user/\xc3\xa4 user0 ");
  EXPECT_EQ(keys(snap.range("user0", "")), "user0 z ");
  EXPECT_EQ(keys(snap.all()), "us user/a user/b user/\xc3\xa4 user0 z ");
  EXPECT_EQ(keys(snap.range("z", "a")), "");
  const auto listed = snap.list([](const Entry& entry) { return entry.key.size() == 2; });
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().key, "us");
}

TEST_F(StoreTest, many_keys_at_once_are_what_each_alone_is) {
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) {
    names.push_back("k" + std::to_string(i));
    if (i % 3 != 0) store_.set(names.back(), std::to_string(i)).value();
  }
  const Snapshot snap = store_.snapshot();
  std::vector<std::string_view> keys(names.begin(), names.end());
  std::vector<Result<Entry>> entries(keys.size(), errc::closed);
  snap.get_many(keys, entries);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto alone = snap.get(keys[i]);
    ASSERT_EQ(entries[i].has_value(), alone.has_value()) << keys[i];
    if (alone) {
      EXPECT_EQ(entries[i]->value, alone->value);
    } else {
      EXPECT_EQ(entries[i].error(), errc::absent);
    }
  }
  keys[7] = "";
  snap.get_many(keys, entries);
  EXPECT_EQ(entries[7].error(), errc::bad_key);
  EXPECT_TRUE(entries[8].has_value());
}

TEST_F(StoreTest, a_batch_is_one_commit) {
  const auto done = store_.submit(Batch().set("a", "1").set("b", "2").erase("nobody")).wait();
  ASSERT_TRUE(done.has_value()) << done.error().text();
  EXPECT_EQ(done->versions, (std::vector<std::uint64_t>{1, 1, 0}));
  const Snapshot snap = store_.snapshot();
  EXPECT_EQ(snap.get("a")->sequence, done->sequence);
  EXPECT_EQ(snap.get("b")->sequence, done->sequence);
}

TEST_F(StoreTest, a_batch_whose_check_fails_writes_nothing) {
  auto refused = store_.submit(Batch().set("a", "1").check("b", expect_present)).wait();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), errc::version_mismatch);
  EXPECT_EQ(refused.error().key(), "b");
  EXPECT_EQ(store_.get("a").error(), errc::absent);
  auto wrong = store_.submit(Batch().set("a", "1").set("", "1")).wait();
  EXPECT_EQ(wrong.error(), errc::bad_key);
}

TEST_F(StoreTest, versions_of_a_large_commit_come_from_its_records) {
  store_.set("k7", "0").value();
  Batch batch;
  for (int i = 0; i < 500; ++i) batch.set("k" + std::to_string(i), std::to_string(i));
  batch.erase("nobody");
  const auto done = store_.submit(batch).wait();
  ASSERT_TRUE(done.has_value()) << done.error().text();
  ASSERT_EQ(done->versions.size(), 501U);
  EXPECT_EQ(done->versions[6], 1U);
  EXPECT_EQ(done->versions[7], 2U);
  EXPECT_EQ(done->versions[500], 0U);
}

TEST_F(StoreTest, a_thousand_fly_at_once_from_each_of_several_threads) {
  constexpr int kThreads = 3;
  constexpr int kCommits = 3000;
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, &failed] {
      std::deque<Pending> flying;
      const auto land = [&] {
        failed += flying.front().wait().has_value() ? 0 : 1;
        flying.pop_front();
      };
      for (int i = 0; i < kCommits; ++i) {
        const std::string key = std::to_string(t) + "/" + std::to_string(i % 50);
        flying.push_back(store_.submit(Batch().set(key, std::to_string(i))));
        if (flying.size() == 1000) land();
      }
      while (!flying.empty()) land();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  const Snapshot snap = store_.snapshot();
  for (int t = 0; t < kThreads; ++t) {
    // In the order of submission, so the last one of each key stands.
    const auto entry = snap.get(std::to_string(t) + "/49");
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(entry->value, std::to_string(kCommits - 1));
    EXPECT_EQ(entry->version, static_cast<std::uint64_t>(kCommits / 50));
  }
}

TEST_F(StoreTest, beyond_the_number_in_flight_it_is_busy_and_nothing_is_written) {
  served_.stop();
  std::vector<Pending> flying;
  for (std::size_t i = 0; i < kMaxInFlight; ++i) {
    flying.push_back(store_.submit(Batch().set("k", std::to_string(i))));
  }
  auto refused = store_.submit(Batch().set("one too many", "1")).wait();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), errc::busy);
  EXPECT_TRUE(refused.error().worth_retrying());
  served_.go_on();
  for (Pending& pending : flying) EXPECT_TRUE(pending.wait().has_value());
  EXPECT_EQ(store_.get("one too many").error(), errc::absent);
}

TEST_F(StoreTest, a_pending_is_asked_once) {
  Pending pending = store_.submit(Batch().set("k", "1"));
  EXPECT_TRUE(pending.wait(std::chrono::minutes(2)));
  EXPECT_TRUE(pending.ready());
  EXPECT_TRUE(pending.wait().has_value());
  const auto again = pending.wait();
  EXPECT_EQ(again.error(), errc::finished);
  EXPECT_EQ(again.error().text(), "this commit was waited for already");
}

TEST_F(StoreTest, an_event_loop_waits_at_the_descriptor) {
  const int fd = store_.fd();
  ASSERT_GE(fd, 0);
  EXPECT_EQ(store_.fd(), fd);
  // Whatever was there before: after ready() said no, the descriptor tells of the next.
  for (int round = 0; round < 100; ++round) {
    Pending one = store_.submit(Batch().set("a", std::to_string(round)));
    Pending two = store_.submit(Batch().set("b", std::to_string(round)));
    for (bool done = false; !done;) {
      const bool first = one.ready();
      done = two.ready() && first;
      if (done) break;
      pollfd entry{fd, POLLIN, 0};
      ASSERT_EQ(::poll(&entry, 1, 120'000), 1);
    }
    EXPECT_TRUE(one.wait().has_value());
    EXPECT_TRUE(two.wait().has_value());
  }
}

TEST_F(StoreTest, an_event_loop_hears_of_what_another_thread_took_out_of_the_ring) {
  const int fd = store_.fd();
  std::atomic<bool> stop{false};
  std::thread other([this, &stop] {
    while (!stop) static_cast<void>(store_.set("noise", "1").has_value());
  });
  for (int round = 0; round < 200; ++round) {
    Pending pending = store_.submit(Batch().set("a", std::to_string(round)));
    while (!pending.ready()) {
      pollfd entry{fd, POLLIN, 0};
      if (::poll(&entry, 1, 120'000) != 1) ADD_FAILURE() << "nobody rang";
    }
  }
  stop = true;
  other.join();
}

TEST_F(StoreTest, what_is_synced_is_on_disk) {
  const auto committed = store_.set("k", "1").value();
  EXPECT_TRUE(store_.sync(committed.sequence).has_value());
  EXPECT_TRUE(store_.sync(0).has_value());
  EXPECT_EQ(store_.sync(committed.sequence + 1000).error(), errc::compacted);
  const auto durable = store_.set("k", "2", {.durability = Durability::durable}).value();
  EXPECT_TRUE(store_.sync(durable.sequence).has_value());
}

TEST_F(StoreTest, resolve_tells_of_any_commit_of_this_store) {
  const auto committed = store_.set("k", "1").value();
  const Position here = store_.snapshot().position();
  EXPECT_EQ(here.sequence(), committed.sequence);
  EXPECT_EQ(store_.resolve(here.text()).value(), Resolution::committed);
  const Position later(here.store(), here.sequence() + 5);
  EXPECT_EQ(store_.resolve(later.text()).value(), Resolution::not_committed);
  EXPECT_EQ(store_.resolve(Position({}, 1).text()).error(), errc::compacted);
  EXPECT_EQ(store_.resolve("nonsense").error(), errc::bad_argument);
}

TEST_F(StoreTest, a_reader_reads_and_every_mutation_says_read_only) {
  Options options = ServedStore::options();
  options.read_only = true;
  Store reader = served_.open(options);
  store_.set("k", "1").value();
  EXPECT_EQ(reader.get("k")->value, "1");
  EXPECT_EQ(reader.set("k", "2").error(), errc::read_only);
  EXPECT_EQ(reader.submit(Batch().set("k", "2")).wait().error(), errc::read_only);
  EXPECT_EQ(reader.erase("k").error(), errc::read_only);
  EXPECT_TRUE(Admin(reader).info().has_value());
}

TEST_F(StoreTest, handles_outlive_the_store) {
  store_.set("k", "1").value();
  std::optional<Store> short_lived(served_.open());
  const Snapshot snap = short_lived->snapshot();
  Transaction tx = short_lived->begin();
  Pending pending = short_lived->submit(Batch().set("l", "1"));
  short_lived.reset();
  EXPECT_EQ(snap.get("k")->value, "1");
  EXPECT_TRUE(pending.wait().has_value());
  EXPECT_EQ(tx.get("k")->value, "1");
  EXPECT_TRUE(tx.set("m", "1").commit().has_value());
  EXPECT_EQ(store_.get("m")->value, "1");
}

TEST_F(StoreTest, after_close_calls_say_closed_and_snapshots_stay_good) {
  store_.set("k", "1").value();
  const Snapshot snap = store_.snapshot();
  store_.close();
  EXPECT_EQ(store_.state(), StoreState::closed);
  EXPECT_EQ(store_.set("k", "2").error(), errc::closed);
  EXPECT_EQ(store_.get("k").error(), errc::closed);
  const Snapshot late = store_.snapshot();
  EXPECT_EQ(late.get("k").error(), errc::closed);
  const Range nothing = late.all();
  EXPECT_EQ(nothing.begin(), nothing.end());
  EXPECT_EQ(nothing.status().error(), errc::closed);
  EXPECT_EQ(store_.begin().commit().error(), errc::closed);
  EXPECT_EQ(snap.get("k")->value, "1");
  ASSERT_TRUE(store_.reopen().has_value());
  EXPECT_EQ(store_.state(), StoreState::live);
  EXPECT_EQ(store_.get("k")->value, "1");
}

TEST_F(StoreTest, close_ends_what_waits) {
  served_.stop();
  Pending pending = store_.submit(Batch().set("k", "1"));
  std::thread closer([this] { store_.close(); });
  const auto outcome = pending.wait();
  closer.join();
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::closed);
  served_.go_on();
}

TEST_F(StoreTest, an_operator_is_answered) {
  const Admin admin(store_);
  EXPECT_TRUE(admin.ping().has_value());
  EXPECT_TRUE(admin.ping_writer().has_value());
  EXPECT_NE(admin.info()->find("\"durability\":\"written\""), std::string::npos);
  EXPECT_NE(admin.clients()->find("\"pid\""), std::string::npos);
  EXPECT_NE(admin.settings()->find("snapshot_ttl"), std::string::npos);
  EXPECT_TRUE(admin.stop().has_value());
  EXPECT_EQ(store_.state(), StoreState::stale);
}

TEST_F(StoreTest, views_can_be_made_to_stop_a_program_that_keeps_them_too_long) {
  store_.set("k", "1").value();
  test::ClientProcess careless("careless", [this] {
    ::setenv("DFS_CHECK_VIEWS", "1", 1);
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer's own action would end it otherwise
    Store checked = served_.open();
    std::string_view value;
    {
      const Snapshot snap = checked.snapshot();
      value = test::need(snap.get("k"), "get").value;
      test::require(value == "1", "good while the snapshot lives");
    }
    test::require(value.front() != '1', "still there");
  });
  const int status = careless.wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) << status;
}

}  // namespace
}  // namespace dfs
