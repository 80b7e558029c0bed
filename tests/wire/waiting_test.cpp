#include "common/wire/waiting.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "common/os/futex.hpp"
#include "common/wire/request_word.hpp"
#include "tests/wire/client_memory.hpp"
#include "tests/wire/watchdog.hpp"

namespace dfs::wire {
namespace {

/// The doorbell to the daemon: never read, so one that is rung while nobody sleeps ends the next
/// sleep (edge-triggered).
class EdgeBell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      edge_ = true;
    }
    rung_.notify_one();
  }
  void sleep() {
    std::unique_lock lock(mutex_);
    rung_.wait(lock, [this] { return edge_; });
    edge_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable rung_;
  bool edge_ = false;
};

/// The doorbell to a client: room for one packet, wakes as long as it is not drained (level).
class LevelBell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      packet_ = true;
    }
    rung_.notify_all();
  }
  void drain() {
    const std::lock_guard lock(mutex_);
    packet_ = false;
  }
  void sleep() {
    std::unique_lock lock(mutex_);
    rung_.wait(lock, [this] { return packet_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable rung_;
  bool packet_ = false;
};

struct Peer {
  explicit Peer(std::size_t ring) : memory(0, ring) {}
  ClientMemory memory;
  LevelBell bell;
};

enum class Bed : std::uint8_t { bell, word };

/// Daemon and clients as threads, each sleeping whenever it finds nothing; a lost wake-up is a
/// hang, which the watchdog ends.
class Traffic {
 public:
  Traffic(std::size_t clients, std::uint64_t requests, std::size_t payload, std::size_t ring,
          Bed bed = Bed::bell)
      : requests_(requests), payload_(pattern(payload, 1)), bed_(bed) {
    for (std::size_t i = 0; i < clients; ++i) peers_.push_back(std::make_unique<Peer>(ring));
  }

  /// Every request is answered; returns how often anybody slept.
  std::uint64_t run(std::uint64_t in_flight) {
    std::vector<std::thread> threads;
    threads.emplace_back([this] { daemon(); });
    for (auto& peer : peers_) {
      threads.emplace_back([this, &peer, in_flight] { client(*peer, in_flight); });
    }
    for (std::thread& thread : threads) thread.join();
    return sleeps_.load();
  }

 private:
  void wake_daemon() {
    wake_if_asleep(daemon_asleep_, [this] { daemon_bell_.ring(); });
  }

  void client(Peer& peer, std::uint64_t in_flight) {
    auto producer = peer.memory.request_producer();
    auto consumer = peer.memory.reply_consumer();
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    while (answered < requests_) {
      const std::uint64_t head = producer.given_back();
      bool moved = false;
      if (sent < requests_ && sent - answered < in_flight) {
        if (producer.room() >= payload_.size()) {
          ++sent;
          ASSERT_TRUE(submit(peer.memory.page, sent));
          ASSERT_EQ(producer.try_push(sent, payload_, kLastChunk), Push::pushed);
          wake_daemon();
          moved = true;
        }
      }
      Reply reply;
      while (consumer.next(reply) == Found::one) {
        ASSERT_EQ(reply.number, ++answered);
        free_word(peer.memory.page, reply.number);
        consumer.give_back();
        wake_daemon();
        moved = true;
      }
      if (moved || answered == requests_) continue;
      std::atomic<std::uint32_t>& asleep = peer.memory.page.asleep;
      const auto anything = [&] { return consumer.has_more() || producer.given_back() != head; };
      const bool slept =
          bed_ == Bed::word
              ? sleep_unless(
                    asleep, [] {}, anything,
                    [&] { os::sleep_at(asleep, kAsleepAtWord, std::chrono::hours(1)); },
                    kAsleepAtWord)
              : sleep_unless(
                    asleep, [&] { peer.bell.drain(); }, anything, [&] { peer.bell.sleep(); });
      if (slept) sleeps_.fetch_add(1);
    }
  }

  static void wake(Peer& peer) {
    std::atomic<std::uint32_t>& asleep = peer.memory.page.asleep;
    if (rouse(asleep, [&] { os::wake_at(asleep); })) return;
    wake_if_asleep(asleep, [&] { peer.bell.ring(); });
  }

  void daemon() {
    struct Side {
      RequestConsumer requests;
      ReplyProducer replies;
      std::uint64_t answered = 0;
    };
    std::vector<std::unique_ptr<Side>> sides;
    for (auto& peer : peers_) {
      sides.push_back(std::make_unique<Side>(
          Side{peer->memory.request_consumer(), peer->memory.reply_producer(), 0}));
    }
    std::vector<std::byte> copy(payload_.size());
    std::uint64_t left = requests_ * peers_.size();
    while (left > 0) {
      bool moved = false;
      for (std::size_t i = 0; i < sides.size(); ++i) {
        Side& side = *sides[i];
        Peer& peer = *peers_[i];
        Chunk chunk;
        if (side.requests.look(chunk) != Found::one) continue;
        if (side.replies.room(kMinFrameBytes) != Room::enough) continue;
        side.requests.copy_out(chunk, std::span(copy).first(chunk.bytes));
        ASSERT_EQ(copy, payload_);
        ASSERT_EQ(take(peer.memory.page, chunk.number), Taking::taken);
        side.requests.give_back(chunk.end);
        side.replies.prepare(committed(chunk.number, chunk.number));
        side.replies.publish_prepared();
        side.replies.release();
        wake(peer);
        --left;
        moved = true;
      }
      if (moved || left == 0) continue;
      const auto anything = [&] {
        for (auto& side : sides) {
          if (side->requests.has_more()) return true;
        }
        return false;
      };
      const bool slept = sleep_unless(
          daemon_asleep_, [] {}, anything, [&] { daemon_bell_.sleep(); });
      if (slept) sleeps_.fetch_add(1);
    }
  }

  const std::uint64_t requests_;
  const std::vector<std::byte> payload_;
  const Bed bed_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::atomic<std::uint32_t> daemon_asleep_{0};
  EdgeBell daemon_bell_;
  std::atomic<std::uint64_t> sleeps_{0};
};

TEST(Waiting, no_wake_up_is_lost_when_each_waits_for_the_other) {
  const Watchdog watchdog("one request at a time");
  Traffic traffic(2, 8'000, 200, kRequestRingBytes);
  EXPECT_GT(traffic.run(1), 0U) << "nobody ever slept: this run proved nothing";
}

TEST(Waiting, no_wake_up_is_lost_when_the_request_ring_is_full) {
  const Watchdog watchdog("a full request ring");
  Traffic traffic(2, 500, 60'000, std::size_t{128} << 10);
  EXPECT_GT(traffic.run(1000), 0U) << "nobody ever slept: this run proved nothing";
}

TEST(Waiting, no_wake_up_is_lost_with_thousands_in_flight) {
  const Watchdog watchdog("thousands in flight");
  Traffic traffic(2, 20'000, 100, kRequestRingBytes);
  traffic.run(kMaxInFlight);
}

TEST(Waiting, no_wake_up_is_lost_at_the_word) {
  const Watchdog watchdog("one request at a time, asleep at the word");
  Traffic traffic(2, 8'000, 200, kRequestRingBytes, Bed::word);
  EXPECT_GT(traffic.run(1), 0U) << "nobody ever slept: this run proved nothing";
}

TEST(Waiting, no_wake_up_is_lost_at_the_word_with_thousands_in_flight) {
  const Watchdog watchdog("thousands in flight, asleep at the word");
  Traffic traffic(2, 20'000, 100, kRequestRingBytes, Bed::word);
  traffic.run(kMaxInFlight);
}

TEST(Waiting, drains_before_it_says_asleep_and_looks_after) {
  std::atomic<std::uint32_t> asleep{0};
  std::string steps;
  const auto note = [&](const char* what) {
    steps += what;
    steps += asleep.load() == 0 ? "0 " : "1 ";
  };
  EXPECT_TRUE(sleep_unless(
      asleep, [&] { note("drain"); }, [&] { return note("look"), false; }, [&] { note("sleep"); }));
  EXPECT_EQ(steps, "drain0 look1 sleep1 ");
  EXPECT_EQ(asleep.load(), 0U);
  EXPECT_FALSE(sleep_unless(
      asleep, [] {}, [] { return true; }, [&] { note("never"); }));
  EXPECT_EQ(asleep.load(), 0U);
}

TEST(Waiting, who_is_awake_is_not_rung) {
  std::atomic<std::uint32_t> asleep{0};
  int rings = 0;
  wake_if_asleep(asleep, [&] { ++rings; });
  EXPECT_EQ(rings, 0);
  asleep = 1;
  wake_if_asleep(asleep, [&] { ++rings; });
  EXPECT_EQ(rings, 1);
}

TEST(Waiting, who_sleeps_for_replies_is_rung_for_room_once_somebody_wants_it) {
  std::atomic<std::uint32_t> asleep{kAsleepForReplies};
  int rings = 0;
  const auto ring = [&] { ++rings; };
  wake_if_asleep_for_room(asleep, ring);
  EXPECT_EQ(rings, 0);
  wake_if_asleep(asleep, ring);
  EXPECT_EQ(rings, 1) << "for a reply";
  wants_room(asleep);
  wake_if_asleep_for_room(asleep, ring);
  EXPECT_EQ(rings, 2);
  asleep = 0;
  wants_room(asleep);
  EXPECT_EQ(asleep.load(), 0U) << "who is awake stays so";
}

TEST(Waiting, of_several_who_rouse_one_wakes_and_only_who_sleeps_at_the_word) {
  std::atomic<std::uint32_t> asleep{kAsleepAtWord};
  int wakes = 0;
  const auto wake = [&] {
    EXPECT_EQ(asleep.load(), 0U) << "who is about to sleep finds the word changed";
    ++wakes;
  };
  EXPECT_TRUE(rouse(asleep, wake));
  EXPECT_FALSE(rouse(asleep, wake));
  EXPECT_EQ(wakes, 1);
  for (const std::uint32_t word : {kAsleep, kAsleepForReplies, 4U, 0xffffffffU}) {
    asleep = word;
    EXPECT_FALSE(rouse(asleep, wake)) << "that one is rung";
    EXPECT_EQ(asleep.load(), word);
  }
}

TEST(Waiting, who_sleeps_at_the_word_is_not_rung_for_room) {
  std::atomic<std::uint32_t> asleep{kAsleepAtWord};
  wants_room(asleep);
  EXPECT_EQ(asleep.load(), kAsleepAtWord);
  wake_if_asleep_for_room(asleep, [] { ADD_FAILURE() << "rung"; });
}

}  // namespace
}  // namespace dfs::wire
