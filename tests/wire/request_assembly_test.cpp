#include "common/wire/request_assembly.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/wire/client_memory.hpp"

namespace dfs::wire {
namespace {

Chunk chunk_of(std::uint64_t number, std::size_t bytes, bool last = false, bool abandon = false) {
  return {number, bytes, last, abandon, 0};
}

/// Feeds one chunk as the daemon does; true if it made its request whole.
bool feed(RequestAssembly& assembly, const Chunk& chunk, std::span<const std::byte> payload,
          WholeRequest& whole) {
  const std::size_t growth = assembly.growth(chunk);
  const std::size_t before = assembly.bytes();
  const auto place = assembly.place(chunk);
  EXPECT_EQ(place.placement, Placement::copy);
  EXPECT_EQ(assembly.bytes(), before + growth) << "growth is told before it happens";
  EXPECT_EQ(place.destination.size(), chunk.bytes);
  std::copy(payload.begin(), payload.end(), place.destination.begin());
  return assembly.finish(chunk, whole);
}

TEST(RequestAssembly, request_of_one_chunk_is_whole_at_once) {
  RequestAssembly assembly;
  WholeRequest whole;
  const auto bytes = pattern(200, 1);
  ASSERT_TRUE(feed(assembly, chunk_of(5, 200, true), bytes, whole));
  EXPECT_EQ(whole.number, 5U);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), whole.buffer.bytes().begin(),
                         whole.buffer.bytes().end()));
  EXPECT_EQ(assembly.bytes(), 0U);
  EXPECT_EQ(assembly.partial_requests(), 0U);
}

TEST(RequestAssembly, chunks_of_several_requests_may_interleave) {
  RequestAssembly assembly;
  std::mt19937 random(1);
  std::map<std::uint64_t, std::vector<std::byte>> sent;
  std::map<std::uint64_t, std::size_t> at;
  for (std::uint64_t n = 1; n <= kMaxPartialRequests; ++n) {
    sent[n] = pattern(1 + random() % 300'000, n);
    at[n] = 0;
  }
  std::size_t done = 0;
  while (!at.empty()) {
    auto one = std::next(at.begin(), static_cast<std::ptrdiff_t>(random() % at.size()));
    const auto& [number, offset] = *one;
    const auto rest = std::span(sent[number]).subspan(offset);
    const std::size_t size = std::min<std::size_t>(rest.size(), 1 + random() % kMaxChunkBytes);
    const bool last = size == rest.size();
    WholeRequest whole;
    const Chunk chunk = chunk_of(number, size, last);
    ASSERT_EQ(feed(assembly, chunk, rest.first(size), whole), last);
    one->second += size;
    if (!last) continue;
    ++done;
    EXPECT_EQ(whole.number, number);
    ASSERT_TRUE(std::equal(sent[number].begin(), sent[number].end(), whole.buffer.bytes().begin(),
                           whole.buffer.bytes().end()));
    at.erase(one);
  }
  EXPECT_EQ(done, kMaxPartialRequests);
  EXPECT_EQ(assembly.bytes(), 0U) << "all that was counted came back";
}

TEST(RequestAssembly, bytes_waste_at_most_half_of_what_came) {
  RequestAssembly assembly;
  WholeRequest whole;
  const auto payload = pattern(kMaxChunkBytes, 2);
  for (std::size_t i = 1; i <= 64; ++i) {
    ASSERT_FALSE(feed(assembly, chunk_of(1, kMaxChunkBytes), payload, whole));
    EXPECT_GE(assembly.bytes(), i * kMaxChunkBytes);
    EXPECT_LE(assembly.bytes(), i * kMaxChunkBytes * 3 / 2);
  }
}

TEST(RequestAssembly, abandoned_request_is_forgotten) {
  RequestAssembly assembly;
  WholeRequest whole;
  ASSERT_FALSE(feed(assembly, chunk_of(1, 100), pattern(100, 3), whole));
  EXPECT_EQ(assembly.place(chunk_of(1, 0, false, true)).placement, Placement::skip);
  EXPECT_EQ(assembly.bytes(), 0U);
  // The number begins anew.
  ASSERT_TRUE(feed(assembly, chunk_of(1, 7, true), pattern(7, 4), whole));
  EXPECT_EQ(whole.buffer.size(), 7U);
  EXPECT_EQ(assembly.place(chunk_of(9, 0, false, true)).placement, Placement::skip)
      << "one that never began";
}

TEST(RequestAssembly, too_large_request_is_refused_once_and_its_rest_skipped) {
  RequestAssembly assembly;
  WholeRequest whole;
  const auto payload = pattern(kMaxChunkBytes, 5);
  std::size_t fed = 0;
  RequestAssembly::Place place;
  while (true) {
    const Chunk chunk = chunk_of(1, kMaxChunkBytes);
    place = assembly.place(chunk);
    if (place.placement != Placement::copy) break;
    std::copy(payload.begin(), payload.end(), place.destination.begin());
    ASSERT_FALSE(assembly.finish(chunk, whole));
    fed += kMaxChunkBytes;
    ASSERT_LE(assembly.bytes(), kMaxRequestBytes);
  }
  EXPECT_EQ(place.placement, Placement::refused);
  EXPECT_EQ(place.refusal.code, errc::too_large);
  EXPECT_EQ(place.refusal.limit, kMaxCommitBytes);
  EXPECT_GT(fed + kMaxChunkBytes, kMaxRequestBytes) << "not before the limit";
  EXPECT_EQ(assembly.bytes(), 0U);
  EXPECT_EQ(assembly.growth(chunk_of(1, 100)), 0U);
  EXPECT_EQ(assembly.place(chunk_of(1, 100)).placement, Placement::skip);
  EXPECT_EQ(assembly.place(chunk_of(1, 100, true)).placement, Placement::skip);
  EXPECT_EQ(assembly.place(chunk_of(1, 100, true)).placement, Placement::copy)
      << "behind its last chunk the number is free";
}

TEST(RequestAssembly, too_many_partial_requests_are_refused_busy) {
  RequestAssembly assembly;
  WholeRequest whole;
  for (std::uint64_t n = 1; n <= kMaxPartialRequests; ++n) {
    ASSERT_FALSE(feed(assembly, chunk_of(n, 10), pattern(10, n), whole));
  }
  const auto place = assembly.place(chunk_of(1000, 10));
  EXPECT_EQ(place.placement, Placement::refused);
  EXPECT_EQ(place.refusal.code, errc::busy);
  EXPECT_TRUE(feed(assembly, chunk_of(1001, 10, true), pattern(10, 6), whole))
      << "one of a single chunk passes";
  EXPECT_TRUE(feed(assembly, chunk_of(1, 10, true), pattern(10, 7), whole)) << "those begun go on";
}

TEST(RequestAssembly, more_refused_requests_than_can_be_in_flight_are_broken) {
  RequestAssembly assembly;
  for (std::uint64_t n = 1; n <= kMaxInFlight; ++n) ASSERT_TRUE(assembly.refuse(chunk_of(n, 10)));
  EXPECT_FALSE(assembly.refuse(chunk_of(kMaxInFlight + 1, 10)));
  EXPECT_TRUE(assembly.refuse(chunk_of(kMaxInFlight + 1, 10, true))) << "a last one is over";
}

TEST(RequestAssembly, refused_by_the_caller_gives_its_bytes_back) {
  RequestAssembly assembly;
  WholeRequest whole;
  ASSERT_FALSE(feed(assembly, chunk_of(1, 1000), pattern(1000, 8), whole));
  EXPECT_GT(assembly.bytes(), 0U);
  EXPECT_TRUE(assembly.refuse(chunk_of(1, 1000)));
  EXPECT_EQ(assembly.bytes(), 0U);
  EXPECT_EQ(assembly.place(chunk_of(1, 1000)).placement, Placement::skip);
  EXPECT_EQ(assembly.place(chunk_of(1, 0, false, true)).placement, Placement::skip);
  EXPECT_TRUE(feed(assembly, chunk_of(1, 3, true), pattern(3, 9), whole));
}

TEST(RequestAssembly, is_idle_while_nothing_is_begun_or_refused) {
  RequestAssembly assembly;
  WholeRequest whole;
  EXPECT_TRUE(assembly.idle());
  ASSERT_FALSE(feed(assembly, chunk_of(1, 100), pattern(100, 1), whole));
  EXPECT_FALSE(assembly.idle());
  ASSERT_TRUE(feed(assembly, chunk_of(1, 100, true), pattern(100, 1), whole));
  EXPECT_TRUE(assembly.idle());
  EXPECT_TRUE(assembly.refuse(chunk_of(2, 1000)));
  EXPECT_FALSE(assembly.idle());
  EXPECT_EQ(assembly.place(chunk_of(2, 0, false, true)).placement, Placement::skip);
  EXPECT_TRUE(assembly.idle());
}

}  // namespace
}  // namespace dfs::wire
