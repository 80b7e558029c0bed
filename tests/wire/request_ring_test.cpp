#include "common/wire/request_ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "common/wire/request_word.hpp"
#include "tests/wire/client_memory.hpp"
#include "tests/wire/watchdog.hpp"

namespace dfs::wire {
namespace {

constexpr std::size_t kSmallRing = std::size_t{128} << 10;
/// Positions far beyond any capacity, as after a long life.
constexpr std::uint64_t kFar = (std::uint64_t{1} << 45);

// ThreadSanitizer looks at every byte copied; what one thread does alone is tried thinly there.
#if defined(__SANITIZE_THREAD__)
constexpr std::size_t kThin = 16;
#else
constexpr std::size_t kThin = 1;
#endif

/// One chunk through a ring whose ends both stand at `start`.
::testing::AssertionResult crosses(ClientMemory& memory, std::uint64_t start,
                                   std::span<const std::byte> payload) {
  memory.page.request_tail = start;
  memory.header.request_head = start;
  auto producer = memory.request_producer();
  auto consumer = memory.request_consumer();
  if (producer.try_push(start + 1, payload, kLastChunk) != Push::pushed) {
    return ::testing::AssertionFailure() << "not pushed";
  }
  Chunk chunk;
  if (consumer.look(chunk) != Found::one || chunk.number != start + 1 || !chunk.last ||
      chunk.abandon || chunk.bytes != payload.size() ||
      chunk.end != start + ring_bytes(payload.size())) {
    return ::testing::AssertionFailure() << "not found as pushed";
  }
  std::vector<std::byte> copy(chunk.bytes);
  consumer.copy_out(chunk, copy);
  if (!std::equal(copy.begin(), copy.end(), payload.begin(), payload.end())) {
    return ::testing::AssertionFailure() << "bytes differ";
  }
  consumer.give_back(chunk.end);
  if (producer.given_back() != chunk.end || consumer.look(chunk) != Found::nothing) {
    return ::testing::AssertionFailure() << "not empty afterwards";
  }
  return ::testing::AssertionSuccess();
}

TEST(RequestRing, chunk_of_every_size_crosses_the_edge) {
  ClientMemory memory(0, kSmallRing);
  const auto bytes = pattern(kMaxChunkBytes, 1);
  // Above 4,096 every 61st, which meets every remainder by the places.
  for (std::size_t size = 0; size <= kMaxChunkBytes; size += size < 4096 ? kThin : 61 * kThin) {
    const std::size_t places = ring_bytes(size) / kChunkAlignment;
    // The edge right behind the header, in the middle, before the last place, behind the chunk.
    for (const std::size_t before : {std::size_t{1}, places / 2, places - 1, places}) {
      const std::uint64_t start = kFar - std::max(before, std::size_t{1}) * kChunkAlignment;
      ASSERT_TRUE(crosses(memory, start, std::span(bytes).first(size))) << size << " " << before;
    }
  }
  ASSERT_TRUE(crosses(memory, kFar - 64, bytes)) << "the largest";
}

TEST(RequestRing, chunk_crosses_the_edge_at_every_position) {
  ClientMemory memory(0, kSmallRing);
  const auto bytes = pattern(kMaxChunkBytes, 2);
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{200}, std::size_t{4097}, std::size_t{20'000}, kMaxChunkBytes}) {
    for (std::size_t before = 0; before <= ring_bytes(size); before += kChunkAlignment * kThin) {
      ASSERT_TRUE(crosses(memory, kFar - before, std::span(bytes).first(size)))
          << size << " at " << before;
    }
  }
}

TEST(RequestRing, full_ring_takes_nothing_and_loses_nothing) {
  ClientMemory memory(kFar, kSmallRing);
  auto producer = memory.request_producer();
  auto consumer = memory.request_consumer();
  const auto payload = pattern(1000, 3);
  std::uint64_t pushed = 0;
  while (producer.try_push(pushed + 1, payload, kLastChunk) == Push::pushed) ++pushed;
  EXPECT_EQ(pushed, kSmallRing / ring_bytes(1000));
  EXPECT_FALSE(producer.broken());
  EXPECT_LT(producer.room(), payload.size());
  Chunk chunk;
  for (std::uint64_t n = 1; n <= pushed; ++n) {
    ASSERT_EQ(consumer.look(chunk), Found::one);
    ASSERT_EQ(chunk.number, n);
    std::vector<std::byte> copy(chunk.bytes);
    consumer.copy_out(chunk, copy);
    ASSERT_EQ(copy, payload);
  }
  EXPECT_EQ(consumer.look(chunk), Found::nothing);
  EXPECT_EQ(producer.try_push(9, payload, kLastChunk), Push::full) << "nothing was given back";
  consumer.give_back(consumer.head());
  EXPECT_EQ(producer.try_push(9, payload, kLastChunk), Push::pushed);
}

TEST(RequestRing, room_is_what_the_next_push_takes) {
  ClientMemory memory(kFar - 48, kSmallRing);
  auto producer = memory.request_producer();
  const auto payload = pattern(kMaxChunkBytes, 4);
  EXPECT_EQ(producer.room(), kMaxChunkBytes);
  std::uint64_t number = 0;
  while (const std::size_t room = producer.room()) {
    const auto size = std::min<std::size_t>(room, 9973);
    ASSERT_EQ(producer.try_push(++number, std::span(payload).first(size), 0), Push::pushed);
  }
  EXPECT_EQ(producer.try_push(++number, std::span(payload).first(1), 0), Push::full);
}

TEST(RequestRing, chunk_looked_at_again_is_the_same_one) {
  ClientMemory memory;
  auto producer = memory.request_producer();
  auto consumer = memory.request_consumer();
  ASSERT_EQ(producer.try_push(5, pattern(10, 5), 0), Push::pushed);
  ASSERT_EQ(producer.try_push(6, {}, kAbandonChunk), Push::pushed);
  Chunk chunk;
  ASSERT_EQ(consumer.look(chunk), Found::one);
  ASSERT_EQ(consumer.look(chunk), Found::one);
  EXPECT_EQ(chunk.number, 5U);
  EXPECT_FALSE(chunk.last);
  consumer.skip(chunk);
  ASSERT_EQ(consumer.look(chunk), Found::one);
  EXPECT_TRUE(chunk.abandon);
  EXPECT_TRUE(consumer.has_more());
  consumer.skip(chunk);
  EXPECT_FALSE(consumer.has_more());
}

/// What a consumer says of a ring whose client wrote this header and this tail.
DropReason verdict(const ChunkHeader& header, std::uint64_t tail_moved) {
  ClientMemory memory(kFar);
  std::memcpy(memory.ring.data(), &header, sizeof(header));
  memory.page.request_tail = kFar + tail_moved;
  auto consumer = memory.request_consumer();
  Chunk chunk;
  const Found found = consumer.look(chunk);
  EXPECT_EQ(found == Found::broken, consumer.reason() != DropReason::none);
  EXPECT_EQ(consumer.look(chunk), found) << "a broken ring stays broken";
  return consumer.reason();
}

TEST(RequestRing, header_that_is_none_drops_the_client) {
  const std::uint64_t much = kRequestRingBytes;
  EXPECT_EQ(verdict({1, 8, kLastChunk}, much), DropReason::none);
  EXPECT_EQ(verdict({0, 8, kLastChunk}, much), DropReason::bad_chunk) << "no number";
  EXPECT_EQ(verdict({kMaxRequestNumber + 1, 8, kLastChunk}, much), DropReason::bad_chunk);
  EXPECT_EQ(verdict({1, kMaxChunkBytes + 1, kLastChunk}, much), DropReason::bad_chunk);
  EXPECT_EQ(verdict({1, ~std::uint32_t{0}, kLastChunk}, much), DropReason::bad_chunk);
  EXPECT_EQ(verdict({1, 8, 4}, much), DropReason::bad_chunk) << "unknown flag";
  EXPECT_EQ(verdict({1, 8, kAbandonChunk}, much), DropReason::bad_chunk) << "abandon with bytes";
  EXPECT_EQ(verdict({1, 0, 0}, much), DropReason::bad_chunk) << "a chunk of nothing";
  EXPECT_EQ(verdict({1, 17, kLastChunk}, 32), DropReason::bad_chunk) << "behind the tail";
  EXPECT_EQ(verdict({1, 16, kLastChunk}, 32), DropReason::none);
}

TEST(RequestRing, tail_out_of_bounds_drops_the_client) {
  EXPECT_EQ(verdict({1, 8, kLastChunk}, kRequestRingBytes + 16), DropReason::bad_tail);
  EXPECT_EQ(verdict({1, 8, kLastChunk}, std::uint64_t{0} - 16), DropReason::bad_tail) << "back";
  EXPECT_EQ(verdict({1, 8, kLastChunk}, 24), DropReason::bad_tail) << "between two places";
  EXPECT_EQ(verdict({1, 8, kLastChunk}, 0), DropReason::none);
}

TEST(RequestRing, tail_beyond_what_was_given_back_drops_the_client) {
  // What was stepped behind and is not given back yet, the client was not told that it may fill.
  ClientMemory memory(kFar, kSmallRing);
  auto producer = memory.request_producer();
  auto consumer = memory.request_consumer();
  ASSERT_EQ(producer.try_push(1, {}, kLastChunk), Push::pushed);
  Chunk chunk;
  ASSERT_EQ(consumer.look(chunk), Found::one);
  consumer.skip(chunk);
  memory.page.request_tail = kFar + kSmallRing + kChunkAlignment;
  EXPECT_EQ(consumer.look(chunk), Found::broken);
  EXPECT_EQ(consumer.reason(), DropReason::bad_tail);
}

TEST(RequestRing, head_out_of_bounds_is_not_believed_by_the_client) {
  for (const std::uint64_t head : {kFar + 16, kFar - 16, std::uint64_t{0}, ~std::uint64_t{0}}) {
    ClientMemory memory(kFar, kSmallRing);
    auto producer = memory.request_producer();
    memory.header.request_head = head;
    const auto payload = pattern(kMaxChunkBytes, 6);
    Push push = Push::pushed;
    for (std::uint64_t n = 1; push == Push::pushed; ++n) {
      push = producer.try_push(n, payload, kLastChunk);
      if (n == 1) memory.header.request_head = head;
    }
    EXPECT_EQ(push, head == kFar + 16 ? Push::full : Push::broken) << head;
  }
}

TEST(RequestRing, head_out_of_bounds_from_the_start_makes_no_more_room_than_there_is) {
  for (const std::uint64_t head :
       {kFar + 64, kFar - 2 * kSmallRing, std::uint64_t{0}, ~std::uint64_t{0}}) {
    ClientMemory memory(kFar, kSmallRing);
    memory.header.request_head = head;
    auto producer = memory.request_producer();
    std::size_t pushed = 0;
    while (pushed <= kSmallRing && producer.try_push(1, {}, kLastChunk) == Push::pushed) {
      // What the daemon has is behind that, whatever the client is told of it.
      pushed = static_cast<std::size_t>(memory.page.request_tail - kFar);
      if (head == kFar + 64) memory.header.request_head = kFar;
    }
    EXPECT_LE(pushed, kSmallRing) << head;
  }
}

TEST(RequestRing, value_of_16_mib_passes_through_1_mib_with_two_threads) {
  const Watchdog watchdog("a large request");
  ClientMemory memory(kFar - 4096);
  const auto sent = pattern(kMaxValueBytes, 7);
  std::thread client([&] {
    auto producer = memory.request_producer();
    std::span<const std::byte> rest(sent);
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.size(), producer.room());
      if (size == 0) {
        std::this_thread::yield();
        continue;
      }
      const auto flags = size == rest.size() ? kLastChunk : 0;
      ASSERT_EQ(producer.try_push(1, rest.first(size), flags), Push::pushed);
      rest = rest.subspan(size);
    }
  });
  auto consumer = memory.request_consumer();
  std::vector<std::byte> received;
  Chunk chunk;
  while (!chunk.last) {
    const Found found = consumer.look(chunk);
    ASSERT_NE(found, Found::broken);
    if (found == Found::nothing) {
      std::this_thread::yield();
      continue;
    }
    received.resize(received.size() + chunk.bytes);
    consumer.copy_out(chunk, std::span(received).last(chunk.bytes));
    consumer.give_back(chunk.end);
  }
  client.join();
  EXPECT_EQ(received, sent);
}

}  // namespace
}  // namespace dfs::wire
