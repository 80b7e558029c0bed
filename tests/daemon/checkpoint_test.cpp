// Where a compaction begins: what lies behind that stays in the log as it is.
#include "daemon/checkpoint.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace dfs::daemon {
namespace {

using std::chrono::minutes;

Checkpoint at(std::uint64_t sequence, minutes ago) {
  return {sequence, sequence + 1, sequence * 100, sequence * 100, os::Monotonic::now() - ago};
}

class CheckpointsTest : public testing::Test {
 protected:
  CheckpointsTest() {
    checkpoints_.note(at(1, minutes(50)));
    checkpoints_.note(at(2, minutes(40)));
    checkpoints_.note(at(3, minutes(30)));
    checkpoints_.note(at(4, minutes(20)));
  }
  std::uint64_t begin(minutes age, std::uint64_t tail_bytes = UINT64_MAX) {
    return checkpoints_.choose({age, tail_bytes}).sequence;
  }

  Checkpoints checkpoints_;
};

TEST_F(CheckpointsTest, a_tail_reaches_back_as_long_as_it_was_asked_for) {
  EXPECT_EQ(begin(minutes(25)), 3U);
  EXPECT_EQ(begin(minutes(35)), 2U);
  EXPECT_EQ(begin(minutes(60)), 1U);
}

TEST_F(CheckpointsTest, what_is_all_older_leaves_no_tail) {
  EXPECT_EQ(begin(minutes(0)), 4U);
  EXPECT_EQ(begin(minutes(15)), 4U);
}

TEST_F(CheckpointsTest, a_tail_is_no_longer_than_it_may_be) {
  EXPECT_EQ(begin(minutes(60), 150), 3U);
  EXPECT_EQ(begin(minutes(60), 50), 4U);
}

TEST(Checkpoints, a_base_stands_for_a_commit_and_never_for_none) {
  Checkpoints checkpoints;
  checkpoints.note(at(0, minutes(50)));
  checkpoints.note(at(1, minutes(40)));
  checkpoints.note(at(2, minutes(30)));
  EXPECT_EQ(checkpoints.choose({minutes(60), UINT64_MAX}).sequence, 1U);
}

TEST_F(CheckpointsTest, behind_a_switch_they_are_places_in_the_next_log_and_older_ones_are_gone) {
  // The next log begins with sequence 3 at byte 70, its index with 60 bytes.
  checkpoints_.move(at(3, minutes(30)), {3, 4, 70, 60, os::Monotonic::now()});
  const Checkpoint oldest = checkpoints_.choose({minutes(60), UINT64_MAX});
  EXPECT_EQ(oldest.sequence, 3U);
  EXPECT_EQ(oldest.log_end, 70U);
  EXPECT_EQ(oldest.used, 60U);
  EXPECT_EQ(checkpoints_.latest().log_end, 170U);
  EXPECT_EQ(checkpoints_.latest().used, 160U);
}

}  // namespace
}  // namespace dfs::daemon
