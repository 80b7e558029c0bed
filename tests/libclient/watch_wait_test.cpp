// Waiting for the feed: who waits is woken, at its thread or in its event loop, and can be stopped.
#include <dfs/store.hpp>
#include <dfs/watch.hpp>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
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

using WatchWait = test::WatchFixture;

TEST_F(WatchWait, a_sleeping_watch_is_woken_by_another_process) {
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

TEST_F(WatchWait, threads_that_watch_and_threads_that_write_share_one_handle) {
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

TEST_F(WatchWait, an_event_loop_hears_of_changes_at_the_descriptor) {
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

TEST_F(WatchWait, an_event_loop_hears_again_of_a_change_for_who_was_asked_before_it_came) {
  Watch one = need(store_.watch("a"), "watch");
  Watch two = need(store_.watch("b"), "watch");
  Watch three = need(store_.watch("c"), "watch");
  ::pollfd bell{store_.fd(), POLLIN, 0};
  Store other = served_.open();
  for (int i = 0; i < 20; ++i) {
    do {
      for (Watch* watch : {&one, &two, &three}) {
        ASSERT_EQ(watch->next(milliseconds(0)).error(), errc::timeout);
      }
    } while (::poll(&bell, 1, 0) != 0);
    static_cast<void>(need(other.set("a", std::to_string(i)), "set"));
    ASSERT_EQ(::poll(&bell, 1, 120'000), 1);
    // As if it had come behind the question to the first.
    for (Watch* watch : {&two, &three}) {
      ASSERT_EQ(watch->next(milliseconds(0)).error(), errc::timeout);
    }
    ASSERT_EQ(::poll(&bell, 1, 120'000), 1) << "one was not told of its change";
    ASSERT_EQ(next(one).value, std::to_string(i));
  }
}

TEST_F(WatchWait, an_event_loop_that_has_heard_of_a_change_comes_to_rest) {
  Watch watch = need(store_.watch(), "watch");
  ::pollfd bell{store_.fd(), POLLIN, 0};
  Store other = served_.open();
  for (int i = 0; i < 20; ++i) {
    // Rung for once too often perhaps, but not for ever.
    do {
      ASSERT_EQ(watch.next(milliseconds(0)).error(), errc::timeout);
    } while (::poll(&bell, 1, 0) != 0);
    static_cast<void>(need(other.set("a", std::to_string(i)), "set"));
    ASSERT_EQ(::poll(&bell, 1, 120'000), 1);
    ASSERT_EQ(next(watch).value, std::to_string(i));
  }
}

TEST_F(WatchWait, an_event_loop_is_left_alone_when_nothing_is_watched_any_more) {
  ::pollfd bell{store_.fd(), POLLIN, 0};
  Store rung = served_.open();
  ::pollfd other_bell{rung.fd(), POLLIN, 0};
  Store other = served_.open();
  for (int i = 0; i < 20; ++i) {
    Watch watch = need(rung.watch(), "watch");  // rung behind the one that is gone
    {
      Watch gone = need(store_.watch(), "watch");
      do {
        ASSERT_EQ(gone.next(milliseconds(0)).error(), errc::timeout);
      } while (::poll(&bell, 1, 0) != 0);
      do {
        ASSERT_EQ(watch.next(milliseconds(0)).error(), errc::timeout);
      } while (::poll(&other_bell, 1, 0) != 0);
    }
    static_cast<void>(need(other.set("a", std::to_string(i)), "set"));
    ASSERT_EQ(::poll(&other_bell, 1, 120'000), 1);
    EXPECT_EQ(::poll(&bell, 1, 0), 0) << "rung for nothing";
    ASSERT_EQ(next(watch).value, std::to_string(i));
  }
}

TEST_F(WatchWait, an_event_loop_hears_beside_a_thread_that_waits) {
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

TEST_F(WatchWait, an_event_loop_hears_of_a_change_beside_commits_of_its_own_handle) {
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

TEST_F(WatchWait, stop_ends_a_wait_from_another_thread) {
  for (int round = 0; round < 50; ++round) {
    Watch watch = need(store_.watch(), "watch");
    std::thread stopper([&watch] { watch.stop(); });
    EXPECT_EQ(watch.next(kPatience).error(), errc::stopped);
    stopper.join();
    EXPECT_EQ(watch.next(kPatience).error(), errc::stopped) << "and stays so";
  }
}

TEST_F(WatchWait, stop_ends_only_its_own_wait) {
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

TEST_F(WatchWait, stop_ends_a_wait_from_a_signal_handler) {
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

}  // namespace
}  // namespace dfs
