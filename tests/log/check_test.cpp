#include "common/log/check.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/log/sample.hpp"

namespace dfs::log {

namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::vector<std::string> described(std::string_view bytes) {
  std::vector<std::string> lines;
  describe_lines(bytes, [&lines](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

}  // namespace

TEST(Check, a_whole_log_is_said_to_be_whole) {
  const Report report = check(stopped_log(), "users.db");
  EXPECT_TRUE(report.whole);
  EXPECT_FALSE(report.error.has_value());
  EXPECT_TRUE(has(report.text, "store 00112233445566778899aabbccddeeff, written by dfs 1.0.0\n"));
  EXPECT_TRUE(
      has(report.text, "2 commits with 2 records; the last is 2, known to be on disk to 2\n"))
      << report.text;
  EXPECT_TRUE(has(report.text, "users.db is whole, stopped cleanly\n"));
  EXPECT_TRUE(
      has(check(base_with_tail_log(), "x").text, "no commits between 11 and 13: skipped\n"));
  EXPECT_TRUE(check("", "x").whole);
}

TEST(Check, what_the_next_start_would_cut_off_is_said_with_its_place) {
  const std::string log = stopped_log();
  const Report report = check(log + "[\"sta", "users.db");
  EXPECT_FALSE(report.whole);
  ASSERT_TRUE(report.error.has_value());
  EXPECT_EQ(report.error->code(), errc::damaged);
  EXPECT_EQ(report.error->line(), 6U);
  EXPECT_EQ(report.error->offset(), log.size());
  EXPECT_TRUE(has(report.text, "keeps 5 bytes from offset " + std::to_string(log.size())))
      << report.text;
}

TEST(Check, damage_is_said_with_its_place_and_the_way_out) {
  const Report report = check(replaced(stopped_log(), "\"val\":1", "\"val\":7"), "users.db");
  EXPECT_FALSE(report.whole);
  ASSERT_TRUE(report.error.has_value());
  EXPECT_EQ(report.error->line(), 3U);
  EXPECT_TRUE(has(report.text, "users.db, line 3 (offset "));
  EXPECT_TRUE(has(report.text, "dfsctl repair users.db -o NEW"));
}

TEST(Check, edits_and_lines_by_hand_are_told) {
  std::vector<std::string> lines = lines_of(stopped_log());
  lines[2] = unsealed(lines[2]);
  lines.push_back("{\"k\":\"new\",\"val\":1}\n");
  const Report report = check(joined(lines), "users.db");
  EXPECT_TRUE(report.whole);
  EXPECT_TRUE(has(report.text, "line 3 was edited by hand"));
  EXPECT_TRUE(has(report.text, "line 6 was written by hand: the next start sets \"new\""));
}

TEST(Check, a_value_that_is_not_json_is_found_under_a_seal_that_fits) {
  const std::string bad = sealed(R"({"k":"a","v":1,"d":false,"val":{"x":,"s":1)", "}") + "\n";
  const std::string log = LogWriter().first().start(0, 1).raw(bad).bytes;
  EXPECT_EQ(find(log).recovery.kind, RecoveryKind::whole) << "a start takes it on trust";
  const Report report = check(log, "users.db");
  EXPECT_FALSE(report.whole);
  ASSERT_TRUE(report.error.has_value());
  EXPECT_EQ(report.error->code(), errc::damaged);
  EXPECT_EQ(report.error->line(), 3U);
  EXPECT_TRUE(has(report.text, "the value of \"a\""));
}

TEST(Check, go_files_are_told_apart) {
  const Report whole = check(source_file("tests/data/go-dfs-users.db"), "users.db");
  EXPECT_TRUE(whole.whole);
  EXPECT_TRUE(has(whole.text, "2070 live keys")) << whole.text;
  const std::string bytes = source_file("tests/data/go-dfs-users-history-torn.db");
  const Report torn = check(bytes, "users.db");
  EXPECT_FALSE(torn.whole);
  EXPECT_EQ(torn.recovery.bad_offset, bytes.rfind('\n') + 1);
  EXPECT_TRUE(has(torn.text, "is torn and does not count. dfsd serves what stands before it"));
  EXPECT_TRUE(has(torn.text, "as users.db.original"));
  EXPECT_TRUE(has(torn.text, "2069 live keys, 40 erased"));
  EXPECT_FALSE(check("{\"k\":\"a\",\"v\":0,\"d\":true}\n", "x").whole);
}

TEST(Check, every_line_is_described_and_bad_ones_are_marked) {
  const std::vector<std::string> lines = described(ordinary_log() + "oops\n[\"mar");
  ASSERT_EQ(lines.size(), lines_of(ordinary_log()).size() + 2);
  EXPECT_EQ(lines[0], "1: log of store 00112233445566778899aabbccddeeff, format 1, dfs 1.0.0");
  EXPECT_EQ(lines[1], "2: start after 0, next 1  at 2026-09-21 14:13:20.001Z");
  EXPECT_EQ(lines[2], R"(3: 1  set user1 version 1 = {"name":"Alice","n":19.99})"
                      "  at 2026-09-21 14:13:20.001Z  on disk to 0");
  EXPECT_EQ(lines[4], "5: idle, on disk to 2");
  EXPECT_EQ(lines[6], "7: 3 (one of 3)  erase user1 version 2");
  EXPECT_TRUE(has(lines[5], "by 1000/shop"));
  EXPECT_TRUE(has(lines[lines.size() - 2], "BAD: "));
  EXPECT_TRUE(has(lines.back(), "(torn: no newline)"));
  EXPECT_TRUE(has(described(unsealed(LogWriter().mark(3).bytes))[0], "(edited: no checksum)"));
}

}  // namespace dfs::log
