// What dfs/testing.hpp offers the tests of other programs: each way to fail, and that nothing of it
// is left behind.
#include <dfs/testing.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/client_process.hpp"
#include "tests/process/temporary_directory.hpp"

namespace dfs {
namespace {

using std::chrono::milliseconds;
using testing::TemporaryStore;

TemporaryStore make(DaemonOptions daemon = {}) {
  daemon.program = DFSD;
  return TemporaryStore::make(std::move(daemon)).value();
}

class Temporary : public ::testing::Test {
 protected:
  TemporaryStore temporary_ = make();
  Store store_ = temporary_.open().value();
};

TEST_F(Temporary, a_store_is_served_and_gone_with_its_directory) {
  std::string path;
  {
    const TemporaryStore other = make();
    path = other.path();
    EXPECT_NE(path, temporary_.path());
    Store store = other.open().value();
    store.set("a", "1").value();
    EXPECT_EQ(store.get("a")->value, "1");
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(path).parent_path()));
  EXPECT_EQ(store_.get("a").error(), errc::absent);
}

TEST_F(Temporary, daemon_gone_is_what_a_killed_daemon_leaves_and_reads_go_on) {
  store_.set("a", "1").value();
  temporary_.kill();
  EXPECT_EQ(store_.set("a", "2").error(), errc::daemon_gone);
  EXPECT_EQ(store_.get("a")->value, "1");
  EXPECT_EQ(store_.state(), StoreState::stale);
  ASSERT_TRUE(temporary_.restart().has_value());
  EXPECT_EQ(store_.set("a", "2")->version, 2U);
  EXPECT_EQ(store_.state(), StoreState::live);
}

TEST_F(Temporary, a_restart_is_a_crash_that_keeps_what_was_acknowledged) {
  for (int i = 0; i < 100; ++i) store_.set("a", std::to_string(i)).value();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(temporary_.restart().has_value()) << temporary_.said();
  EXPECT_EQ(store_.get("a")->value, "99");
}

TEST_F(Temporary, a_stopped_daemon_has_closed_the_store) {
  store_.set("a", "1").value();
  ASSERT_TRUE(temporary_.stop().has_value()) << temporary_.said();
  EXPECT_EQ(temporary_.stop().error(), errc::daemon_gone);
  std::ifstream log(temporary_.path());
  const std::string bytes{std::istreambuf_iterator<char>(log), {}};
  EXPECT_NE(bytes.rfind("[\"stop\""), std::string::npos) << bytes;
  ASSERT_TRUE(temporary_.restart().has_value());
  EXPECT_EQ(store_.get("a")->value, "1");
}

TEST_F(Temporary, timeout_is_what_a_paused_daemon_gives) {
  ASSERT_TRUE(temporary_.pause().has_value());
  const auto late = store_.set("a", "1", {.timeout = milliseconds(50)});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error(), errc::timeout);
  ASSERT_TRUE(temporary_.resume().has_value());
  store_.set("b", "1").value();
  EXPECT_EQ(store_.get("a").error(), errc::absent);
}

TEST_F(Temporary, busy_is_what_too_many_in_flight_to_a_paused_daemon_are_told) {
  ASSERT_TRUE(temporary_.pause().has_value());
  std::vector<Pending> flying;
  for (std::size_t i = 0; i < kMaxInFlight; ++i) {
    flying.push_back(store_.submit(Batch().set("a", "1")));
  }
  EXPECT_EQ(store_.submit(Batch().set("a", "1")).wait().error(), errc::busy);
  ASSERT_TRUE(temporary_.resume().has_value());
  for (Pending& one : flying) EXPECT_TRUE(one.wait().has_value());
}

TEST_F(Temporary, unknown_is_what_a_failing_disk_leaves_and_resolve_tells) {
  store_.set("a", "1").value();
  ASSERT_TRUE(temporary_.fail_next_commit().has_value());
  const auto lost = store_.set("a", "2");
  ASSERT_FALSE(lost.has_value());
  ASSERT_EQ(lost.error(), errc::unknown) << lost.error().text();
  ASSERT_FALSE(lost.error().commit().empty());
  EXPECT_EQ(store_.set("a", "3").error(), errc::daemon_gone);
  ASSERT_TRUE(temporary_.restart().has_value());
  EXPECT_EQ(store_.resolve(lost.error().commit()).value(), Resolution::not_committed);
  EXPECT_EQ(store_.get("a")->value, "1");
  EXPECT_EQ(store_.set("a", "2", expect_version(1))->version, 2U);
}

TEST_F(Temporary, store_full_is_what_a_limited_log_tells_a_commit_that_needs_more) {
  EXPECT_EQ(temporary_.limit_log(1).error(), errc::bad_argument);
  ASSERT_TRUE(temporary_.limit_log(100'000).has_value());
  const std::string large = '"' + std::string(200'000, 'v') + '"';
  for (int i = 0; i < 5; ++i) {
    const auto refused = store_.set("large", large);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error(), errc::store_full) << refused.error().text();
    EXPECT_EQ(refused.error().system_error(), EFBIG);
    EXPECT_TRUE(store_.set("small", "1").has_value());
  }
  ASSERT_TRUE(temporary_.make_room().has_value());
  EXPECT_TRUE(store_.set("large", large).has_value());
}

TEST_F(Temporary, store_full_is_what_a_filled_store_tells_every_set) {
  store_.set("a", "1").value();
  ASSERT_TRUE(temporary_.fill().has_value()) << temporary_.said();
  for (const char* key : {"a", "b", "quite a long key"}) {
    const auto refused = store_.set(key, "2");
    ASSERT_FALSE(refused.has_value()) << key;
    EXPECT_EQ(refused.error(), errc::store_full);
    EXPECT_EQ(refused.error().limit(), std::uint64_t{64} << 20);
  }
  EXPECT_EQ(store_.get("a")->value, "1");
  EXPECT_TRUE(store_.erase("a").has_value());
  ASSERT_TRUE(temporary_.make_room().has_value()) << temporary_.said();
  EXPECT_TRUE(store_.set("b", "2").has_value());
  const Snapshot snap = store_.snapshot();
  const Range fillers = snap.prefix("~");
  EXPECT_EQ(fillers.begin(), fillers.end());
}

TEST_F(Temporary, revoked_snapshots_say_so_and_new_ones_are_whole) {
  store_.set("a", "1").value();
  const Snapshot held = store_.snapshot();
  Transaction tx = store_.begin();
  ASSERT_EQ(held.get("a")->value, "1");
  ASSERT_TRUE(temporary_.revoke_snapshots().has_value()) << temporary_.said();
  EXPECT_EQ(held.get("a").error(), errc::snapshot_too_old);
  EXPECT_EQ(held.get("nobody").error(), errc::snapshot_too_old) << "nothing is absent in it";
  const Range all = held.all();
  EXPECT_EQ(all.begin(), all.end());
  EXPECT_EQ(all.status().error(), errc::snapshot_too_old);
  EXPECT_EQ(tx.get("a").error(), errc::snapshot_too_old);
  EXPECT_EQ(store_.get("a")->value, "1");
}

TEST_F(Temporary, a_watch_revoked_in_the_middle_of_a_commit_goes_on_within_it) {
  // Enough that a quarter of it, which is kept as history, holds the commits below.
  for (int i = 0; i < 200; ++i) {
    store_.set("live/" + std::to_string(i), "\"" + std::string(5000, 'x') + "\"").value();
  }
  ASSERT_TRUE(temporary_.restart().has_value()) << "from where compactions begin";
  Watch watch = store_.watch("k/").value();
  const Position before = watch.position();
  store_.submit(Batch().set("k/a", "1").set("k/b", "2").set("k/c", "3")).wait().value();
  ASSERT_EQ(watch.next().value().key, "k/a");
  ASSERT_TRUE(watch.check().has_value());
  ASSERT_TRUE(temporary_.revoke_snapshots().has_value()) << temporary_.said();
  EXPECT_EQ(watch.check().error(), errc::snapshot_too_old);
  EXPECT_EQ(watch.position(), before) << "no position lies in a commit";
  const Change second = watch.next().value();
  EXPECT_EQ(second.key, "k/b") << "neither again nor left out";
  EXPECT_EQ(second.value, "2");
  const Change third = watch.next().value();
  EXPECT_EQ(third.key, "k/c");
  EXPECT_TRUE(third.last_of_commit);
  EXPECT_EQ(watch.next(std::chrono::milliseconds(0)).error(), errc::timeout);
}

TEST_F(Temporary, conflict_and_mismatch_need_only_a_second_handle) {
  Store other = temporary_.open().value();
  Transaction tx = store_.begin();
  EXPECT_EQ(tx.get("a").error(), errc::absent);
  other.set("a", "1").value();
  EXPECT_EQ(tx.set("b", "1").commit().error(), errc::transaction_conflict);
  EXPECT_EQ(store_.set("a", "2", expect_version(7)).error(), errc::version_mismatch);
}

TEST_F(Temporary, without_a_daemon_each_call_says_so) {
  temporary_.kill();
  EXPECT_EQ(temporary_.pause().error(), errc::daemon_gone);
  EXPECT_EQ(temporary_.resume().error(), errc::daemon_gone);
  EXPECT_EQ(temporary_.fail_next_commit().error(), errc::daemon_gone);
  EXPECT_EQ(temporary_.limit_log(1 << 20).error(), errc::daemon_gone);
  EXPECT_EQ(temporary_.make_room().error(), errc::daemon_gone);
  EXPECT_FALSE(temporary_.fill().has_value());
  temporary_.kill();
}

TEST_F(Temporary, a_forked_child_leaves_it_to_its_parent) {
  test::ClientProcess child("child", [this] {
    const TemporaryStore gone = std::move(temporary_);
    test::require(gone.path().ends_with("store.db"), "its path");
  });
  child.expect_done();
  EXPECT_TRUE(store_.set("a", "1").has_value());
}

TEST_F(Temporary, it_moves) {
  TemporaryStore other = make();
  const std::string path = temporary_.path();
  other = std::move(temporary_);
  EXPECT_EQ(other.path(), path);
  EXPECT_TRUE(store_.set("a", "1").has_value());
}

TEST(TemporaryStart, what_keeps_the_daemon_is_said) {
  DaemonOptions wrong;
  wrong.program = "/nowhere/dfsd";
  const auto missing = TemporaryStore::make(wrong);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error(), errc::no_daemon);
  EXPECT_NE(missing.error().text().find("/nowhere/dfsd"), std::string_view::npos);
  wrong.program = DFSD;
  wrong.memory_limit = 1;
  const auto small = TemporaryStore::make(wrong);
  ASSERT_FALSE(small.has_value());
  EXPECT_NE(small.error().text().find("memory"), std::string_view::npos) << small.error().text();
}

/// What a test that was killed leaves: its daemon holds the lock until it ends.
void expect_end_after_kill(bool paused) {
  const test::TemporaryDirectory directory;
  ::setenv("TMPDIR", directory.path().c_str(), 1);
  const std::string note = directory / "path";
  test::ClientProcess killed("killed", [&] {
    TemporaryStore temporary = make();
    if (paused) temporary.pause().value();
    std::ofstream(note + ".new") << temporary.path();
    std::filesystem::rename(note + ".new", note);
    ::raise(SIGKILL);
  });
  EXPECT_EQ(killed.wait(), SIGKILL);
  ::unsetenv("TMPDIR");
  std::ifstream in(note);
  const std::string path{std::istreambuf_iterator<char>(in), {}};
  ASSERT_FALSE(path.empty());
  const int lock = ::open((path + ".lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(lock, 0);
  EXPECT_EQ(::flock(lock, LOCK_EX), 0) << "waits as long as the daemon lives";
  ::close(lock);
}

TEST(TemporaryEnd, a_test_that_was_killed_leaves_no_daemon) { expect_end_after_kill(false); }

TEST(TemporaryEnd, nor_one_that_it_had_paused) { expect_end_after_kill(true); }

// DFS_CHECK_VIEWS=1.

class CheckedViews : public ::testing::Test {
 protected:
  TemporaryStore temporary_ = make();

  /// The status with which a process ends that checks its views and runs this.
  int status_of(const std::function<void(Store&)>& body) {
    test::ClientProcess child("checked", [&] {
      ::setenv("DFS_CHECK_VIEWS", "1", 1);
      std::signal(SIGSEGV, SIG_DFL);  // a sanitizer's own action would end it otherwise
      Store store = test::need(temporary_.open(), "open");
      body(store);
    });
    return child.wait();
  }
};

void look_at(std::string_view view) {
  volatile char seen = 0;
  for (const char c : view) seen = c;
  static_cast<void>(seen);
}

TEST_F(CheckedViews, a_view_that_outlives_its_snapshot_stops_the_program) {
  const int status = status_of([](Store& store) {
    store.set("a", "1").value();
    std::string_view dangling;
    {
      const Snapshot snap = store.snapshot();
      dangling = snap.get("a")->value;
    }
    look_at(dangling);
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
}

TEST_F(CheckedViews, so_does_one_of_a_walk_and_of_a_transaction) {
  EXPECT_TRUE(WIFSIGNALED(status_of([](Store& store) {
    store.set("a", "1").value();
    std::string_view dangling;
    {
      const Snapshot snap = store.snapshot();
      for (const Entry& entry : snap.all()) dangling = entry.key;
    }
    look_at(dangling);
  })));
  EXPECT_TRUE(WIFSIGNALED(status_of([](Store& store) {
    store.set("a", "1").value();
    std::string_view dangling;
    {
      Transaction tx = store.begin();
      dangling = tx.get("a")->value;
    }
    look_at(dangling);
  })));
}

TEST_F(CheckedViews, a_right_program_runs_as_without) {
  EXPECT_EQ(status_of([](Store& store) {
              store.set("a", "1").value();
              const Snapshot before = store.snapshot();
              store.set("a", "2").value();
              {
                const Snapshot now = store.snapshot();
                test::require(now.get("a")->value == "2", "the newest");
                for (const Entry& entry : now.all()) look_at(entry.key);
              }
              test::require(before.get("a")->value == "1", "an older snapshot");
              test::require(store.get("a")->value == "2", "a copy");
              store
                  .transact([](Transaction& tx) {
                    look_at(tx.get("a")->value);
                    tx.set("b", "1");
                  })
                  .value();
              test::require(store.get("b")->version == 1, "a transaction");
              for (int i = 0; i < 1000; ++i) look_at(store.snapshot().position().text());
            }),
            0);
}

}  // namespace
}  // namespace dfs
