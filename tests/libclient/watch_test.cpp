// The feed as a program follows it: order, whole commits, positions, and what ends it.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>
#include <dfs/watch.hpp>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/os/clock.hpp"
#include "tests/libclient/watch_fixture.hpp"
#include "tests/process/client_process.hpp"

namespace dfs {
namespace {

using std::chrono::milliseconds;
using test::kPatience;
using test::need;
using test::ServedStore;

using WatchTest = test::WatchFixture;

TEST_F(WatchTest, changes_come_in_order_with_their_values) {
  Watch watch = need(store_.watch(), "watch");
  const auto first = need(store_.set("a", R"({"n": 1})"), "set");
  static_cast<void>(need(store_.set("b", "2"), "set"));
  const auto erased = need(store_.erase("a"), "erase");

  const Change a = next(watch);
  EXPECT_EQ(a.key, "a");
  EXPECT_EQ(a.value, R"({"n":1})");
  EXPECT_FALSE(a.erased);
  EXPECT_EQ(a.version, 1U);
  EXPECT_EQ(a.sequence, first.sequence);
  EXPECT_GT(a.time_ms, 0U);
  EXPECT_TRUE(a.last_of_commit);
  EXPECT_EQ(next(watch).key, "b");
  const Change gone = next(watch);
  EXPECT_EQ(gone.key, "a");
  EXPECT_TRUE(gone.erased);
  EXPECT_EQ(gone.value, "");
  EXPECT_EQ(gone.version, 2U);
  EXPECT_EQ(gone.sequence, erased.sequence);
  EXPECT_EQ(watch.next(milliseconds(0)).error(), errc::timeout);
}

TEST_F(WatchTest, only_what_has_the_prefix_comes_and_the_position_moves_all_the_same) {
  Watch watch = need(store_.watch("user/"), "watch");
  static_cast<void>(need(
      store_.submit(Batch().set("user/1", "1").set("other", "2").set("user/2", "3").set("use", "4"))
          .wait(),
      "commit"));
  const Change one = next(watch);
  EXPECT_EQ(one.key, "user/1");
  EXPECT_FALSE(one.last_of_commit);
  const Change two = next(watch);
  EXPECT_EQ(two.key, "user/2");
  EXPECT_TRUE(two.last_of_commit) << "nothing more of this commit has the prefix";
  const std::uint64_t sequence = set("other", "5");
  EXPECT_EQ(watch.next(milliseconds(0)).error(), errc::timeout);
  EXPECT_EQ(watch.position().sequence(), sequence);
}

TEST_F(WatchTest, a_position_lies_between_commits_and_goes_on_where_it_was_saved) {
  Watch watch = need(store_.watch(), "watch");
  const std::uint64_t before = store_.snapshot().sequence();
  static_cast<void>(
      need(store_.submit(Batch().set("a", "1").set("b", "2").set("c", "3")).wait(), "commit"));
  set("d", "4");
  static_cast<void>(next(watch));
  static_cast<void>(next(watch));
  EXPECT_EQ(watch.position().sequence(), before) << "within a commit: before it";
  Watch again = need(store_.watch("", watch.position()), "watch");
  EXPECT_EQ(next(again).key, "a") << "the commit comes whole";
  EXPECT_EQ(next(watch).key, "c");
  EXPECT_EQ(watch.position().sequence(), before + 1);
  const std::string saved = watch.position().text();
  served_.replace();
  Store other = served_.open();
  Watch later = need(other.watch("", need(Position::parse(saved), "parse")), "watch");
  EXPECT_EQ(next(later).key, "d");
}

TEST_F(WatchTest, from_the_beginning_everything_comes) {
  set("a", "1");
  set("a", "2");
  static_cast<void>(need(store_.erase("a"), "erase"));
  const Position beginning(store_.snapshot().position().store(), 0);
  Watch watch = need(store_.watch("", beginning), "watch");
  for (std::uint64_t version = 1; version <= 3; ++version) {
    EXPECT_EQ(next(watch).version, version);
  }
}

TEST_F(WatchTest, what_this_handle_wrote_is_its_own) {
  Store other = served_.open();
  Watch watch = need(store_.watch(), "watch");
  Watch others = need(other.watch(), "watch");
  set("mine", "1");
  static_cast<void>(need(other.set("theirs", "1"), "set"));
  EXPECT_TRUE(next(watch).own);
  EXPECT_FALSE(next(watch).own);
  EXPECT_FALSE(next(others).own);
  EXPECT_TRUE(next(others).own);
}

TEST_F(WatchTest, who_only_reads_may_watch) {
  Options options = ServedStore::options();
  options.read_only = true;
  Store reader = served_.open(options);
  Watch watch = need(reader.watch(), "watch");
  std::thread later([this] { set("a", "1"); });
  EXPECT_EQ(next(watch).key, "a");
  later.join();
}

TEST_F(WatchTest, it_goes_on_across_compactions) {
  Watch watch = need(store_.watch("k"), "watch");
  for (std::uint64_t round = 1; round <= 20; ++round) {
    set("k", std::to_string(round));
    compact();
    // From the generation before and its successor; a third would wait for the watch.
    if (round % 2 != 0) continue;
    for (std::uint64_t version = round - 1; version <= round; ++version) {
      const Change change = next(watch);
      ASSERT_EQ(change.version, version);
      ASSERT_EQ(change.value, std::to_string(version));
    }
    ASSERT_EQ(watch.next(milliseconds(0)).error(), errc::timeout);
  }
}

TEST_F(WatchTest, it_goes_on_with_the_next_daemon) {
  Watch watch = need(store_.watch("k"), "watch");
  set("k", "1");
  EXPECT_EQ(next(watch).value, "1");
  set("k", "2");
  served_.kill();
  EXPECT_EQ(next(watch).value, "2") << "what was published is read to its end";
  EXPECT_EQ(watch.next(milliseconds(0)).error(), errc::daemon_gone);
  served_.serve();
  set("k", "3");
  const Change change = next(watch);
  EXPECT_EQ(change.value, "3");
  EXPECT_TRUE(change.own);
}

TEST_F(WatchTest, a_wait_outlasts_the_daemon) {
  Watch watch = need(store_.watch("k"), "watch");
  std::thread waiting([&] { EXPECT_EQ(next(watch).value, "\"behind\""); });
  served_.replace();
  set("k", "\"behind\"");
  waiting.join();
}

TEST_F(WatchTest, a_position_too_old_is_compacted_and_restart_goes_on) {
  Watch watch = need(store_.watch(), "watch");
  const Position old = watch.position();
  served_.replace();
  // It holds nothing at this daemon, which it has not met.
  set("a", "1");
  compact();
  compact();  // the first may have begun before the writer noted how far a went
  const auto lost = watch.next(kPatience);
  ASSERT_FALSE(lost.has_value());
  ASSERT_EQ(lost.error(), errc::compacted) << lost.error().text();
  EXPECT_EQ(store_.watch("", old).error(), errc::compacted);
  EXPECT_EQ(watch.next(kPatience).error(), errc::compacted) << "until it is restarted";
  const Snapshot snapshot = watch.restart();
  EXPECT_EQ(snapshot.get("a")->value, "1");
  EXPECT_EQ(watch.position(), snapshot.position());
  set("b", "2");
  EXPECT_EQ(next(watch).key, "b");
}

TEST_F(WatchTest, a_position_one_commit_too_old_is_compacted) {
  set("a", "1");
  compact();
  const Position last = store_.snapshot().position();
  set("b", "2");
  const Position behind = store_.snapshot().position();
  for (int i = 0; i < 3; ++i) {
    need(Admin(store_).compact(kPatience), "compact");
  }
  EXPECT_EQ(store_.watch("", last).error(), errc::compacted) << "b is not in the feed";
  Watch watch = need(store_.watch("", behind), "watch");
  set("c", "3");
  EXPECT_EQ(next(watch).key, "c");
}

TEST(WatchRevoked, goes_on_in_the_middle_of_its_commit) {
  // Enough that lives for a long feed, and nobody may hold for long.
  const ServedStore served({"--feed-retention", "1h", "--snapshot-ttl", "1ms"});
  Store store = served.open();
  const std::string big = '"' + std::string(std::size_t{1} << 20, 'x') + '"';
  need(store.set("big", big), "set");
  // Behind which a checkpoint stands.
  for (int i = 0; i < 3; ++i) need(Admin(store).compact(kPatience), "compact");
  Watch watch = need(store.watch(), "watch");
  const char* const keys[] = {"a", "b", "c"};
  need(store.submit(Batch().set("a", "1").set("b", "2").set("c", "3")).wait(), "commit");
  EXPECT_EQ(need(watch.next(kPatience), "next").key, "a");
  while (watch.check()) {
    need(store.set("noise", "1"), "set");
    need(Admin(store).compact(kPatience), "compact");
  }
  for (int i = 1; i < 3; ++i) {
    const Change change = need(watch.next(kPatience), "next");
    ASSERT_EQ(change.key, keys[i]);
    EXPECT_EQ(change.value, std::to_string(i + 1));
    EXPECT_EQ(change.last_of_commit, i == 2);
  }
  EXPECT_EQ(need(watch.next(kPatience), "next").key, "noise");
}

TEST(WatchRevoked, is_compacted_where_the_commit_it_gave_a_part_of_was_lost) {
  ServedStore served({"--feed-retention", "1h", "--snapshot-ttl", "1ms"});
  Store store = served.open();
  need(store.set("big", '"' + std::string(std::size_t{1} << 20, 'x') + '"'), "set");
  for (int i = 0; i < 3; ++i) need(Admin(store).compact(kPatience), "compact");
  Watch watch = need(store.watch(), "watch");
  const std::string kept = served.path() + ".kept";
  std::filesystem::copy_file(served.path(), kept);
  need(store.submit(Batch().set("a", "1").set("b", "2").set("c", "3")).wait(), "commit");
  EXPECT_EQ(need(watch.next(kPatience), "next").key, "a");
  EXPECT_EQ(need(watch.next(kPatience), "next").key, "b");
  while (watch.check()) {
    need(store.set("noise", "1"), "set");
    need(Admin(store).compact(kPatience), "compact");
  }
  // As after a crash that kept nothing of it.
  served.kill();
  std::filesystem::rename(kept, served.path());
  served.serve();
  need(store.submit(Batch().set("d", "1").set("e", "2").set("f", "3")).wait(), "commit");
  const auto lost = watch.next(kPatience);
  ASSERT_FALSE(lost) << "it went on with " << lost->key;
  EXPECT_EQ(lost.error(), errc::compacted) << lost.error().text();
  const Snapshot snapshot = watch.restart();
  EXPECT_EQ(snapshot.get("d")->value, "1");
  need(store.set("g", "4"), "set");
  EXPECT_EQ(need(watch.next(kPatience), "next").key, "g");
}

TEST_F(WatchTest, restart_in_the_middle_of_a_commit_leaves_nothing_of_the_next_one_out) {
  Watch watch = need(store_.watch(), "watch");
  need(store_.submit(Batch().set("a", "1").set("b", "1").set("c", "1")).wait(), "commit");
  EXPECT_EQ(next(watch).key, "a");
  EXPECT_EQ(next(watch).key, "b");
  const Snapshot snapshot = watch.restart();
  EXPECT_EQ(snapshot.get("c")->value, "1");
  need(store_.submit(Batch().set("d", "1").set("e", "1").set("f", "1")).wait(), "commit");
  for (const char* key : {"d", "e", "f"}) EXPECT_EQ(next(watch).key, key);
}

TEST_F(WatchTest, a_position_of_another_store_or_of_no_commit_is_compacted) {
  set("a", "1");
  Position::StoreId stranger{};
  stranger[0] = std::byte{1};
  EXPECT_EQ(store_.watch("", Position(stranger, 0)).error(), errc::compacted);
  const Position here = store_.snapshot().position();
  EXPECT_EQ(store_.watch("", Position(here.store(), here.sequence() + 1)).error(), errc::compacted);
}

TEST_F(WatchTest, from_the_position_of_a_held_snapshot_nothing_is_compacted) {
  set("k", "1");
  const Snapshot held = store_.snapshot();
  set("k", "2");
  compact();
  set("k", "3");
  compact();
  set("k", "4");
  Watch watch = need(store_.watch("k", held.position()), "watch");
  for (std::uint64_t version = 2; version <= 4; ++version) {
    ASSERT_EQ(next(watch).version, version);
  }
}

TEST_F(WatchTest, a_watch_that_is_not_read_keeps_what_it_has_not_read) {
  Watch watch = need(store_.watch("k"), "watch");
  set("k", "1");
  compact();
  set("k", "2");
  compact();
  for (std::uint64_t version = 1; version <= 2; ++version) {
    ASSERT_EQ(next(watch).version, version);
  }
  EXPECT_TRUE(watch.check().has_value());
}

TEST_F(WatchTest, it_outlives_its_store_and_says_closed) {
  Watch watch = need(store_.watch(), "watch");
  set("a", "1");
  store_.close();
  EXPECT_EQ(next(watch).key, "a") << "what was published before";
  EXPECT_EQ(watch.next(kPatience).error(), errc::closed);
}

TEST_F(WatchTest, in_a_child_it_says_forked_and_the_parent_goes_on) {
  Watch watch = need(store_.watch(), "watch");
  const ::pid_t child = ::fork();
  if (child == 0) {
    bool right = false;
    {
      Watch mine = std::move(watch);
      right = mine.next(milliseconds(0)).error() == errc::forked;
    }
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  set("a", "1");
  EXPECT_EQ(next(watch).key, "a");
}

}  // namespace
}  // namespace dfs
