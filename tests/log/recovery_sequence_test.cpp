// Which sequence is the next one: none is given twice, whatever may have been given before.
#include "common/log/recovery.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/log/format.hpp"
#include "tests/log/sample.hpp"

namespace dfs::log {

TEST(RecoverySequence, after_a_clean_stop_the_next_sequence_follows) {
  const Found found = find(stopped_log());
  EXPECT_TRUE(found.recovery.clean_stop);
  EXPECT_EQ(found.recovery.next, 3U);
}

TEST(RecoverySequence, a_mark_or_a_start_behind_the_stop_is_no_clean_stop) {
  for (const std::string& line : {LogWriter().mark(2).bytes, LogWriter().start(2, 3).bytes}) {
    const Found found = find(stopped_log() + line);
    EXPECT_EQ(found.recovery.kind, RecoveryKind::whole);
    EXPECT_FALSE(found.recovery.clean_stop);
    EXPECT_EQ(found.recovery.next, 2 * kGap);
  }
}

TEST(RecoverySequence, a_stop_behind_an_unused_start_keeps_what_was_announced) {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0).start(1, kGap).stop(1);
  EXPECT_EQ(find(log.bytes).recovery.next, kGap) << "2 to kGap - 1 lie in a gap";
}

TEST(RecoverySequence, what_was_cut_off_makes_no_clean_stop) {
  const Found found = find(stopped_log() + "[\"sta");
  EXPECT_EQ(found.recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(found.recovery.good_end, stopped_log().size());
  EXPECT_FALSE(found.recovery.clean_stop);
  EXPECT_EQ(found.recovery.next, 2 * kGap);
}

TEST(RecoverySequence, the_next_sequence_is_beyond_all_that_may_have_been_given) {
  EXPECT_EQ(next_sequence(0, 0, false), kGap);
  EXPECT_EQ(next_sequence(0, 1, false), 2 * kGap);
  EXPECT_EQ(next_sequence(1, 1, false), 2 * kGap);
  EXPECT_EQ(next_sequence(kGap, kGap, false), 2 * kGap);
  EXPECT_EQ(next_sequence(kGap - 1, kGap, false), 2 * kGap);
  EXPECT_EQ(next_sequence(5, 3 * kGap, false), 4 * kGap);
  EXPECT_EQ(next_sequence(3 * kGap + 1, 3 * kGap, false), 5 * kGap);
  EXPECT_EQ(next_sequence(7, 5, true), 8U);
  EXPECT_EQ(next_sequence(7, kGap, true), kGap);
}

TEST(RecoverySequence, sequences_found_behind_the_cut_are_not_given_again) {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0).raw(std::string(300, '\0') + "\n");
  log.set(5 * kGap, "b", "1", 0);
  const Found found = find(log.bytes);
  EXPECT_EQ(found.recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(found.recovery.after, 1U);
  EXPECT_EQ(found.recovery.next, 6 * kGap);
}

TEST(RecoverySequence, used_up_sequences_are_refused) {
  LogWriter log;
  log.first().start(0, kMaxSequence - 1).set(kMaxSequence - 1, "a", "1");
  EXPECT_EQ(find(log.bytes).recovery.kind, RecoveryKind::damaged);
  log.stop(kMaxSequence - 1);
  EXPECT_EQ(find(log.bytes).recovery.next, kMaxSequence) << "there is one more";
  log.start(kMaxSequence - 1, kMaxSequence).set(kMaxSequence, "a", "1").stop(kMaxSequence);
  EXPECT_EQ(find(log.bytes).recovery.kind, RecoveryKind::damaged);
}

TEST(RecoverySequence, a_start_must_follow_the_commit_that_it_names) {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0);
  EXPECT_EQ(find(log.bytes + LogWriter().start(1, 9).bytes).recovery.kind, RecoveryKind::whole);
  const Recovery ahead = find(log.bytes + LogWriter().start(2, 9).bytes).recovery;
  EXPECT_EQ(ahead.kind, RecoveryKind::damaged) << "it says that commit 2 was on disk";
  EXPECT_EQ(ahead.bad_line, 4U);
  const Recovery behind = find(log.bytes + LogWriter().start(0, 9).bytes).recovery;
  EXPECT_EQ(behind.kind, RecoveryKind::cut);
  const std::string announced = log.bytes + LogWriter().start(1, kGap).bytes;
  EXPECT_EQ(find(announced + LogWriter().start(1, kGap).bytes).recovery.kind, RecoveryKind::whole);
  EXPECT_EQ(find(announced + LogWriter().start(1, 9).bytes).recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(find(announced + LogWriter().start(1, kGap - 1).bytes).recovery.kind, RecoveryKind::cut)
      << "that one may have been given";
  EXPECT_EQ(find(announced + LogWriter().set(2, "b", "1").bytes).recovery.kind, RecoveryKind::cut);
}

}  // namespace dfs::log
