// Replies of a batch that was refused: what had been prepared becomes a refusal where it stands.
#include "common/wire/reply_ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/wire/client_memory.hpp"

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

Refusal refused_for(errc code, Rule rule = Rule::none) {
  Refusal refusal;
  refusal.code = code;
  refusal.rule = rule;
  refusal.version = 17;
  refusal.key = "key";
  return refusal;
}

TEST(RefusedBatch, is_refused_in_place_with_all_that_hangs_on_it) {
  ClientMemory memory(kFar);
  auto producer = memory.reply_producer();
  auto consumer = memory.reply_consumer();
  const std::vector<std::uint64_t> versions(kMaxReplyVersions, 3);
  const auto room = [&](const Reply& reply) {
    ASSERT_EQ(producer.room(frame_bytes(reply)), Room::enough);
    producer.prepare(reply);
  };
  room(committed(1, 100));
  room(refused(2, refused_for(errc::version_mismatch)));
  room(committed(3, 101, versions));
  room(refused(4, refused_for(errc::transaction_conflict)));
  room(refused(5, refused_for(errc::too_large, Rule::version_exhausted)));
  constexpr std::uint64_t kWrong = 6;
  room(refused(kWrong, refused_for(errc::bad_value, Rule::value_not_json)));
  producer.publish_prepared();
  producer.overwrite_prepared_with(disk_full());
  EXPECT_EQ(consumer.prepared_sequence(1), std::nullopt);
  EXPECT_TRUE(consumer.prepared_commits().empty())
      << "a refusal that was not released counts as never prepared";
  producer.release();
  Reply reply;
  for (std::uint64_t n = 1; n <= kWrong; ++n) {
    ASSERT_EQ(consumer.next(reply), Found::one);
    EXPECT_EQ(reply.number, n);
    ASSERT_EQ(reply.kind, ReplyKind::refused);
    EXPECT_EQ(reply.refusal.code, n == kWrong ? errc::bad_value : errc::store_full) << n;
    EXPECT_EQ(reply.refusal.key, n == kWrong ? "key" : "") << n;
    EXPECT_EQ(reply.refusal.system_errno, n == kWrong ? 0 : 28) << n;
  }
  EXPECT_EQ(consumer.next(reply), Found::nothing);
}

TEST(RefusedBatch, overwrites_nothing_that_is_released) {
  ClientMemory memory;
  auto producer = memory.reply_producer();
  auto consumer = memory.reply_consumer();
  ASSERT_EQ(producer.room(kMinFrameBytes), Room::enough);
  producer.prepare(committed(1, 100));
  producer.release();
  producer.overwrite_prepared_with(disk_full());
  Reply reply;
  ASSERT_EQ(consumer.next(reply), Found::one);
  EXPECT_EQ(reply.kind, ReplyKind::committed);
}

TEST(RefusedBatch, half_overwritten_counts_as_never_prepared) {
  ClientMemory memory;
  auto producer = memory.reply_producer();
  ASSERT_EQ(producer.room(kMinFrameBytes), Room::enough);
  producer.prepare(committed(1, 100));
  producer.publish_prepared();
  // The kind alone was stored when the daemon died; the body is still the commit's.
  const auto kind = static_cast<std::uint32_t>(ReplyKind::refused);
  std::memcpy(memory.data.data() + offsetof(FrameHeader, kind), &kind, sizeof(kind));
  auto consumer = memory.reply_consumer();
  EXPECT_TRUE(consumer.prepared_commits().empty());
  EXPECT_EQ(consumer.prepared_sequence(1), std::nullopt);
}

}  // namespace
}  // namespace dfs::wire
