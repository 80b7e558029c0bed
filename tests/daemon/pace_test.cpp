// The pace of a compaction: how much of a processor it has had, and how far the writer is let on.
#include "daemon/pace.hpp"

#include <gtest/gtest.h>

namespace dfs::daemon {
namespace {

using namespace std::chrono_literals;

TEST(ProcessorShareTest, WhoWorkedAllTheTimeHasUsedItUp) {
  ProcessorShare share;
  EXPECT_FALSE(share.used_up(1s, 0ms));
  EXPECT_TRUE(share.used_up(1s + 10ms, 10ms));
}

TEST(ProcessorShareTest, WhoHadToWaitHasAPartLeft) {
  ProcessorShare share;
  EXPECT_FALSE(share.used_up(1s, 0ms));
  EXPECT_TRUE(share.used_up(1s + 10ms, 10ms));
  EXPECT_FALSE(share.used_up(1s + 50ms, 10ms));
}

TEST(ProcessorShareTest, NeitherCreditNorDebtGrowsForEver) {
  ProcessorShare share;
  EXPECT_FALSE(share.used_up(1h, 0ms));
  EXPECT_TRUE(share.used_up(1h + 10ms, 10ms)) << "an hour's wait is no leave for an hour's work";
  EXPECT_TRUE(share.used_up(2h, 1h));
  EXPECT_FALSE(share.used_up(2h + 50ms, 1h)) << "an hour's work is no debt of an hour";
}

class PaceTest : public testing::Test {
 protected:
  int rings_ = 0;
  Pace pace_{[this] { ++rings_; }};
};

TEST_F(PaceTest, NobodyIsHeldBackAtFirst) { EXPECT_EQ(pace_.pause_at(), UINT64_MAX); }

TEST_F(PaceTest, TheWriterIsLetOnByHalfOfWhatIsCopied) {
  pace_.begin_round(10'000'000, 1000);
  EXPECT_EQ(pace_.pause_at(), 10'001'000U);
  pace_.copied(1'000'000);
  EXPECT_EQ(pace_.pause_at(), 10'501'000U);
}

TEST_F(PaceTest, OnlyWhoWaitsIsWokenAndOnlyOnce) {
  pace_.begin_round(10'000'000, 0);
  pace_.copied(1'000'000);
  EXPECT_EQ(rings_, 0);
  pace_.about_to_wait();
  pace_.copied(2'000'000);
  pace_.copied(3'000'000);
  EXPECT_EQ(rings_, 1);
}

TEST_F(PaceTest, ClosedItStaysUntilItIsOpened) {
  pace_.close();
  pace_.begin_round(10'000'000, 0);
  pace_.copied(1'000'000);
  pace_.let_go();
  EXPECT_EQ(pace_.pause_at(), 0U);
  pace_.open();
  EXPECT_EQ(pace_.pause_at(), UINT64_MAX);
  EXPECT_EQ(rings_, 1);
}

}  // namespace
}  // namespace dfs::daemon
