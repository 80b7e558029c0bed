// Who watches is rung for each publish: at once, or when the time of rest is over.
#include "daemon/watchers.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "common/os/futex.hpp"
#include "common/os/poller.hpp"
#include "common/wire/client_page.hpp"
#include "common/wire/waiting.hpp"

namespace dfs::daemon {
namespace {

/// A client that sleeps at its bell, from both sides.
class SleepingClient {
 public:
  explicit SleepingClient(std::uint64_t connection, const os::ForkMark& mark) {
    ClientIdentity identity;
    identity.connection = connection;
    session_ = Session::make(std::move(identity), {}, mark).value();
    const Session::Handover handover = session_->handover();
    for (std::size_t i = 0; i < handover.names.size(); ++i) {
      if (handover.names[i] == wire::Descriptor::bell) bell_ = handover.descriptors[i];
      if (handover.names[i] != wire::Descriptor::client_page) continue;
      mapping_ = os::Mapping::map(handover.descriptors[i],
                                  {kClientPageBytes, os::Mapping::Access::write}, mark)
                     .value();
    }
    page().watching = 1;
    page().asleep = 1;
  }
  [[nodiscard]] const std::shared_ptr<Session>& session() const { return session_; }
  [[nodiscard]] wire::ClientPage& page() {
    return wire::client_page_at({mapping_->data(), kClientPageBytes});
  }
  /// Whether it was rung since it was asked last.
  [[nodiscard]] bool was_rung() const {
    const bool rung = os::wait_readable(bell_, os::Deadline::after(std::chrono::nanoseconds(0)));
    static_cast<void>(os::drain_bell(bell_));
    return rung;
  }

 private:
  std::shared_ptr<Session> session_;
  int bell_ = -1;
  std::unique_ptr<os::Mapping> mapping_;
};

class WatchersTest : public testing::Test {
 protected:
  WatchersTest() {
    index::open_control_page(*page_, {});
    index::open_generation(*page_, 1);
    index::make_current(*page_, 1);
  }
  void publish(std::uint64_t sequence) {
    index::slot_of(*page_, 1).published.store(sequence, std::memory_order_seq_cst);
  }
  void rest() {
    while (!watchers_.next().passed()) std::this_thread::yield();
    watchers_.on_time();
  }

  os::ForkMark mark_;
  const std::unique_ptr<index::ControlPage> page_ = std::make_unique<index::ControlPage>();
  bool told_ = false;  // whether the writer is to tell of publishes
  Watchers watchers_{*page_, [this](bool on) { told_ = on; }};
};

TEST_F(WatchersTest, a_publish_while_it_is_deaf_is_rung_for_afterwards) {
  SleepingClient client(1, mark_);
  watchers_.add(client.session());
  EXPECT_TRUE(told_);
  publish(1);
  watchers_.on_news();
  EXPECT_TRUE(client.was_rung());
  EXPECT_FALSE(told_) << "between two rings a publish costs the writer nothing";
  publish(2);
  watchers_.on_news();
  EXPECT_FALSE(client.was_rung()) << "once a millisecond at the most";
  rest();
  EXPECT_TRUE(client.was_rung()) << "nobody tells of it but its own look";
}

TEST_F(WatchersTest, a_switch_is_rung_for_though_nothing_is_published_in_it) {
  SleepingClient client(1, mark_);
  watchers_.add(client.session());
  publish(1);
  watchers_.on_news();
  EXPECT_TRUE(client.was_rung());
  rest();
  index::open_generation(*page_, 2);
  index::slot_of(*page_, 2).published.store(1, std::memory_order_seq_cst);
  index::make_current(*page_, 2);
  watchers_.on_news();
  EXPECT_TRUE(client.was_rung()) << "who sleeps on holds the old generation";
}

TEST_F(WatchersTest, while_nothing_is_published_it_waits_for_nothing) {
  SleepingClient client(1, mark_);
  watchers_.add(client.session());
  publish(1);
  watchers_.on_news();
  EXPECT_TRUE(client.was_rung());
  rest();
  EXPECT_FALSE(client.was_rung());
  EXPECT_TRUE(told_);
  EXPECT_GT(watchers_.next().left(), std::chrono::minutes(1)) << "no time of its own";
  watchers_.on_news();
  EXPECT_FALSE(client.was_rung()) << "other news";
}

TEST_F(WatchersTest, who_is_awake_is_left_alone_and_who_watches_no_more_is_forgotten) {
  SleepingClient awake(1, mark_);
  SleepingClient gone(2, mark_);
  awake.page().asleep = 0;
  watchers_.add(awake.session());
  watchers_.add(gone.session());
  gone.page().watching = 0;
  publish(1);
  watchers_.on_news();
  EXPECT_FALSE(awake.was_rung());
  EXPECT_FALSE(gone.was_rung());
  gone.page().watching = 1;  // without a word to the daemon
  rest();
  publish(2);
  watchers_.on_news();
  EXPECT_FALSE(gone.was_rung());
  watchers_.remove(1);
  EXPECT_FALSE(told_) << "nobody watches";
}

TEST_F(WatchersTest, who_sleeps_at_the_word_in_its_page_is_woken_there_and_not_rung) {
  SleepingClient client(1, mark_);
  client.page().asleep = wire::kAsleepAtWord;
  watchers_.add(client.session());
  publish(1);
  std::thread sleeper([&] {
    std::atomic<std::uint32_t>& word = client.page().asleep;
    while (word == wire::kAsleepAtWord) {
      os::sleep_at(word, wire::kAsleepAtWord, std::chrono::hours(1));
    }
  });
  watchers_.on_news();
  sleeper.join();
  EXPECT_EQ(client.page().asleep.load(), 0U);
  EXPECT_FALSE(client.was_rung());
}

}  // namespace
}  // namespace dfs::daemon
