// The feed as a program follows it: order, whole commits, positions, and what ends it.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>
#include <dfs/watch.hpp>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/os/clock.hpp"
#include "tests/libclient/served_store.hpp"
#include "tests/process/client_process.hpp"

namespace dfs {
namespace {

using std::chrono::milliseconds;
using test::need;
using test::ServedStore;

// Not a time that any test waits for: what is expected to come, comes.
constexpr std::chrono::minutes kPatience{2};

class WatchTest : public ::testing::Test {
 protected:
  Change next(Watch& watch) { return need(watch.next(kPatience), "next"); }
  std::uint64_t set(const std::string& key, const std::string& value) {
    return need(store_.set(key, value), "set").sequence;
  }
  /// Everything before now leaves the feed.
  void compact() {
    set("noise", "1");
    need(Admin(store_).compact(kPatience), "compact");
  }

  ServedStore served_{{"--feed-retention", "0s"}};
  Store store_ = served_.open();
};

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

TEST_F(WatchTest, a_sleeping_watch_is_woken_by_another_process) {
  Watch watch = need(store_.watch(), "watch");
  test::ClientProcess writer("writer", [this] {
    Store own = served_.open();
    for (int i = 0; i < 100; ++i) {
      static_cast<void>(need(own.set("k", std::to_string(i)), "set"));
    }
  });
  for (std::uint64_t version = 1; version <= 100; ++version) {
    ASSERT_EQ(next(watch).version, version);
  }
  writer.expect_done();
}

TEST_F(WatchTest, threads_that_watch_and_threads_that_write_share_one_handle) {
  constexpr int kWatchers = 4;
  constexpr std::uint64_t kChanges = 500;
  std::vector<Watch> watches;
  for (int i = 0; i < kWatchers; ++i) watches.push_back(need(store_.watch("k"), "watch"));
  std::atomic<int> complete{0};
  std::vector<std::thread> threads;
  for (Watch& watch : watches) {
    threads.emplace_back([&watch, &complete] {
      for (std::uint64_t version = 1; version <= kChanges; ++version) {
        auto change = watch.next(kPatience);
        if (!change || change->version != version) return;
      }
      complete.fetch_add(1);
    });
  }
  threads.emplace_back([this] {
    for (std::uint64_t i = 0; i < kChanges; ++i) set("other", "1");
  });
  for (std::uint64_t i = 0; i < kChanges; ++i) set("k", std::to_string(i));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(complete.load(), kWatchers);
}

TEST_F(WatchTest, an_event_loop_hears_of_changes_at_the_descriptor) {
  Watch one = need(store_.watch("a"), "watch");
  Watch two = need(store_.watch("b"), "watch");
  ::pollfd bell{store_.fd(), POLLIN, 0};
  Store other = served_.open();
  std::thread writer([&other] {
    for (int i = 0; i < 200; ++i) {
      static_cast<void>(need(other.set(i % 2 == 0 ? "a" : "b", "1"), "set"));
    }
  });
  int changes = 0;
  for (;;) {
    for (Watch* watch : {&one, &two}) {
      auto change = watch->next(milliseconds(0));
      for (; change; change = watch->next(milliseconds(0))) ++changes;
      ASSERT_EQ(change.error(), errc::timeout) << change.error().text();
    }
    if (changes == 200) break;
    ASSERT_EQ(::poll(&bell, 1, 120'000), 1);
  }
  writer.join();
}

TEST_F(WatchTest, an_event_loop_hears_beside_a_thread_that_waits) {
  Watch one = need(store_.watch("a"), "watch");
  Watch other = need(store_.watch("b"), "watch");
  ::pollfd bell{store_.fd(), POLLIN, 0};
  std::atomic<bool> ended{false};
  std::thread waiting([&] { ended = other.next(kPatience).error() == errc::stopped; });
  Store writer = served_.open();
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(need(writer.set("a", "1"), "set"));
    auto change = one.next(milliseconds(0));
    while (!change) {
      ASSERT_EQ(::poll(&bell, 1, 120'000), 1);
      change = one.next(milliseconds(0));
    }
    EXPECT_EQ(change->version, static_cast<std::uint64_t>(i) + 1);
  }
  other.stop();
  waiting.join();
  EXPECT_TRUE(ended);
}

TEST_F(WatchTest, an_event_loop_hears_of_a_change_beside_commits_of_its_own_handle) {
  Watch watch = need(store_.watch("a"), "watch");
  ::pollfd bell{store_.fd(), POLLIN, 0};
  Store other = served_.open();
  std::atomic<int> round{0};
  std::thread writer([&] {
    for (int i = 1; i <= 500; ++i) {
      while (round.load() < i) os::pause_processor();
      static_cast<void>(need(other.set("a", "1"), "set"));
    }
  });
  for (int i = 1; i <= 500; ++i) {
    round = i;
    // Its thread waits at the bell in between, and leaves it set for the loop.
    set("b", "1");
    auto change = watch.next(milliseconds(0));
    while (!change) {
      ASSERT_EQ(::poll(&bell, 1, 120'000), 1);
      change = watch.next(milliseconds(0));
    }
    ASSERT_EQ(change->version, static_cast<std::uint64_t>(i));
  }
  writer.join();
}

TEST_F(WatchTest, stop_ends_a_wait_from_another_thread) {
  for (int round = 0; round < 50; ++round) {
    Watch watch = need(store_.watch(), "watch");
    std::thread stopper([&watch] { watch.stop(); });
    EXPECT_EQ(watch.next(kPatience).error(), errc::stopped);
    stopper.join();
    EXPECT_EQ(watch.next(kPatience).error(), errc::stopped) << "and stays so";
  }
}

TEST_F(WatchTest, stop_ends_only_its_own_wait) {
  Watch one = need(store_.watch(), "watch");
  Watch two = need(store_.watch(), "watch");
  std::atomic<bool> changed{false};
  std::thread first([&] { EXPECT_EQ(one.next(kPatience).error(), errc::stopped); });
  std::thread second([&] { changed = two.next(kPatience).has_value(); });
  one.stop();
  first.join();
  set("a", "1");
  second.join();
  EXPECT_TRUE(changed);
}

Watch* signalled = nullptr;

TEST_F(WatchTest, stop_ends_a_wait_from_a_signal_handler) {
  Watch watch = need(store_.watch(), "watch");
  signalled = &watch;
  struct ::sigaction action {};
  struct ::sigaction before {};
  action.sa_handler = [](int) { signalled->stop(); };
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::kill(::getppid(), SIGUSR1);
    ::_exit(0);
  }
  EXPECT_EQ(watch.next(kPatience).error(), errc::stopped);
  ::waitpid(child, nullptr, 0);
  ::sigaction(SIGUSR1, &before, nullptr);
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
