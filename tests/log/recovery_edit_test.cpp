// What somebody else has written: no log, a log of another format, and a log that was edited by
// hand, whose mistakes are told by line.
#include "common/log/recovery.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/log/sample.hpp"

namespace dfs::log {

TEST(RecoveryEdit, without_a_good_first_line_there_is_no_log) {
  const std::string log = stopped_log();
  const std::vector<std::string> lines = lines_of(log);
  const std::string bad[] = {log.substr(lines[0].size()),
                             "\xEF\xBB\xBF" + log,
                             "\n" + log,
                             std::string(5000, '\0'),
                             "hello",
                             "[]\n",
                             "#!/bin/sh\n",
                             lines[0].substr(0, lines[0].size() - 1),
                             lines[0].substr(0, 20),
                             lines[1] + lines[0],
                             std::string(10, '\0') + log};
  for (const std::string& bytes : bad) {
    const Recovery recovery = find(bytes).recovery;
    EXPECT_EQ(recovery.kind, RecoveryKind::damaged) << bytes.substr(0, 60);
    EXPECT_EQ(recovery.bad_line, 1U);
    EXPECT_EQ(recovery.bad_offset, 0U);
    EXPECT_NE(recovery.reason.find("A log begins with"), std::string::npos) << recovery.reason;
  }
}

TEST(RecoveryEdit, another_format_is_incompatible_and_an_unknown_need_unsupported) {
  std::string bytes;
  append_first(
      bytes, {.format = 2, .store = std::string(kStoreId), .base = 0, .needs = {}, .dfs = "2.0.0"});
  Recovery recovery = find(bytes).recovery;
  EXPECT_EQ(recovery.kind, RecoveryKind::incompatible);
  EXPECT_EQ(recovery.error("x.db").code(), errc::incompatible);
  EXPECT_NE(recovery.reason.find("dfs 2.0.0"), std::string::npos);
  bytes.clear();
  append_first(bytes,
               {.store = std::string(kStoreId), .base = 0, .needs = {"packed"}, .dfs = "1.7.0"});
  recovery = find(bytes).recovery;
  EXPECT_EQ(recovery.kind, RecoveryKind::unsupported);
  EXPECT_EQ(recovery.error("x.db").code(), errc::unsupported);
  EXPECT_NE(recovery.reason.find("\"packed\""), std::string::npos);
  EXPECT_NE(recovery.reason.find("dfs 1.7.0"), std::string::npos);
}

TEST(RecoveryEdit, edits_of_a_stopped_log_are_refused_by_line) {
  const std::vector<std::string> lines = lines_of(stopped_log());
  struct Edit {
    std::string what;
    std::string bytes;
    std::uint64_t line;
  };
  std::string crlf;
  for (std::string line : lines) crlf += line.insert(line.size() - 1, "\r");
  std::string one_crlf = lines[3];
  one_crlf.insert(one_crlf.size() - 1, "\r");
  const Edit edits[] = {
      {"CRLF", crlf, 1},
      {"BOM", "\xEF\xBB\xBF" + joined(lines), 1},
      {"CRLF on one line", lines[0] + lines[1] + lines[2] + one_crlf + lines[4], 4},
      {"reordered", lines[0] + lines[1] + lines[3] + lines[2] + lines[4], 3},
      {"doubled", lines[0] + lines[1] + lines[2] + lines[2] + lines[3] + lines[4], 4},
      {"one taken out", lines[0] + lines[1] + lines[3] + lines[4], 3},
      {"the last taken out", lines[0] + lines[1] + lines[2] + lines[4], 4},
      {"a value changed", replaced(joined(lines), "\"val\":2", "\"val\":3"), 4},
      {"an empty line", lines[0] + lines[1] + "\n" + lines[2] + lines[3] + lines[4], 3},
      {"a line without s between",
       lines[0] + lines[1] + lines[2] + "{\"k\":\"z\",\"val\":1}\n" + lines[3] + lines[4], 4},
      {"two logs in one", joined(lines) + joined(lines), 6}};
  for (const Edit& edit : edits) {
    const Recovery recovery = find(edit.bytes).recovery;
    EXPECT_EQ(recovery.bad_line, edit.line) << edit.what << ": " << recovery.reason;
    if (edit.what == "two logs in one") {
      EXPECT_EQ(recovery.kind, RecoveryKind::cut) << "the second was never known to be here";
      continue;
    }
    ASSERT_EQ(recovery.kind, RecoveryKind::damaged) << edit.what;
    const Error error = recovery.error("users.db");
    EXPECT_EQ(error.code(), errc::damaged);
    EXPECT_EQ(error.line(), edit.line);
    EXPECT_EQ(error.offset(), recovery.bad_offset);
    EXPECT_NE(error.text().find("--accept-edits"), std::string_view::npos) << error.text();
    EXPECT_NE(error.text().find("line " + std::to_string(edit.line)), std::string_view::npos);
  }
}

TEST(RecoveryEdit, a_line_whose_seal_was_taken_out_is_accepted_and_reported) {
  std::vector<std::string> lines = lines_of(stopped_log());
  lines[2] = unsealed(replaced(lines[2], "\"val\":1", "\"val\": {\"by\": \"hand\"}"));
  lines[4] = unsealed(lines[4]);
  const Found found = find(joined(lines));
  ASSERT_EQ(found.recovery.kind, RecoveryKind::whole) << found.recovery.reason;
  EXPECT_EQ(found.records[0].value, R"({"by":"hand"})");
  EXPECT_EQ(found.recovery.edited_lines, (std::vector<std::uint64_t>{3, 5}));
  EXPECT_TRUE(found.recovery.clean_stop);
}

TEST(RecoveryEdit, edited_lines_inside_commits_keep_their_texts) {
  LogWriter log;
  log.first().start(0, 1);
  std::string commit;
  for (const char* key : {"k\"1", "k\"2", "k\"3"}) {
    std::string line;
    append_record(line,
                  {.key = key, .version = 1, .value = "[1]", .sequence = 1, .commit_records = 3});
    commit += replaced(unsealed(line), "[1]", "[ 1,\t\"" + std::string(key).substr(2) + "\" ]");
  }
  const Found found = find(log.bytes + commit);
  ASSERT_EQ(found.recovery.kind, RecoveryKind::whole) << found.recovery.reason;
  EXPECT_EQ(keys_of(found), (Keys{"k\"1", "k\"2", "k\"3"}));
  EXPECT_EQ(found.records[0].value, R"([1,"1"])");
  EXPECT_EQ(found.records[2].value, R"([1,"3"])");
}

TEST(RecoveryEdit, lines_by_hand_behind_the_last_line_are_set_aside) {
  const std::string log = stopped_log();
  const Found found = find(log + "{\"k\":\"x\",\"val\":[1, 2]}\n{\"k\":\"a\",\"d\":true}\n");
  ASSERT_EQ(found.recovery.kind, RecoveryKind::whole) << found.recovery.reason;
  EXPECT_EQ(found.recovery.good_end, log.size());
  ASSERT_EQ(found.recovery.hand_written.size(), 2U);
  EXPECT_EQ(found.recovery.hand_written[0].key, "x");
  EXPECT_EQ(found.recovery.hand_written[0].value, "[1,2]");
  EXPECT_EQ(found.recovery.hand_written[0].line, 6U);
  EXPECT_TRUE(found.recovery.hand_written[1].erased);
  EXPECT_EQ(keys_of(found), (Keys{"a", "b"})) << "they are committed like anybody's";
  EXPECT_TRUE(found.recovery.clean_stop);
  EXPECT_TRUE(found.recovery.edited_lines.empty());
}

TEST(RecoveryEdit, lines_by_hand_before_a_torn_one_count_and_before_a_good_one_do_not) {
  const std::string log = stopped_log();
  const std::string by_hand = "{\"k\":\"x\",\"val\":1}\n";
  const Found torn = find(log + by_hand + "{\"k\":\"y\",\"val\":1}");
  EXPECT_EQ(torn.recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(torn.recovery.good_end, log.size());
  EXPECT_EQ(torn.recovery.bad_line, 7U);
  EXPECT_EQ(torn.recovery.hand_written.size(), 1U);
  const Found bad = find(log + by_hand + "oops\n" + by_hand);
  EXPECT_EQ(bad.recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(bad.recovery.bad_line, 7U);
  for (const std::string& between : {std::string(), std::string("oops\n")}) {
    const Found good = find(log + by_hand + between + LogWriter().set(3, "c", "1").bytes);
    EXPECT_EQ(good.recovery.kind, RecoveryKind::cut);
    EXPECT_EQ(good.recovery.bad_line, 6U);
    EXPECT_TRUE(good.recovery.hand_written.empty());
    EXPECT_NE(good.recovery.reason.find("\"s\""), std::string::npos);
  }
  EXPECT_EQ(find(log + by_hand + LogWriter().mark(3).bytes).recovery.kind, RecoveryKind::damaged);
}

TEST(RecoveryEdit, a_line_by_hand_inside_a_commit_does_not_count) {
  const Record half{.key = "c", .version = 1, .value = "1", .sequence = 3, .commit_records = 2};
  const std::string log = stopped_log() + LogWriter().record(half).bytes;
  const Recovery recovery = find(log + "{\"k\":\"x\",\"val\":1}\n").recovery;
  EXPECT_EQ(recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(recovery.bad_line, 7U);
  EXPECT_EQ(recovery.good_end, stopped_log().size());
  EXPECT_TRUE(recovery.hand_written.empty()) << "nobody knows what it was put into";
}

}  // namespace dfs::log
