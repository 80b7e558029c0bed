// What an event loop waits for: `Store::fd` is readable when there is something to ask for, and not
// when all has been taken.
#include "libclient/bell.hpp"

#include <dfs/store.hpp>

#include <poll.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/libclient/served_store.hpp"

namespace dfs {
namespace {

using std::chrono::milliseconds;
using test::ServedStore;

constexpr int kRounds = 50;

class EventLoop : public ::testing::Test {
 protected:
  [[nodiscard]] bool readable() const {
    ::pollfd bell{store_.fd(), POLLIN, 0};
    return ::poll(&bell, 1, 0) != 0;
  }
  void wait() const {
    ::pollfd bell{store_.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&bell, 1, 120'000), 1);
  }
  /// Whoever is to be rung for what was committed before this has been: the writer does that first.
  void let_the_daemon_ring() { other_.set("barrier", "1").value(); }

  ServedStore served_;
  Store store_ = served_.open();
  Store other_ = served_.open();
};

TEST_F(EventLoop, has_rest_when_the_answer_is_taken) {
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_FALSE(readable());
    Pending pending = store_.submit(Batch().set("k", "1"));
    while (!pending.ready()) wait();
    ASSERT_FALSE(readable()) << "round " << i;
    ASSERT_TRUE(pending.wait());
  }
}

TEST_F(EventLoop, has_rest_when_an_answer_is_taken_before_it_was_rung_for) {
  static_cast<void>(readable());
  for (int i = 0; i < kRounds; ++i) {
    Pending pending = store_.submit(Batch().set("k", "1"));
    while (!pending.ready()) {
    }
    let_the_daemon_ring();
    ASSERT_FALSE(readable()) << "round " << i;
  }
}

TEST_F(EventLoop, has_rest_only_when_every_answer_is_taken) {
  static_cast<void>(readable());
  std::vector<Pending> pending;
  for (int i = 0; i < 3; ++i) pending.push_back(store_.submit(Batch().set("k", "1")));
  ASSERT_TRUE(pending[2].wait(std::chrono::minutes(2)));
  // It has taken in those before it.
  for (const std::size_t i : {0U, 1U}) {
    ASSERT_TRUE(readable()) << i;
    ASSERT_TRUE(pending[i].ready());
  }
  EXPECT_FALSE(readable());
}

TEST_F(EventLoop, has_rest_when_answers_are_waited_for_or_let_go) {
  static_cast<void>(readable());
  for (int i = 0; i < kRounds; ++i) {
    {
      const Pending landed = store_.submit(Batch().set("k", "1"));
      Pending last = store_.submit(Batch().set("k", "1"));
      const Pending flying = store_.submit(Batch().set("k", "1"));
      ASSERT_TRUE(last.wait());
    }
    let_the_daemon_ring();
    ASSERT_FALSE(readable()) << "round " << i;
  }
}

TEST_F(EventLoop, has_rest_beside_calls_that_wait_for_their_own_answer) {
  static_cast<void>(readable());
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_TRUE(store_.set("k", "1"));
    let_the_daemon_ring();
    ASSERT_FALSE(readable()) << "round " << i;
  }
}

TEST_F(EventLoop, hears_of_an_answer_that_another_thread_took_and_has_rest_then) {
  for (int i = 0; i < kRounds; ++i) {
    Pending pending = store_.submit(Batch().set("k", "1"));
    std::thread leads([this] { EXPECT_TRUE(store_.set("l", "1")); });
    while (!pending.ready()) wait();
    leads.join();
    ASSERT_TRUE(pending.wait());
    let_the_daemon_ring();
    ASSERT_FALSE(readable()) << "round " << i;
  }
}

TEST_F(EventLoop, has_rest_when_the_change_is_taken) {
  Watch watch = store_.watch().value();
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_EQ(watch.next(milliseconds(0)).error(), errc::timeout);
    ASSERT_TRUE(other_.set("k", "1"));
    wait();
    while (readable()) {
      auto change = watch.next(milliseconds(0));
      if (change) continue;
      ASSERT_EQ(change.error(), errc::timeout);
    }
  }
}

TEST_F(EventLoop, has_rest_when_the_last_watch_has_gone) {
  static_cast<void>(readable());
  for (int i = 0; i < kRounds; ++i) {
    std::optional<Watch> watch = store_.watch().value();
    ASSERT_EQ(watch->next(milliseconds(0)).error(), errc::timeout);
    ASSERT_TRUE(store_.set("k", "1"));
    wait();
    watch.reset();
    ASSERT_FALSE(readable()) << "round " << i;
  }
}

TEST_F(EventLoop, has_rest_beside_a_daemon_that_died_while_nothing_is_asked_of_it) {
  ASSERT_TRUE(store_.set("k", "1"));
  ASSERT_FALSE(readable());
  served_.kill();
  EXPECT_FALSE(readable());
}

TEST_F(EventLoop, hears_of_the_death_of_a_daemon_that_owes_an_answer) {
  static_cast<void>(readable());
  served_.stop();
  Pending pending = store_.submit(Batch().set("k", "1"));
  ASSERT_FALSE(pending.ready());
  ASSERT_FALSE(readable());
  served_.replace();
  wait();
  EXPECT_TRUE(pending.wait());
}

}  // namespace
}  // namespace dfs
