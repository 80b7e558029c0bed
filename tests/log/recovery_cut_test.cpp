// A line that is not whole, judged by what is known to have been on disk: it was commit x, and the
// highest watermark in the file is W. With x above W the log is cut there, else it is damaged.
#include "common/log/recovery.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/log/sample.hpp"

namespace dfs::log {

TEST(RecoveryCut, torn_last_line_is_cut_and_kept) {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0);
  const std::size_t good = log.bytes.size();
  log.set(2, "b", "2", 1);
  const Found found = find(log.bytes.substr(0, log.bytes.size() - 1));
  EXPECT_EQ(found.recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(found.recovery.good_end, good);
  EXPECT_EQ(found.recovery.bad_line, 4U);
  EXPECT_EQ(found.recovery.bad_offset, good);
  EXPECT_EQ(found.recovery.missing_sequence, 2U);
  EXPECT_NE(found.recovery.reason.find("torn"), std::string::npos);
  EXPECT_EQ(keys_of(found), Keys{"a"});
}

TEST(RecoveryCut, a_bad_line_is_judged_by_the_highest_watermark_in_the_file) {
  // Commit 3 is unreadable. What stands behind it says that 2, 3 or 4 were on disk.
  for (const std::uint64_t watermark : {2, 3, 4}) {
    LogWriter log;
    log.first().start(0, 1).set(1, "a", "1", 0).set(2, "b", "1");
    const std::size_t good = log.bytes.size();
    log.raw("{\"k\":\"c\"###\n").set(4, "d", "1").set(5, "e", "1", watermark);
    const Found found = find(log.bytes);
    EXPECT_EQ(found.recovery.watermark, watermark);
    EXPECT_EQ(found.recovery.bad_line, 5U);
    EXPECT_EQ(found.recovery.bad_offset, good);
    EXPECT_EQ(found.recovery.missing_sequence, 3U);
    EXPECT_EQ(found.recovery.kind, watermark < 3 ? RecoveryKind::cut : RecoveryKind::damaged);
    EXPECT_EQ(keys_of(found), (Keys{"a", "b"}));
  }
}

TEST(RecoveryCut, pages_of_an_unsynced_stretch_may_be_there_in_any_order) {
  LogWriter log;
  log.first().start(0, 1);
  for (std::uint64_t s = 1; s <= 100; ++s) log.set(s, "key", "\"value\"", s == 1 ? 0 : s - 1);
  log.mark(100);
  const std::size_t good = log.bytes.size();
  for (std::uint64_t s = 101; s <= 300; ++s) log.set(s, "key", "\"value\"");
  log.bytes.replace(good, 3192, std::string(3192, '\0'));
  const Found found = find(log.bytes);
  EXPECT_EQ(found.recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(found.recovery.good_end, good);
  EXPECT_EQ(found.recovery.after, 100U);
}

TEST(RecoveryCut, zeroes_before_a_good_line_do_not_hide_what_it_says) {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0).raw(std::string(512, '\0')).set(3, "c", "1", 2);
  EXPECT_EQ(find(log.bytes).recovery.kind, RecoveryKind::damaged);
}

TEST(RecoveryCut, a_watermark_above_all_commits_means_that_lines_are_missing) {
  const Found at_end = find(stopped_log() + LogWriter().mark(1'000'000).bytes);
  EXPECT_EQ(at_end.recovery.kind, RecoveryKind::damaged);
  EXPECT_EQ(at_end.recovery.bad_line, 6U);
  EXPECT_NE(at_end.recovery.reason.find("lines are missing"), std::string::npos);
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0).set(2, "b", "1", 7);
  EXPECT_EQ(find(log.bytes).recovery.kind, RecoveryKind::damaged);
  LogWriter edge;
  edge.first().start(0, 1).set(1, "a", "1", 0).set(2, "b", "1", 1).mark(2);
  EXPECT_EQ(find(edge.bytes).recovery.kind, RecoveryKind::whole);
  LogWriter own;
  own.first().start(0, 1).set(1, "a", "1", 1);
  EXPECT_EQ(find(own.bytes).recovery.kind, RecoveryKind::damaged)
      << "no line can know of its own sync";
}

TEST(RecoveryCut, a_commit_torn_between_its_lines_is_cut_whole) {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0);
  const std::size_t good = log.bytes.size();
  for (const char* key : {"x", "y", "z"}) {
    log.record({.key = key, .version = 1, .value = "1", .sequence = 2, .commit_records = 3});
  }
  const std::vector<std::string> lines = lines_of(log.bytes);
  for (const std::size_t kept : {4, 5}) {
    const Found found = find(joined({lines.begin(), lines.begin() + static_cast<long>(kept)}));
    EXPECT_EQ(found.recovery.kind, RecoveryKind::cut);
    EXPECT_EQ(found.recovery.good_end, good);
    EXPECT_EQ(found.recovery.bad_line, kept + 1);
    EXPECT_EQ(keys_of(found), Keys{"a"});
  }
  EXPECT_EQ(find(log.bytes).recovery.kind, RecoveryKind::whole);
  const auto between = [&](const std::string& line) {
    return find(lines[0] + lines[1] + lines[2] + lines[3] + line + lines[4] + lines[5]);
  };
  EXPECT_EQ(between(LogWriter().mark(1).bytes).recovery.good_end, good);
  EXPECT_EQ(between(LogWriter().mark(1).bytes).recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(between(LogWriter().set(3, "b", "1").bytes).recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(between(LogWriter().set(3, "b", "1", 2).bytes).recovery.kind, RecoveryKind::damaged);
  EXPECT_EQ(between("{\"k\":\"b\",\"val\":1}\n").recovery.kind, RecoveryKind::cut);
}

TEST(RecoveryCut, a_commit_whose_lines_do_not_agree_is_not_taken) {
  const Record first{.key = "x", .version = 1, .value = "1", .sequence = 1, .commit_records = 2};
  Record other = first;
  other.key = "y";
  const auto with = [&first](const Record& second) {
    return find(LogWriter().first().start(0, 1).record(first).record(second).bytes).recovery.kind;
  };
  EXPECT_EQ(with(other), RecoveryKind::whole);
  other.commit_records = 3;
  EXPECT_EQ(with(other), RecoveryKind::cut);
  EXPECT_EQ(with(first), RecoveryKind::cut) << "one key twice: a line was doubled";
  other.commit_records = 2;
  other.sequence = 2;
  EXPECT_EQ(with(other), RecoveryKind::cut);
  other.sequence = 1;
  other.watermark = 0;
  EXPECT_EQ(with(other), RecoveryKind::cut) << "a batch begins with a commit";
  other.watermark.reset();
  other.time_ms = 1790000000009;
  EXPECT_EQ(with(other), RecoveryKind::cut) << "so does its time";
}

TEST(RecoveryCut, before_the_base_line_all_is_damage) {
  const std::vector<std::string> lines = lines_of(base_log().bytes);
  const auto kind = [](const std::vector<std::string>& of) { return find(joined(of)).recovery; };
  for (std::size_t kept = 1; kept < lines.size(); ++kept) {
    const Recovery cut = kind({lines.begin(), lines.begin() + static_cast<long>(kept)});
    EXPECT_EQ(cut.kind, RecoveryKind::damaged);
    EXPECT_EQ(cut.bad_line, kept + 1);
  }
  EXPECT_EQ(kind({lines[0], lines[2], lines[1], lines[3], lines[4]}).kind, RecoveryKind::damaged);
  EXPECT_EQ(kind({lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]}).kind,
            RecoveryKind::damaged);
  EXPECT_EQ(kind({lines[0], lines[1], lines[3], lines[4]}).bad_line, 4U) << "counted at its end";
  EXPECT_EQ(kind({lines[0], lines[1], lines[1], lines[3], lines[4]}).bad_line, 3U)
      << "and one written over another is not another";
  EXPECT_EQ(
      kind({lines[0], lines[1], LogWriter().mark(9).bytes, lines[2], lines[3], lines[4]}).kind,
      RecoveryKind::damaged);
  const std::string beyond = replaced(unsealed(lines[3]), "\"s\":9", "\"s\":10");
  EXPECT_EQ(kind({lines[0], lines[1], lines[2], beyond, lines[4]}).bad_line, 4U)
      << "it is not of the base";
  const std::string signed_by = replaced(unsealed(lines[3]), "\"s\":9", "\"s\":9,\"by\":\"1/x\"");
  EXPECT_EQ(kind({lines[0], lines[1], lines[2], signed_by, lines[4]}).bad_line, 4U);
  EXPECT_EQ(kind({LogWriter().first().bytes, lines[1], lines[2], lines[3], lines[4]}).kind,
            RecoveryKind::damaged);
}

}  // namespace dfs::log
