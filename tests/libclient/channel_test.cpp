// Giving up: what was withdrawn is never written, and what was taken is known in the end.
#include "libclient/channel.hpp"

#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/libclient/served_store.hpp"

namespace dfs {
namespace {

using std::chrono::milliseconds;
using test::ServedStore;

class ChannelTest : public ::testing::Test {
 protected:
  /// Fails the test unless as many commits can be in flight as ever.
  void expect_all_words_free() {
    std::vector<Pending> flying;
    for (std::size_t i = 0; i < kMaxInFlight; ++i) {
      flying.push_back(store_.submit(Batch().set("w", "1")));
    }
    for (Pending& pending : flying) {
      const auto outcome = pending.wait();
      ASSERT_TRUE(outcome) << outcome.error().text();
    }
  }

  ServedStore served_;
  Store store_ = served_.open();
};

TEST_F(ChannelTest, a_commit_that_a_stopped_daemon_did_not_take_is_withdrawn_and_never_written) {
  served_.stop();
  const auto outcome = store_.set("k", "1", {.timeout = milliseconds(50)});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::timeout);
  EXPECT_TRUE(outcome.error().nothing_was_written());
  EXPECT_TRUE(outcome.error().worth_retrying());
  served_.go_on();
  // Behind it in the same ring, so it has been passed over by now.
  EXPECT_EQ(store_.set("l", "1")->sequence, 1U);
  EXPECT_EQ(store_.get("k").error(), errc::absent);
}

TEST_F(ChannelTest, what_a_living_daemon_has_not_taken_is_withdrawn_by_close_and_never_written) {
  Store other = served_.open();
  const Admin admin(other);
  served_.stop();
  Pending pending = store_.submit(Batch().set("k", "1"));
  store_.close();
  const auto outcome = pending.wait();
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::closed);
  EXPECT_TRUE(outcome.error().nothing_was_written());
  served_.go_on();
  while (admin.info()->find("\"clients\":1,") == std::string::npos) {
  }
  EXPECT_EQ(other.set("l", "1")->sequence, 1U);
  EXPECT_EQ(other.get("k").error(), errc::absent);
}

TEST_F(ChannelTest, what_a_living_daemon_has_taken_is_unknown_behind_close_and_written) {
  served_.replace("stop@taken:1");
  Store store = served_.open();
  Pending pending = store.submit(Batch().set("k", "1"));
  int status = 0;
  ASSERT_EQ(::waitpid(served_.daemon().pid(), &status, WUNTRACED), served_.daemon().pid());
  ASSERT_TRUE(WIFSTOPPED(status));
  store.close();
  const auto outcome = pending.wait();
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::unknown);
  EXPECT_FALSE(outcome.error().nothing_was_written());
  served_.go_on();
  Store other = served_.open();
  ASSERT_TRUE(other.set("l", "1"));  // behind it, so it has happened by now
  EXPECT_EQ(other.get("k")->value, "1");
}

TEST_F(ChannelTest, words_of_withdrawn_commits_are_used_again) {
  for (int round = 0; round < 3; ++round) {
    served_.stop();
    std::vector<Pending> flying;
    for (int i = 0; i < 2000; ++i) {
      flying.push_back(store_.submit(Batch().set("k", "1"), {.timeout = milliseconds(1)}));
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(store_.set("l", "1", {.timeout = milliseconds(1)}).error(), errc::timeout);
    }
    served_.go_on();
    for (Pending& pending : flying) EXPECT_TRUE(pending.wait().has_value());
  }
  EXPECT_EQ(store_.get("k")->version, 6000U);
  EXPECT_EQ(store_.get("l").error(), errc::absent);
  expect_all_words_free();
}

TEST_F(ChannelTest, who_waits_for_room_when_the_daemon_dies_hears_of_it_like_the_others) {
  const std::string value = '"' + std::string(std::size_t{4} << 20, 'x') + '"';
  for (int round = 0; round < 10; ++round) {
    Options options = ServedStore::options();
    options.wait_for_daemon = milliseconds(0);
    Store store = served_.open(options);
    served_.stop();
    Pending first = store.submit(Batch().set("k", "1"));
    std::thread leader([&] { EXPECT_EQ(first.wait().error(), errc::daemon_gone); });
    std::thread pusher([&] { EXPECT_FALSE(store.set("big", value)); });
    std::this_thread::yield();
    served_.kill();
    leader.join();
    pusher.join();
    served_.serve();
  }
}

TEST_F(ChannelTest, the_longest_timeout_there_is_is_for_ever) {
  Options options = ServedStore::options();
  options.timeout = milliseconds::max();
  options.wait_for_daemon = milliseconds::max();
  Store store = served_.open(options);
  EXPECT_TRUE(store.set("k", "1"));
  EXPECT_TRUE(store.set("k", "2", {.timeout = milliseconds::max()}));
  EXPECT_TRUE(store.submit(Batch().set("k", "3")).wait());
  EXPECT_TRUE(Admin(store).compact(milliseconds::max()));
}

TEST_F(ChannelTest, one_given_up_in_the_middle_of_a_long_request_leaves_the_ring_in_order) {
  served_.stop();
  const std::string value = '"' + std::string(std::size_t{4} << 20, 'x') + '"';
  const auto outcome = store_.set("big", value, {.timeout = milliseconds(50)});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::timeout);
  served_.go_on();
  EXPECT_EQ(store_.set("after", "1")->sequence, 1U);
  EXPECT_EQ(store_.get("big").error(), errc::absent);
  EXPECT_EQ(store_.set("big", value)->version, 1U);
  EXPECT_EQ(store_.get("big")->value, value);
  expect_all_words_free();
}

TEST_F(ChannelTest, a_daemon_that_lacks_room_for_replies_is_told_of_it) {
  served_.stop();
  // Less than the one ring holds; with its key in each refusal, more than the other does. Nothing
  // is written, so nothing else wakes the daemon.
  std::vector<Pending> flying;
  for (int i = 0; i < 600; ++i) {
    const std::string key = std::string(1'000, 'k') + std::to_string(i);
    flying.push_back(store_.submit(Batch().set(key, "1", expect_present)));
  }
  served_.go_on();
  // Nobody takes a reply before the daemon has filled most of the ring.
  const std::string many = R"("refusals":2)";
  while (Admin(store_).info()->find(many) == std::string::npos) std::this_thread::yield();
  for (Pending& pending : flying) {
    const auto outcome = pending.wait();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error(), errc::version_mismatch) << outcome.error().text();
  }
}

TEST_F(ChannelTest, waiting_for_a_while_withdraws_nothing) {
  served_.stop();
  Pending pending = store_.submit(Batch().set("k", "1"));
  EXPECT_FALSE(pending.ready());
  EXPECT_FALSE(pending.wait(milliseconds(20)));
  served_.go_on();
  EXPECT_TRUE(pending.wait(std::chrono::minutes(2)));
  EXPECT_TRUE(pending.wait().has_value());
}

TEST_F(ChannelTest, who_waits_for_long_does_not_wake_meanwhile) {
  const auto wakes = [] {
    ::rusage usage{};
    EXPECT_EQ(::getrusage(RUSAGE_THREAD, &usage), 0);
    return usage.ru_nvcsw;
  };
  served_.stop();
  Pending pending = store_.submit(Batch().set("k", "1"));
  const long before = wakes();
  EXPECT_FALSE(pending.wait(milliseconds(300)));
  // Once at the word, once at the bell.
  EXPECT_LT(wakes() - before, 10);
  served_.go_on();
  EXPECT_TRUE(pending.wait().has_value());
}

TEST_F(ChannelTest, the_death_of_a_daemon_that_owes_an_answer_is_heard_of) {
  for (int round = 0; round < 5; ++round) {
    served_.stop();
    Pending pending = store_.submit(Batch().set("k", "1"));
    std::thread waits([&] {
      const auto outcome = pending.wait();
      // Heard of before there was another.
      if (outcome) return;
      EXPECT_TRUE(outcome.error() == errc::daemon_gone || outcome.error() == errc::no_daemon)
          << outcome.error().text();
    });
    served_.replace();
    waits.join();
    EXPECT_TRUE(store_.set("l", "1").has_value()) << "it knows the successor";
  }
}

TEST_F(ChannelTest, who_waits_for_room_gets_it_while_another_sleeps_for_a_reply) {
  served_.stop();
  std::thread sleeps([this] { EXPECT_TRUE(store_.set("k", "1").has_value()); });
  // More than the ring holds.
  const std::string value = '"' + std::string(std::size_t{3} << 20, 'x') + '"';
  std::thread waits([&] { EXPECT_TRUE(store_.set("big", value).has_value()); });
  served_.go_on();
  sleeps.join();
  waits.join();
  EXPECT_EQ(store_.get("big")->value, value);
}

TEST_F(ChannelTest, who_waits_for_room_gets_it_while_another_sleeps_for_news) {
  constexpr int kCommits = 20;
  Watch watch = store_.watch().value();
  std::thread watches([&] {
    for (int i = 0; i < kCommits; ++i) {
      EXPECT_TRUE(watch.next(std::chrono::minutes(2)).has_value());
    }
  });
  // More than the ring holds, and news only when all of it is there.
  const std::string value = '"' + std::string(std::size_t{3} << 20, 'x') + '"';
  for (int i = 0; i < kCommits; ++i) EXPECT_TRUE(store_.set("big", value).has_value());
  watches.join();
}

TEST_F(ChannelTest, who_gives_up_leaves_the_bell_to_another) {
  served_.stop();
  std::thread gives_up([this] {
    EXPECT_EQ(store_.set("k", "1", {.timeout = milliseconds(300)}).error(), errc::timeout);
  });
  std::thread waits([this] { EXPECT_TRUE(store_.set("l", "1").has_value()); });
  gives_up.join();
  served_.go_on();
  waits.join();
}

TEST_F(ChannelTest, a_commit_that_was_taken_and_not_answered_in_time_is_unknown_and_resolved) {
  served_.replace("stop@appended:1");
  const auto outcome = store_.set("k", "1", {.timeout = milliseconds(500)});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), errc::unknown);
  EXPECT_FALSE(outcome.error().nothing_was_written());
  const std::string commit(outcome.error().commit());
  EXPECT_FALSE(commit.empty());
  served_.go_on();
  EXPECT_EQ(store_.resolve(commit).value(), Resolution::committed);
  EXPECT_EQ(store_.get("k")->value, "1");
  EXPECT_EQ(store_.set("k", "2")->version, 2U);
}

TEST_F(ChannelTest, an_unknown_commit_is_resolved_by_the_successor) {
  served_.replace("stop@prepared:1");
  const auto outcome = store_.set("k", "1", {.timeout = milliseconds(500)});
  ASSERT_FALSE(outcome.has_value());
  ASSERT_EQ(outcome.error(), errc::unknown);
  const std::string commit(outcome.error().commit());
  served_.replace();
  EXPECT_EQ(store_.resolve(commit).value(), Resolution::not_committed);
  EXPECT_EQ(store_.get("k").error(), errc::absent);
}

TEST_F(ChannelTest, a_dropped_pending_goes_its_way) {
  static_cast<void>(store_.submit(Batch().set("k", "1")));
  store_.set("l", "1").value();
  EXPECT_EQ(store_.get("k")->value, "1");
}

TEST_F(ChannelTest, long_and_short_requests_of_many_threads_share_the_ring) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      const std::size_t size = t % 2 == 0 ? 10 : std::size_t{3} << 19;
      const std::string value = '"' + std::string(size, static_cast<char>('a' + t)) + '"';
      for (int i = 0; i < 10; ++i) {
        const auto outcome = store_.set("k" + std::to_string(t), value);
        EXPECT_TRUE(outcome.has_value()) << outcome.error().text();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 4; ++t) {
    const auto value = store_.get("k" + std::to_string(t)).value();
    EXPECT_EQ(value.version, 10U);
    EXPECT_EQ(value.value[1], static_cast<char>('a' + t));
  }
}

}  // namespace
}  // namespace dfs
