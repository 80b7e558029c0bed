#include "common/wire/reply_ring.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <thread>

#include "tests/wire/client_memory.hpp"
#include "tests/wire/watchdog.hpp"

namespace dfs::wire {
namespace {

constexpr std::uint64_t kFar = std::uint64_t{1} << 45;

Refusal disk_full() {
  Refusal refusal;
  refusal.code = errc::store_full;
  refusal.rule = Rule::disk_full;
  refusal.system_errno = 28;
  return refusal;
}

Refusal mismatch(std::string_view key) {
  Refusal refusal;
  refusal.code = errc::version_mismatch;
  refusal.subject = Subject::check;
  refusal.index = 3;
  refusal.version = 17;
  refusal.limit = 18;
  refusal.offset = 19;
  refusal.key = key;
  return refusal;
}

TEST(ReplyRing, reply_is_not_seen_before_it_is_released) {
  ClientMemory memory(kFar);
  auto producer = memory.reply_producer();
  auto consumer = memory.reply_consumer();
  const std::uint64_t versions[] = {1, 0, 7};
  ASSERT_EQ(producer.room(kMinFrameBytes), Room::enough);
  producer.prepare(committed(5, 1042, versions));
  Reply reply;
  EXPECT_EQ(consumer.next(reply), Found::nothing);
  EXPECT_EQ(consumer.prepared_sequence(5), std::nullopt) << "the end has not moved";
  producer.publish_prepared();
  EXPECT_EQ(consumer.next(reply), Found::nothing);
  EXPECT_FALSE(consumer.has_more());
  EXPECT_EQ(consumer.prepared_sequence(5), 1042U);
  EXPECT_EQ(consumer.prepared_sequence(6), std::nullopt);
  producer.release();
  EXPECT_TRUE(consumer.has_more());
  ASSERT_EQ(consumer.next(reply), Found::one);
  EXPECT_EQ(reply.kind, ReplyKind::committed);
  EXPECT_EQ(reply.number, 5U);
  EXPECT_EQ(reply.commitment.sequence, 1042U);
  EXPECT_TRUE(std::equal(std::begin(versions), std::end(versions),
                         reply.commitment.versions.begin(), reply.commitment.versions.end()));
  EXPECT_EQ(consumer.next(reply), Found::nothing);
  EXPECT_FALSE(consumer.has_more());
}

TEST(ReplyRing, what_is_released_counts_as_prepared_too) {
  // A batch that wrote nothing is released without having been published as prepared.
  ClientMemory memory(kFar);
  auto producer = memory.reply_producer();
  for (std::uint64_t number = 1; number <= 3; ++number) {
    ASSERT_EQ(producer.room(kMinFrameBytes), Room::enough);
    producer.prepare(refused(number, disk_full()));
    producer.release();
    EXPECT_GT(memory.header.released, kFar);
    EXPECT_EQ(memory.header.prepared, memory.header.released);
  }
}

TEST(ReplyRing, refusal_keeps_every_figure_and_its_key) {
  ClientMemory memory(kFar);
  auto producer = memory.reply_producer();
  auto consumer = memory.reply_consumer();
  const std::string key(kMaxKeyBytes, 'k');
  const Refusal sent = mismatch(key);
  ASSERT_EQ(producer.room(frame_bytes(refused(9, sent))), Room::enough);
  producer.prepare(refused(9, sent));
  producer.release();
  Reply reply;
  ASSERT_EQ(consumer.next(reply), Found::one);
  EXPECT_EQ(reply.kind, ReplyKind::refused);
  EXPECT_EQ(reply.number, 9U);
  EXPECT_EQ(reply.refusal.code, errc::version_mismatch);
  EXPECT_EQ(reply.refusal.subject, Subject::check);
  EXPECT_EQ(reply.refusal.index, 3U);
  EXPECT_EQ(reply.refusal.version, 17U);
  EXPECT_EQ(reply.refusal.limit, 18U);
  EXPECT_EQ(reply.refusal.offset, 19U);
  EXPECT_EQ(reply.refusal.key, key);
}

TEST(ReplyRing, dead_daemon_leaves_its_prepared_commits_and_only_those) {
  ClientMemory memory(kFar - kMinFrameBytes);
  std::uint64_t next = 1;
  {
    auto producer = memory.reply_producer();
    const auto prepare = [&](const Reply& reply) {
      ASSERT_EQ(producer.room(frame_bytes(reply)), Room::enough);
      producer.prepare(reply);
    };
    const std::uint64_t versions[] = {8, 9};
    prepare(committed(next++, 50));
    producer.release();
    prepare(committed(next++, 51, versions));
    prepare(refused(next++, mismatch(std::string(300, 'k'))));
    prepare(committed(next++, 0));  // wrote nothing: nothing to ask about
    Reply many = committed(next++, 52);
    many.commitment.versions_left_out = true;
    prepare(many);
    producer.publish_prepared();
    prepare(committed(next++, 53));  // killed before the end was moved
  }
  auto consumer = memory.reply_consumer();
  Reply reply;
  ASSERT_EQ(consumer.next(reply), Found::one);
  EXPECT_EQ(reply.commitment.sequence, 50U);
  ASSERT_EQ(consumer.next(reply), Found::nothing);
  const auto commits = consumer.prepared_commits();
  ASSERT_EQ(commits.size(), 2U);
  EXPECT_EQ(commits[0].number, 2U);
  EXPECT_EQ(commits[0].sequence, 51U);
  EXPECT_EQ(commits[0].versions, (std::vector<std::uint64_t>{8, 9}));
  EXPECT_EQ(commits[1].sequence, 52U);
  EXPECT_TRUE(commits[1].versions_left_out);
}

TEST(ReplyRing, ring_holds_a_short_reply_for_each_request_in_flight) {
  ClientMemory memory(kFar);
  auto producer = memory.reply_producer();
  const std::uint64_t version = 4;
  for (std::uint64_t n = 1; n <= kMaxInFlight; ++n) {
    ASSERT_EQ(producer.room(reply_bound(1, 0)), Room::enough) << n;
    producer.prepare(committed(n, n, {&version, 1}));
  }
  EXPECT_EQ(producer.room(kMinFrameBytes), Room::wait);
  producer.release();
  auto consumer = memory.reply_consumer();
  Reply reply;
  for (std::uint64_t n = 1; n <= kMaxInFlight; ++n) {
    ASSERT_EQ(consumer.next(reply), Found::one);
    ASSERT_EQ(reply.number, n);
  }
  EXPECT_EQ(producer.room(kMinFrameBytes), Room::wait) << "nothing was given back";
  consumer.give_back();
  EXPECT_EQ(producer.room(kMinFrameBytes), Room::enough);
}

TEST(ReplyRing, bound_covers_every_reply_to_such_a_request) {
  for (const std::size_t writes : {0, 1, 4, 5, 63, 64, 65, 100'000}) {
    for (const std::size_t key : {0, 1, 8, 9, 4096}) {
      const std::vector<std::uint64_t> versions(std::min<std::size_t>(writes, kMaxReplyVersions));
      const std::string longest(key, 'k');
      EXPECT_GE(reply_bound(writes, key), frame_bytes(committed(1, 1, versions)));
      EXPECT_GE(reply_bound(writes, key), frame_bytes(refused(1, mismatch(longest))));
      EXPECT_LE(reply_bound(writes, key), kMaxFrameBytes);
    }
  }
}

TEST(ReplyRing, position_that_goes_back_or_too_far_drops_the_client) {
  const auto judge = [](std::uint64_t first, std::uint64_t second) {
    ClientMemory memory(kFar);
    auto producer = memory.reply_producer();
    const std::string key(kMaxKeyBytes, 'k');
    Room room = Room::enough;
    const auto fill = [&] {
      while ((room = producer.room(kMaxFrameBytes)) == Room::enough) {
        producer.prepare(refused(1, mismatch(key)));
        producer.release();
      }
    };
    memory.page.reply_position = kFar;
    fill();
    EXPECT_EQ(room, Room::wait);
    memory.page.reply_position = first;
    fill();
    if (room == Room::broken) return room;
    memory.page.reply_position = second;
    fill();
    return room;
  };
  const std::uint64_t released = kFar + kReplyRingBytes - kReplyRingBytes % kMaxFrameBytes;
  EXPECT_EQ(judge(kFar, kFar), Room::wait);
  EXPECT_EQ(judge(released, released), Room::wait);
  EXPECT_EQ(judge(released + 8, 0), Room::broken) << "past the released end";
  EXPECT_EQ(judge(kFar - 8, 0), Room::broken) << "back";
  EXPECT_EQ(judge(released, released - 8), Room::broken) << "back, later";
  EXPECT_EQ(judge(~std::uint64_t{0}, 0), Room::broken);
}

TEST(ReplyRing, who_has_read_what_is_only_prepared_is_dropped) {
  ClientMemory memory(kFar);
  auto producer = memory.reply_producer();
  const std::string key(kMaxKeyBytes, 'k');
  std::uint64_t released = 0;
  while (producer.room(kMaxFrameBytes) == Room::enough) {
    producer.prepare(refused(1, mismatch(key)));
    if (released == 0) producer.release();
    if (released == 0) released = memory.header.released;
  }
  producer.publish_prepared();
  memory.page.reply_position = released;
  EXPECT_EQ(producer.room(kMaxFrameBytes), Room::enough) << "all that was released was read";
  producer.prepare(refused(1, mismatch(key)));
  memory.page.reply_position = released + frame_bytes(mismatch(key));
  EXPECT_EQ(producer.room(kMaxFrameBytes), Room::broken) << "nobody let it read that";
}

TEST(ReplyRing, any_replies_cross_in_order_at_every_place) {
  const bool ok = rc::check("frames of any size, released in any groups", [] {
    const auto start = *rc::gen::inRange<std::uint64_t>(0, kReplyRingBytes / 64);
    ClientMemory memory(kFar + 64 * start);
    auto producer = memory.reply_producer();
    auto consumer = memory.reply_consumer();
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    const auto keys = std::string(kMaxKeyBytes, 'k');
    struct Sent {
      std::uint64_t number;
      std::size_t size;
      bool commit;
    };
    std::deque<Sent> sent;
    std::uint64_t number = 0;
    std::size_t waited = 0;
    const std::vector<std::uint64_t> versions(kMaxReplyVersions, 5);
    for (int step = 0; step < 2000; ++step) {
      const bool commit = random() % 2 == 0;
      const std::size_t size = commit ? random() % (kMaxReplyVersions + 1)
                                      : random() % (kMaxKeyBytes + 1) / (1 + random() % 64);
      const Reply reply =
          commit ? committed(number + 1, number + 1000, std::span(versions).first(size))
                 : refused(number + 1, mismatch(std::string_view(keys).substr(0, size)));
      const Room room = producer.room(frame_bytes(reply));
      RC_ASSERT(room != Room::broken);
      if (room == Room::enough) {
        producer.prepare(reply);
        sent.push_back({++number, size, commit});
      } else {
        ++waited;
      }
      if (room == Room::wait || random() % 8 == 0) producer.release();
      Reply got;
      while ((room == Room::wait || random() % 16 == 0) && consumer.next(got) == Found::one) {
        RC_ASSERT(got.number == sent.front().number);
        RC_ASSERT((got.kind == ReplyKind::committed) == sent.front().commit);
        RC_ASSERT(sent.front().size ==
                  (sent.front().commit ? got.commitment.versions.size() : got.refusal.key.size()));
        sent.pop_front();
        consumer.give_back();
      }
    }
    RC_CLASSIFY(waited > 0, "filled the ring");
  });
  EXPECT_TRUE(ok);
}

TEST(ReplyRing, garbage_from_another_program_is_found_broken_or_read_within_bounds) {
  std::mt19937_64 random(4);
  std::size_t broken = 0;
  for (int round = 0; round < 1000; ++round) {
    ClientMemory memory(kFar, std::size_t{128} << 10);
    {
      auto producer = memory.reply_producer();
      for (std::uint64_t n = 1; n <= 20; ++n) {
        ASSERT_EQ(producer.room(200), Room::enough);
        if (n % 2 == 0) producer.prepare(committed(n, n));
        if (n % 2 == 1) producer.prepare(refused(n, mismatch("key")));
        if (n == 10) producer.release();
      }
      producer.publish_prepared();
    }
    const std::size_t flips = 1 + random() % 8;
    for (std::size_t i = 0; i < flips; ++i) {
      auto& byte = memory.data[random() % 1500];
      byte ^= static_cast<std::byte>(1 + random() % 255);
    }
    if (round % 4 == 0) memory.header.released = random();
    if (round % 4 == 1) memory.header.prepared = kFar + random() % (4 * kReplyRingBytes);
    auto consumer = memory.reply_consumer();
    Reply reply;
    Found found = Found::one;
    std::size_t frames = 0;
    while ((found = consumer.next(reply)) == Found::one) {
      ++frames;
      if (reply.kind == ReplyKind::refused) {
        ASSERT_LE(reply.refusal.key.size(), kMaxKeyBytes);
        static_cast<void>(std::count(reply.refusal.key.begin(), reply.refusal.key.end(), 'k'));
        static_cast<void>(to_error(reply.refusal).text());
      }
    }
    ASSERT_LE(frames, kReplyRingBytes / kMinFrameBytes);
    if (found == Found::broken) {
      ++broken;
      EXPECT_EQ(consumer.next(reply), Found::broken) << "it stays broken";
    }
    static_cast<void>(consumer.prepared_commits());
    static_cast<void>(consumer.prepared_sequence(12));
  }
  EXPECT_GT(broken, 100U);
}

TEST(ReplyRing, dropped_client_learns_why_and_keeps_what_was_released) {
  ClientMemory memory;
  auto producer = memory.reply_producer();
  auto consumer = memory.reply_consumer();
  EXPECT_EQ(consumer.dropped(), DropReason::none);
  ASSERT_EQ(producer.room(kMinFrameBytes), Room::enough);
  producer.prepare(committed(1, 5));
  producer.release();
  producer.drop(DropReason::bad_chunk);
  EXPECT_EQ(consumer.dropped(), DropReason::bad_chunk);
  Reply reply;
  EXPECT_EQ(consumer.next(reply), Found::one);
}

TEST(ReplyRing, two_threads_pass_and_peek_while_batches_are_refused) {
  const Watchdog watchdog("replies between two threads");
  constexpr std::uint64_t kReplies = 30'000;
  ClientMemory memory(kFar - 640);
  std::thread daemon([&] {
    auto producer = memory.reply_producer();
    for (std::uint64_t n = 1; n <= kReplies;) {
      std::uint64_t batch = 0;
      for (; batch < 1 + n % 7 && n <= kReplies; ++batch, ++n) {
        while (producer.room(kMinFrameBytes) != Room::enough) {
          producer.release();
          std::this_thread::yield();
        }
        producer.prepare(committed(n, n + 1'000'000));
      }
      producer.publish_prepared();
      if (n % 3 == 0) producer.overwrite_prepared_with(disk_full());
      producer.release();
    }
  });
  auto consumer = memory.reply_consumer();
  Reply reply;
  std::uint64_t refusals = 0;
  for (std::uint64_t n = 1; n <= kReplies;) {
    // A client at its timeout looks into the unreleased part of a living daemon's ring.
    if (const auto sequence = consumer.prepared_sequence(n)) {
      ASSERT_EQ(*sequence, n + 1'000'000);
    }
    const Found found = consumer.next(reply);
    ASSERT_NE(found, Found::broken);
    if (found == Found::nothing) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(reply.number, n);
    if (reply.kind == ReplyKind::refused) {
      ++refusals;
      ASSERT_EQ(reply.refusal.code, errc::store_full);
    }
    consumer.give_back();
    ++n;
  }
  daemon.join();
  EXPECT_GT(refusals, 0U);
}

}  // namespace
}  // namespace dfs::wire
