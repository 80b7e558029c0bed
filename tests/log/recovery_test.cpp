#include "common/log/recovery.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/log/format.hpp"
#include "tests/log/sample.hpp"

namespace dfs::log {

namespace {

std::vector<std::string> keys_of(const Found& found) {
  std::vector<std::string> keys;
  for (const SeenRecord& record : found.records) keys.push_back(record.key);
  return keys;
}

using Keys = std::vector<std::string>;

}  // namespace

// --- what is whole

TEST(Recovery, an_empty_file_is_a_new_store) {
  EXPECT_EQ(find("").recovery.kind, RecoveryKind::empty);
}

TEST(Recovery, an_ordinary_log_is_read_whole_and_in_order) {
  const Found found = find(ordinary_log());
  EXPECT_EQ(found.recovery.kind, RecoveryKind::whole) << found.recovery.reason;
  EXPECT_EQ(keys_of(found), (Keys{"user1", "user2", "a", "user1", "quo\"te\\back\nline\x01",
                                  "schl\xC3\xBCssel", "e", "f", "g", "h", "i", "j"}));
  EXPECT_TRUE(found.whole_commits);
  EXPECT_EQ(found.recovery.good_end, ordinary_log().size());
  EXPECT_EQ(found.recovery.first.store, kStoreId);
  EXPECT_EQ(found.recovery.records, 12U);
  EXPECT_EQ(found.recovery.commits, 9U);
  EXPECT_EQ(found.recovery.watermark, 2 * kGap + 1);
  EXPECT_EQ(found.recovery.after, 2 * kGap + 3);
  EXPECT_FALSE(found.recovery.clean_stop);
  EXPECT_EQ(found.recovery.next, 4 * kGap);
  EXPECT_EQ(found.recovery.gaps.list(), (std::vector<Gap>{{5, 2 * kGap}}));
  EXPECT_EQ(found.records[0].value, R"({"name":"Alice","n":19.99})");
  EXPECT_EQ(found.records[1].value, R"(["x",1E400])") << "no digit of a number changes";
  EXPECT_TRUE(found.records[3].erased);
}

// Lets out what it is asked for and a few bytes more.
class Dripping final : public Arrival {
 public:
  Dripping(std::size_t all, std::size_t step) : all_(all), step_(step) {}
  std::size_t wait_beyond(std::size_t have) override {
    EXPECT_LT(have, all_) << "nothing is left to wait for";
    return std::min(all_, have + step_);
  }

 private:
  const std::size_t all_;
  const std::size_t step_;
};

TEST(Recovery, a_log_that_arrives_in_pieces_is_found_as_if_it_had_been_there) {
  for (const std::string& bytes : {ordinary_log(), base_with_tail_log(),
                                   ordinary_log().substr(0, 300), std::string("{}\n{}")}) {
    const Found whole = find(bytes);
    for (const std::size_t step : {1U, 7U, 1000U}) {
      Dripping dripping(bytes.size(), step);
      Seen seen;
      const Recovery found = recover(bytes, dripping, seen);
      EXPECT_EQ(found.kind, whole.recovery.kind);
      EXPECT_EQ(found.good_end, whole.recovery.good_end);
      EXPECT_EQ(found.reason, whole.recovery.reason);
      EXPECT_EQ(seen.records, whole.records);
    }
  }
}

TEST(Recovery, the_time_of_a_batch_is_that_of_all_its_records) {
  const Found found = find(ordinary_log());
  EXPECT_EQ(found.records[1].time_ms, found.records[0].time_ms);
  EXPECT_EQ(found.records[4].time_ms, 1790000000003U);
  EXPECT_EQ(found.records[2].origin, "1000/shop");
  EXPECT_EQ(find(base_with_tail_log()).records[2].time_ms, 0U) << "a base record has its own";
}

TEST(Recovery, a_lone_first_line_is_a_store_without_commits) {
  const Found found = find(LogWriter().first().bytes);
  EXPECT_EQ(found.recovery.kind, RecoveryKind::whole);
  EXPECT_EQ(found.recovery.after, 0U);
  EXPECT_EQ(found.recovery.next, kGap) << "somebody may have prepared a sequence";
}

TEST(Recovery, a_base_stands_for_its_sequence) {
  const Found found = find(base_log().bytes);
  EXPECT_EQ(found.recovery.kind, RecoveryKind::whole) << found.recovery.reason;
  EXPECT_EQ(keys_of(found), (Keys{"a", "b\"", "c"}));
  EXPECT_TRUE(found.records[0].in_base);
  EXPECT_EQ(found.recovery.base_records, 3U);
  EXPECT_EQ(found.recovery.commits, 0U);
  EXPECT_EQ(found.recovery.after, 9U);
  EXPECT_EQ(found.recovery.watermark, 9U);
  EXPECT_EQ(found.recovery.floor, 4U);
  EXPECT_TRUE(found.recovery.gaps.lost(4));
  const Found tail = find(base_with_tail_log());
  EXPECT_EQ(tail.recovery.kind, RecoveryKind::whole) << tail.recovery.reason;
  EXPECT_EQ(tail.recovery.after, 13U);
  EXPECT_EQ(tail.recovery.gaps.list(), (std::vector<Gap>{{3, 6}, {11, 13}}));
}

TEST(Recovery, a_base_taken_in_front_of_a_gap_goes_on_behind_it) {
  LogWriter log;
  log.first(9);
  Base base{.records = 0, .sequence = 9, .floor = 0, .restored = 7, .gaps = {}, .time_ms = 6};
  base.gaps.add(9, kGap);
  log.base(base);
  EXPECT_EQ(find(log.bytes).recovery.after, 9U);
  EXPECT_EQ(find(log.bytes).recovery.next, 2 * kGap);
  EXPECT_EQ(find(log.bytes).recovery.restored, 7U);
  const std::string ten = LogWriter(log).set(10, "a", "1").bytes;
  EXPECT_EQ(find(ten).recovery.kind, RecoveryKind::cut);
  const Found found = find(log.start(9, kGap).set(kGap, "a", "1").bytes);
  EXPECT_EQ(found.recovery.kind, RecoveryKind::whole) << found.recovery.reason;
  EXPECT_EQ(found.recovery.gaps.list(), (std::vector<Gap>{{9, kGap}}));
}

// --- sequences

TEST(Recovery, after_a_clean_stop_the_next_sequence_follows) {
  const Found found = find(stopped_log());
  EXPECT_TRUE(found.recovery.clean_stop);
  EXPECT_EQ(found.recovery.next, 3U);
}

TEST(Recovery, a_mark_or_a_start_behind_the_stop_is_no_clean_stop) {
  for (const std::string& line : {LogWriter().mark(2).bytes, LogWriter().start(2, 3).bytes}) {
    const Found found = find(stopped_log() + line);
    EXPECT_EQ(found.recovery.kind, RecoveryKind::whole);
    EXPECT_FALSE(found.recovery.clean_stop);
    EXPECT_EQ(found.recovery.next, 2 * kGap);
  }
}

TEST(Recovery, a_stop_behind_an_unused_start_keeps_what_was_announced) {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0).start(1, kGap).stop(1);
  EXPECT_EQ(find(log.bytes).recovery.next, kGap) << "2 to kGap - 1 lie in a gap";
}

TEST(Recovery, what_was_cut_off_makes_no_clean_stop) {
  const Found found = find(stopped_log() + "[\"sta");
  EXPECT_EQ(found.recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(found.recovery.good_end, stopped_log().size());
  EXPECT_FALSE(found.recovery.clean_stop);
  EXPECT_EQ(found.recovery.next, 2 * kGap);
}

TEST(Recovery, the_next_sequence_is_beyond_all_that_may_have_been_given) {
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

TEST(Recovery, sequences_found_behind_the_cut_are_not_given_again) {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0).raw(std::string(300, '\0') + "\n");
  log.set(5 * kGap, "b", "1", 0);
  const Found found = find(log.bytes);
  EXPECT_EQ(found.recovery.kind, RecoveryKind::cut);
  EXPECT_EQ(found.recovery.after, 1U);
  EXPECT_EQ(found.recovery.next, 6 * kGap);
}

TEST(Recovery, used_up_sequences_are_refused) {
  LogWriter log;
  log.first().start(0, kMaxSequence - 1).set(kMaxSequence - 1, "a", "1");
  EXPECT_EQ(find(log.bytes).recovery.kind, RecoveryKind::damaged);
}

// --- x above W: cut; x at or below W: damage

TEST(Recovery, torn_last_line_is_cut_and_kept) {
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

TEST(Recovery, a_bad_line_is_judged_by_the_highest_watermark_in_the_file) {
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

TEST(Recovery, pages_of_an_unsynced_stretch_may_be_there_in_any_order) {
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

TEST(Recovery, zeroes_before_a_good_line_do_not_hide_what_it_says) {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0).raw(std::string(512, '\0')).set(3, "c", "1", 2);
  EXPECT_EQ(find(log.bytes).recovery.kind, RecoveryKind::damaged);
}

TEST(Recovery, a_watermark_above_all_commits_means_that_lines_are_missing) {
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

TEST(Recovery, a_commit_torn_between_its_lines_is_cut_whole) {
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

TEST(Recovery, a_commit_whose_lines_do_not_agree_is_not_taken) {
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
}

TEST(Recovery, before_the_base_line_all_is_damage) {
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
  EXPECT_EQ(
      kind({lines[0], lines[1], LogWriter().mark(9).bytes, lines[2], lines[3], lines[4]}).kind,
      RecoveryKind::damaged);
  EXPECT_EQ(kind({LogWriter().first().bytes, lines[1], lines[2], lines[3], lines[4]}).kind,
            RecoveryKind::damaged);
}

// --- first lines

TEST(Recovery, without_a_good_first_line_there_is_no_log) {
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

TEST(Recovery, another_format_is_incompatible_and_an_unknown_need_unsupported) {
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

TEST(Recovery, lines_of_later_versions_are_passed_over) {
  const std::string later = sealed("[\"later\",{\"x\":[1]", "}]") + "\n";
  const std::vector<std::string> lines = lines_of(stopped_log());
  const Found found = find(lines[0] + later + lines[1] + lines[2] + later + lines[3] + lines[4]);
  EXPECT_EQ(found.recovery.kind, RecoveryKind::whole) << found.recovery.reason;
  EXPECT_EQ(found.recovery.other_controls, 2U);
  EXPECT_EQ(found.records, find(stopped_log()).records);
}

// --- edits by hand

TEST(Recovery, edits_of_a_stopped_log_are_refused_by_line) {
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

TEST(Recovery, a_line_whose_seal_was_taken_out_is_accepted_and_reported) {
  std::vector<std::string> lines = lines_of(stopped_log());
  lines[2] = unsealed(replaced(lines[2], "\"val\":1", "\"val\": {\"by\": \"hand\"}"));
  lines[4] = unsealed(lines[4]);
  const Found found = find(joined(lines));
  ASSERT_EQ(found.recovery.kind, RecoveryKind::whole) << found.recovery.reason;
  EXPECT_EQ(found.records[0].value, R"({"by":"hand"})");
  EXPECT_EQ(found.recovery.edited_lines, (std::vector<std::uint64_t>{3, 5}));
  EXPECT_TRUE(found.recovery.clean_stop);
}

TEST(Recovery, edited_lines_inside_commits_keep_their_texts) {
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

TEST(Recovery, lines_by_hand_behind_the_last_line_are_set_aside) {
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

TEST(Recovery, lines_by_hand_before_a_torn_one_count_and_before_a_good_one_do_not) {
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

// --- starts, visitors

TEST(Recovery, a_start_must_follow_the_commit_that_it_names) {
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
  EXPECT_EQ(find(announced + LogWriter().set(2, "b", "1").bytes).recovery.kind, RecoveryKind::cut);
}

TEST(Recovery, what_the_visitor_refuses_ends_it) {
  class Full final : public RecordVisitor {
   public:
    Result<void> record(const Record& record) override {
      if (record.sequence == 2) return Error(errc::store_full, "no memory for it");
      return {};
    }
  } full;
  const Recovery recovery = recover(stopped_log(), full);
  EXPECT_EQ(recovery.kind, RecoveryKind::refused);
  EXPECT_FALSE(recovery.usable());
  EXPECT_EQ(recovery.bad_line, 4U);
  EXPECT_EQ(recovery.error("users.db").code(), errc::store_full);
  EXPECT_NE(recovery.error("users.db").text().find("no memory for it"), std::string_view::npos);
}

// --- random logs

RC_GTEST_PROP(Recovery, random_logs_come_back_and_damage_is_never_silent,
              (const std::vector<std::uint16_t>& plan, const std::vector<std::uint32_t>& damage)) {
  static constexpr std::string_view keys[] = {"k", "l", "m"};
  LogWriter log;
  log.first().start(0, 1);
  std::vector<SeenRecord> all;
  std::uint64_t sequence = 0;
  std::uint64_t synced = 0;
  for (const std::uint16_t step : plan) {
    if (step % 7 == 5) {
      log.mark(sequence);
      synced = sequence;
      continue;
    }
    if (step % 7 == 6) {
      log.start(sequence, sequence + 1 + step % 5);
      sequence += step % 5;
      synced = all.empty() ? 0 : all.back().sequence;
      if (step % 5 != 0) {
        ++sequence;
        log.set(sequence, "k", "1", synced);
        all.push_back({.key = "k", .version = sequence, .value = "1", .sequence = sequence});
      }
      continue;
    }
    ++sequence;
    const std::uint32_t records = 1 + step % 3;
    const bool leads = step % 2 == 0;
    for (std::uint32_t i = 0; i < records; ++i) {
      Record record{.key = keys[i],
                    .version = sequence,
                    .value = "1",
                    .sequence = sequence,
                    .commit_records = records};
      if (leads && i == 0) record.watermark = synced;
      log.record(record);
      all.push_back(
          {.key = std::string(keys[i]), .version = sequence, .value = "1", .sequence = sequence});
    }
    if (leads) synced = sequence;
  }
  const auto sequences = [](const std::vector<SeenRecord>& records) {
    std::vector<std::uint64_t> result;
    for (const SeenRecord& record : records) result.push_back(record.sequence);
    return result;
  };
  const Found whole = find(log.bytes);
  RC_ASSERT(whole.recovery.kind == RecoveryKind::whole);
  RC_ASSERT(sequences(whole.records) == sequences(all));
  std::string bytes = log.bytes;
  for (const std::uint32_t at : damage) bytes[at % bytes.size()] = static_cast<char>(at >> 24U);
  const Found found = find(bytes);
  if (!found.recovery.usable()) {
    RC_ASSERT(found.recovery.bad_line > 0U);
    return;
  }
  RC_ASSERT(found.whole_commits);
  RC_ASSERT(found.records.size() <= all.size());
  for (std::size_t i = 0; i < found.records.size(); ++i) {
    RC_ASSERT(found.records[i].sequence == all[i].sequence);
    RC_ASSERT(found.records[i].value == all[i].value);
  }
  RC_ASSERT(found.recovery.next > sequence);
}

}  // namespace dfs::log
