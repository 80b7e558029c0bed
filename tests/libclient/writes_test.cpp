#include "libclient/writes.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <dfs/batch.hpp>

#include "common/base/limits.hpp"

namespace dfs::client {
namespace {

TEST(Writes, one_key_written_twice_is_one_write_with_the_last_value) {
  Writes writes;
  writes.set("b", "1", expect_any);
  writes.set("a", "2", expect_any);
  writes.set("b", "3", expect_any);
  writes.erase("a", expect_any);
  wire::CommitRequest request;
  writes.fill(request);
  ASSERT_EQ(request.writes.size(), 2U);
  EXPECT_EQ(request.writes[0].key, "b");
  EXPECT_EQ(request.writes[0].value, "3");
  EXPECT_EQ(request.writes[1].key, "a");
  EXPECT_TRUE(request.writes[1].erase);
  EXPECT_TRUE(request.writes[1].value.empty());
}

TEST(Writes, expectations_of_later_writes_of_a_key_are_checks) {
  Writes writes;
  writes.set("a", "1", expect_absent);
  writes.set("a", "2", expect_version(7));
  writes.erase("a", expect_any);
  wire::CommitRequest request;
  writes.fill(request);
  ASSERT_EQ(request.writes.size(), 1U);
  EXPECT_EQ(request.writes[0].expect.kind, wire::Expect::absent);
  ASSERT_EQ(request.checks.size(), 1U);
  EXPECT_EQ(request.checks[0].key, "a");
  EXPECT_EQ(request.checks[0].expect.kind, wire::Expect::version);
  EXPECT_EQ(request.checks[0].expect.version, 7U);
}

TEST(Writes, the_first_wrong_argument_is_kept_and_names_rule_and_limit) {
  Writes writes;
  writes.set(std::string(kMaxKeyBytes + 1, 'k'), "1", expect_any);
  writes.set("", "1", expect_any);
  ASSERT_TRUE(writes.wrong().has_value());
  EXPECT_EQ(*writes.wrong(), errc::too_large);
  EXPECT_EQ(writes.wrong()->limit(), kMaxKeyBytes);
  EXPECT_FALSE(writes.wrong()->text().empty());
}

TEST(Writes, a_key_at_the_limit_is_no_mistake) {
  Writes writes;
  writes.set(std::string(kMaxKeyBytes, 'k'), "1", expect_any);
  EXPECT_FALSE(writes.wrong().has_value());
}

TEST(Writes, a_value_over_the_limit_is_a_mistake_and_one_at_it_is_none) {
  Writes writes;
  writes.set("k", std::string(kMaxValueBytes, '1'), expect_any);
  EXPECT_FALSE(writes.wrong().has_value());
  writes.set("l", std::string(kMaxValueBytes + 1, '1'), expect_any);
  ASSERT_TRUE(writes.wrong().has_value());
  EXPECT_EQ(*writes.wrong(), errc::too_large);
  EXPECT_EQ(writes.wrong()->limit(), kMaxValueBytes);
}

TEST(Writes, what_is_kept_has_a_bound) {
  Writes writes;
  for (int i = 0; i < 5; ++i) {
    writes.set("k" + std::to_string(i), std::string(kMaxValueBytes - 8, '1'), expect_any);
  }
  ASSERT_TRUE(writes.wrong().has_value());
  EXPECT_EQ(writes.wrong()->limit(), kMaxCommitBytes);
  EXPECT_EQ(writes.size(), 4U);
}

TEST(Writes, a_copy_keeps_its_own_texts_and_the_order) {
  auto one = std::make_unique<Writes>();
  constexpr int kWrites = 500;
  for (int i = kWrites; i > 0; --i)
    one->set("k" + std::to_string(i), std::string(40, 'a'), expect_any);
  one->check("k1", expect_version(3));
  const Writes two(*one);
  for (int i = kWrites; i > 0; --i)
    one->set("k" + std::to_string(i), std::string(40, 'b'), expect_any);
  one.reset();
  wire::CommitRequest request;
  two.fill(request);
  ASSERT_EQ(request.writes.size(), static_cast<std::size_t>(kWrites));
  for (int i = 0; i < kWrites; ++i) {
    const wire::Write& write = request.writes[static_cast<std::size_t>(i)];
    EXPECT_EQ(write.key, "k" + std::to_string(kWrites - i));
    EXPECT_EQ(write.value, std::string(40, 'a'));
  }
  ASSERT_EQ(request.checks.size(), 1U);
  EXPECT_EQ(request.checks[0].key, "k1");
  EXPECT_EQ(two.size(), static_cast<std::size_t>(kWrites) + 1);
}

TEST(Writes, one_write_alone_is_what_fill_says_of_it) {
  Writes writes;
  EXPECT_FALSE(writes.only_write());
  for (const Expect expect : {expect_any, expect_present, expect_absent, expect_version(7)}) {
    for (const bool erase : {false, true}) {
      Writes one;
      erase ? one.erase("a", expect) : one.set("a", "1", expect);
      wire::CommitRequest request;
      one.fill(request);
      const auto only = one.only_write();
      ASSERT_TRUE(only);
      EXPECT_EQ(only->key, "a");
      EXPECT_EQ(only->value, request.writes[0].value);
      EXPECT_EQ(only->erase, erase);
      EXPECT_EQ(only->expect.kind, request.writes[0].expect.kind);
      EXPECT_EQ(only->expect.version, expect.version());
    }
  }
  writes.set("a", "1", expect_any);
  EXPECT_TRUE(writes.only_write());
  writes.check("b", expect_absent);
  EXPECT_FALSE(writes.only_write()) << "a check is to be sent too";
  Writes two;
  two.set("a", "1", expect_any);
  two.erase("b", expect_any);
  EXPECT_FALSE(two.only_write());
}

TEST(Writes, a_batch_and_its_copy_are_two) {
  Batch one;
  one.set("a", "1").check("b", expect_absent);
  Batch two(one);
  two.erase("c");
  EXPECT_EQ(one.size(), 2U);
  EXPECT_EQ(two.size(), 3U);
  one = two;
  two.erase("d");
  EXPECT_EQ(one.size(), 3U);
}

}  // namespace
}  // namespace dfs::client
