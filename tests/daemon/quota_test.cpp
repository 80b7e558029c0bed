#include "daemon/quota.hpp"

#include <gtest/gtest.h>

namespace dfs::daemon {
namespace {

TEST(Quota, one_user_cannot_keep_the_others_out) {
  Quota quota;
  EXPECT_EQ(quota.charge(1000, kMaxReceivedBytesPerUid), wire::Rule::none);
  EXPECT_EQ(quota.charge(1000, 1), wire::Rule::received_bytes_uid);
  EXPECT_EQ(quota.charge(1001, 1), wire::Rule::none);
  quota.give_back(1000, kMaxReceivedBytesPerUid);
  EXPECT_EQ(quota.charge(1000, 1), wire::Rule::none);
  quota.give_back(1000, 1);
  quota.give_back(1001, 1);
}

TEST(Quota, all_together_have_a_bound_and_a_refusal_charges_nothing) {
  Quota quota;
  const std::size_t users = kMaxReceivedBytes / kMaxReceivedBytesPerUid;
  for (std::uint32_t uid = 0; uid < users; ++uid) {
    EXPECT_EQ(quota.charge(uid, kMaxReceivedBytesPerUid), wire::Rule::none);
  }
  EXPECT_EQ(quota.charge(99, 1), wire::Rule::received_bytes);
  EXPECT_EQ(quota.total(), kMaxReceivedBytes);
  for (std::uint32_t uid = 0; uid < users; ++uid) quota.give_back(uid, kMaxReceivedBytesPerUid);
  EXPECT_EQ(quota.total(), 0U);
}

TEST(QuotaDeathTest, what_was_not_charged_does_not_come_back) {
  EXPECT_DEATH(
      {
        Quota quota;
        quota.give_back(1000, 1);
      },
      "only what was charged");
}

}  // namespace
}  // namespace dfs::daemon
