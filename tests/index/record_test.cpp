#include "common/index/record.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

std::uint64_t little_endian(const std::byte* at, int bytes) {
  std::uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | std::to_integer<std::uint64_t>(at[i]);
  return value;
}

TEST(Record, bytes_lie_where_the_layout_says) {
  Subject subject;
  subject.set("abc", "first");
  subject.add("abc", "\"second value\"", false);
  subject.publish();
  const RecordHeader* record = subject.writer().newest("abc");
  const auto* at = reinterpret_cast<const std::byte*>(record);
  EXPECT_EQ(little_endian(at, 8), 2U);       // sequence
  EXPECT_EQ(little_endian(at + 8, 8), 2U);   // version
  EXPECT_NE(little_endian(at + 16, 6), 0U);  // previous
  EXPECT_EQ(little_endian(at + 22, 2), 3U);  // key size
  EXPECT_NE(little_endian(at + 24, 6), 0U);  // anchor
  EXPECT_EQ(little_endian(at + 30, 2), 1U << kPlaceShift);
  EXPECT_EQ(little_endian(at + 32, 6), 1790000000001U);
  EXPECT_EQ(little_endian(at + 38, 2), 0U);
  EXPECT_EQ(little_endian(at + 40, 4), 14U);  // value size
  EXPECT_EQ(little_endian(at + 44, 4), 3U);   // connection
  EXPECT_EQ(std::memcmp(at + 48, "abc\"second value\"", 17), 0);
}

TEST(Record, previous_and_anchor_name_the_key_before_and_its_newest) {
  Subject subject;
  subject.set("k", "1");
  const RecordHeader* first = subject.writer().newest("k");
  subject.set("k", "2");
  const RecordHeader* second = subject.writer().newest("k");
  const std::byte* base = subject.space().base();
  EXPECT_EQ(reinterpret_cast<const std::byte*>(first), base + second->previous());
  EXPECT_EQ(first->previous(), 0U);
  EXPECT_EQ(first->anchor(), second->anchor());
  EXPECT_EQ(little_endian(base + first->anchor(), 8),
            static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(second) - base));
}

TEST(Record, flags_say_erased_and_last_of_commit) {
  Subject subject;
  subject.add("a", "1", false);
  subject.add("b", std::nullopt, true);
  subject.publish();
  EXPECT_FALSE(subject.writer().newest("a")->last_of_commit());
  EXPECT_FALSE(subject.writer().newest("a")->erased());
  EXPECT_TRUE(subject.writer().newest("b")->last_of_commit());
  EXPECT_TRUE(subject.writer().newest("b")->erased());
}

TEST(Record, every_sixteenth_of_a_key_has_a_far_link_sixteen_back) {
  Subject subject;
  std::vector<const RecordHeader*> made;
  for (int i = 0; i < 100; ++i) {
    subject.set("key", std::string(static_cast<std::size_t>(i % 9), 'x'));
    made.push_back(subject.writer().newest("key"));
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    const bool far = (made[i]->flags() & kFarLink) != 0;
    EXPECT_EQ(far, i % kFarLinkDistance == 0 && i != 0) << i;
    if (!far) continue;
    const auto& link =
        *reinterpret_cast<const FarLink*>(reinterpret_cast<const std::byte*>(made[i]) +
                                          far_link_at(made[i]->key_size(), made[i]->value_size));
    EXPECT_EQ(subject.space().base() + link.near(),
              reinterpret_cast<const std::byte*>(made[i - kFarLinkDistance]));
    EXPECT_EQ(link.number(), i / kFarLinkDistance);
  }
}

}  // namespace
}  // namespace dfs::index
