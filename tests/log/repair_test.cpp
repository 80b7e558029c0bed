#include "common/log/repair.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/log/check.hpp"
#include "tests/log/sample.hpp"

namespace dfs::log {
namespace {

constexpr std::string_view kNewId = "ffeeddccbbaa99887766554433221100";

RepairOptions options(bool accept_edits = false) {
  return {.accept_edits = accept_edits,
          .store_id = std::string(kNewId),
          .dfs_version = "1.0.0",
          .time_ms = 1790000000999};
}

Repaired mended(std::string_view bytes, bool accept_edits = false) {
  auto repaired = repair(bytes, options(accept_edits));
  EXPECT_TRUE(repaired.has_value()) << repaired.error().text();
  return repaired ? std::move(*repaired) : Repaired{};
}

using State = std::map<std::string, std::pair<std::uint64_t, std::string>>;

// Each live key with its version and value.
State state_of(std::string_view bytes) {
  State state;
  for (const SeenRecord& record : find(bytes).records) {
    if (record.erased) {
      state.erase(record.key);
    } else {
      state[record.key] = {record.version, record.value};
    }
  }
  return state;
}

bool says(const Repaired& repaired, std::uint64_t line, std::string_view text) {
  return std::any_of(repaired.findings.begin(), repaired.findings.end(),
                     [&](const RepairFinding& finding) {
                       return finding.line == line && finding.text.find(text) != std::string::npos;
                     });
}

std::vector<std::string> samples() {
  LogWriter behind_gap = base_before_gap_log();
  return {ordinary_log(),   stopped_log(),    base_with_tail_log(),
          base_log().bytes, behind_gap.bytes, behind_gap.set(kGap, "b", "1", 9).bytes};
}

TEST(Repair, a_whole_log_comes_out_with_every_key_as_it_was) {
  for (const std::string& log : samples()) {
    for (const bool accept_edits : {false, true}) {
      const Repaired repaired = mended(log, accept_edits);
      EXPECT_EQ(state_of(repaired.bytes), state_of(log));
      EXPECT_TRUE(repaired.findings.empty()) << repaired.findings[0].text;
      EXPECT_EQ(repaired.lost_commits, 0U);
      const Recovery before = find(log).recovery;
      const Recovery after = find(repaired.bytes).recovery;
      EXPECT_EQ(after.first.store, before.first.store);
      EXPECT_EQ(after.after, before.after);
      EXPECT_EQ(after.gaps.lost(before.after), before.gaps.lost(before.after));
      EXPECT_GE(after.next, before.next) << "no sequence is given again";
      EXPECT_EQ(after.restored, before.restored) << "nothing was lost";
      for (const SeenRecord& record : find(log).records) {
        if (record.erased) {
          EXPECT_GE(after.floor, record.version) << record.key << " may come again";
        }
      }
      EXPECT_TRUE(check(repaired.bytes, "new").whole);
    }
  }
}

TEST(Repair, times_and_sequences_of_records_stay) {
  std::vector<std::string> lines = lines_of(base_with_tail_log());
  const auto records = find(mended(joined(lines)).bytes).records;
  const auto a = std::find_if(records.begin(), records.end(),
                              [](const SeenRecord& record) { return record.key == "a"; });
  ASSERT_NE(a, records.end());
  EXPECT_EQ(a->sequence, 11U);
  EXPECT_EQ(a->time_ms, 1790000000010U) << "its batch's";
}

TEST(Repair, a_damaged_line_is_lost_and_said_and_all_others_are_kept) {
  const std::string log = stopped_log();  // first, start, a, b, stop
  std::string damaged = replaced(log, "\"val\":1", "\"val\":7");
  EXPECT_EQ(find(damaged).recovery.kind, RecoveryKind::damaged);
  const Repaired repaired = mended(damaged);
  EXPECT_EQ(state_of(repaired.bytes), (State{{"b", {2, "2"}}}));
  EXPECT_TRUE(says(repaired, 3, "lost: its checksum is"));
  EXPECT_TRUE(says(repaired, 3, "--accept-edits takes it"));
  EXPECT_TRUE(says(repaired, 0, "commit 1 is not there whole"));
  EXPECT_EQ(repaired.findings[0].offset, line_of(log, 1).size() + line_of(log, 2).size());
  EXPECT_EQ(repaired.lost_lines, 1U);
  EXPECT_EQ(repaired.lost_commits, 1U);
}

TEST(Repair, what_was_lost_is_in_a_gap_and_its_versions_are_not_given_again) {
  LogWriter log;
  log.first().start(0, 1);
  for (std::uint64_t i = 1; i <= 5; ++i) log.set(i, "k", "1", i - 1);
  std::vector<std::string> lines = lines_of(log.stop(5).bytes);
  lines.erase(lines.begin() + 4, lines.begin() + 7);  // commits 3, 4, 5
  const Repaired repaired = mended(joined(lines));
  const Recovery after = find(repaired.bytes).recovery;
  EXPECT_EQ(repaired.lost_commits, 3U);
  EXPECT_EQ(state_of(repaired.bytes)["k"].first, 2U);
  EXPECT_GE(after.restored, 5U) << "k may have had version 5";
  EXPECT_GT(after.next, 5U);

  lines = lines_of(log.bytes);
  lines.erase(lines.begin() + 3, lines.begin() + 5);  // commits 2 and 3
  EXPECT_TRUE(find(mended(joined(lines)).bytes).recovery.gaps.lost(2));
  EXPECT_FALSE(find(mended(joined(lines)).bytes).recovery.gaps.lost(4));
}

TEST(Repair, the_last_commit_before_a_gap_is_missed_alone) {
  LogWriter log;
  log.first().start(0, 1).set(1, "k", "1", 0).set(2, "k", "2", 1);
  log.start(2, kGap).set(kGap, "l", "1", 2);
  std::vector<std::string> lines = lines_of(log.bytes);
  lines.erase(lines.begin() + 3);
  const Repaired repaired = mended(joined(lines));
  EXPECT_TRUE(says(repaired, 0, "commit 2 is not there whole"));
  EXPECT_EQ(repaired.lost_commits, 1U) << "nobody had the others";
  EXPECT_GE(find(repaired.bytes).recovery.restored, 2U) << "k had version 2";
}

TEST(Repair, without_its_base_no_version_up_to_the_last_commit_is_given_again) {
  const std::vector<std::string> lines = lines_of(LogWriter().set(700, "k", "1", 699).bytes);
  const std::string tail = replaced(lines[0], "\"v\":700", "\"v\":2");
  const Repaired repaired = mended(unsealed(tail.substr(0, tail.size() - 1)) + "\n");
  EXPECT_TRUE(repaired.new_store);
  EXPECT_EQ(state_of(repaired.bytes)["k"].first, 2U);
  EXPECT_GE(find(repaired.bytes).recovery.restored, 700U)
      << "another key may have changed so often";
}

TEST(Repair, commits_that_only_a_start_line_knows_of_are_missed) {
  LogWriter log;
  log.first().start(0, 1).set(1, "k", "1", 0).set(2, "k", "2");
  append_start(log.bytes, {.after = 5, .next = 6, .watermark = 2, .time_ms = 1790000000001});
  const Repaired repaired = mended(log.bytes);
  EXPECT_TRUE(says(repaired, 0, "commits 3 to 5 are not there whole"));
  EXPECT_EQ(repaired.lost_commits, 3U);
  EXPECT_GE(find(repaired.bytes).recovery.restored, 5U);
}

TEST(Repair, a_line_that_cannot_be_read_may_have_given_a_version) {
  LogWriter log;
  log.first().start(0, 1).set(1, "k", "1", 0).raw("of an unsynced commit\n");
  const Repaired repaired = mended(log.bytes);
  EXPECT_EQ(repaired.lost_commits, 0U) << "it was never known to be on disk";
  EXPECT_GE(find(repaired.bytes).recovery.restored, 2U);
}

TEST(Repair, what_is_numbered_anew_stands_behind_all_that_was_announced) {
  const std::string by_hand = "{\"k\":\"new\",\"v\":1,\"d\":false,\"val\":1}\n";
  LogWriter log;
  log.first().start(0, 1).set(1, "k", "1", 0).start(1, kGap).raw(by_hand);
  const Found found = find(mended(log.bytes, true).bytes);
  EXPECT_EQ(keys_of(found), (Keys{"k", "new"}));
  EXPECT_GT(found.records.back().sequence, kGap);
  EXPECT_TRUE(found.recovery.gaps.lost(2)) << "nobody had the sequences between";
  EXPECT_TRUE(found.recovery.gaps.lost(kGap));
  EXPECT_FALSE(found.recovery.gaps.lost(found.records.back().sequence));
}

TEST(Repair, a_sequence_that_was_skipped_is_numbered_anew) {
  LogWriter log = base_before_gap_log();
  const Repaired repaired = mended(log.set(100, "pasted", "1", 9).bytes, true);
  EXPECT_TRUE(says(repaired, 4, "commit 100 does not stand in its order"));
  EXPECT_GT(find(repaired.bytes).records.back().sequence, kGap);
}

TEST(Repair, a_line_by_hand_gets_no_version_that_an_unknown_key_may_have_had) {
  const auto version = [](const std::string& line) {
    return state_of(mended(base_before_gap_log().raw(line).bytes, true).bytes)["new"].first;
  };
  EXPECT_EQ(version("{\"k\":\"new\",\"d\":false,\"val\":1}\n"), 51U);
  EXPECT_EQ(version("{\"k\":\"new\",\"v\":1,\"d\":false,\"val\":1}\n"), 51U);
  EXPECT_EQ(version("{\"k\":\"new\",\"v\":60,\"d\":false,\"val\":1}\n"), 60U);
}

TEST(Repair, doubled_and_moved_lines_find_their_order_again) {
  const std::vector<std::string> good = lines_of(ordinary_log());
  const State state = state_of(joined(good));
  for (std::size_t from = 2; from < good.size(); ++from) {
    for (std::size_t to = 2; to <= good.size(); ++to) {
      std::vector<std::string> doubled = good;
      doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(to), good[from]);
      EXPECT_EQ(state_of(mended(joined(doubled)).bytes), state) << from << " again at " << to;
      std::vector<std::string> moved = doubled;
      moved.erase(moved.begin() + static_cast<std::ptrdiff_t>(from < to ? from : from + 1));
      const Repaired repaired = mended(joined(moved));
      EXPECT_EQ(state_of(repaired.bytes), state) << from << " moved to " << to;
      EXPECT_EQ(repaired.lost_lines, 0U);
    }
  }
}

TEST(Repair, half_a_commit_is_not_taken) {
  std::vector<std::string> lines = lines_of(ordinary_log());
  const std::size_t second_of_three = 6;
  lines[second_of_three] = "garbage\n";
  const Repaired repaired = mended(joined(lines));
  const State state = state_of(repaired.bytes);
  EXPECT_FALSE(state.contains("a"));
  EXPECT_EQ(state.at("user1").first, 1U) << "its erasure was part of that commit";
  EXPECT_TRUE(says(repaired, 6, "2 of the 3 lines of commit 3"));
  EXPECT_TRUE(says(repaired, 8, "2 of the 3 lines of commit 3"));
  EXPECT_TRUE(says(repaired, 7, "no line of a log"));
}

TEST(Repair, a_commit_that_was_refused_does_not_come_back) {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0);
  const std::string stale = LogWriter().set(2, "b", "2", 1).bytes;
  log.start(1, 5).set(5, "c", "3", 1).raw(stale);
  const Repaired repaired = mended(log.bytes);
  EXPECT_EQ(state_of(repaired.bytes), (State{{"a", {1, "1"}}, {"c", {5, "3"}}}));
  EXPECT_TRUE(says(repaired, 6, "was refused"));
  EXPECT_EQ(repaired.lost_commits, 0U);
}

TEST(Repair, editors_marks_are_taken_off_lines_that_are_whole) {
  std::string crlf = "\xEF\xBB\xBF";
  for (std::string line : lines_of(ordinary_log())) {
    line.insert(line.size() - 1, "\r");
    crlf += line;
  }
  const Repaired repaired = mended(crlf);
  EXPECT_EQ(state_of(repaired.bytes), state_of(ordinary_log()));
  EXPECT_EQ(repaired.lost_lines, 0U);
  EXPECT_EQ(find(repaired.bytes).recovery.first.store, kStoreId);
}

TEST(Repair, edits_are_taken_only_on_request) {
  std::vector<std::string> lines = lines_of(stopped_log());
  lines[2] = replaced(lines[2], "\"val\":1", "\"val\": 7");
  lines.insert(lines.begin() + 3, "{\"k\":\"new\",\"val\":[1, 2]}\n");
  lines.insert(lines.begin() + 5, lines[4]);  // b once more, with another value
  lines[5] = replaced(lines[5], "\"val\":2", "\"val\":3");

  const Repaired strict = mended(joined(lines));
  EXPECT_EQ(state_of(strict.bytes), (State{{"b", {2, "2"}}}));
  EXPECT_TRUE(says(strict, 4, "written by hand"));

  const Repaired taken = mended(joined(lines), true);
  const State state = state_of(taken.bytes);
  EXPECT_EQ(state.at("a").second, "7");
  EXPECT_EQ(state.at("new"), (std::pair<std::uint64_t, std::string>{1, "[1,2]"}));
  EXPECT_EQ(state.at("b"), (std::pair<std::uint64_t, std::string>{3, "3"}));
  EXPECT_TRUE(says(taken, 3, "taken, although its checksum"));
  EXPECT_TRUE(says(taken, 4, "taken: written by hand; it becomes commit 3"));
  EXPECT_TRUE(says(taken, 6, "commit 2 does not stand in its order; it becomes commit 4"));
  EXPECT_EQ(taken.lost_lines, 0U);
  EXPECT_EQ(find(taken.bytes).recovery.after, 4U);
}

TEST(Repair, a_line_whose_checksum_was_taken_out_counts_and_is_said) {
  std::vector<std::string> lines = lines_of(stopped_log());
  lines[2] = unsealed(replaced(lines[2], "\"val\":1", "\"val\":7"));
  const Repaired repaired = mended(joined(lines));
  EXPECT_EQ(state_of(repaired.bytes).at("a").second, "7");
  EXPECT_TRUE(says(repaired, 3, "edited by hand"));
}

TEST(Repair, without_its_first_line_it_is_another_store) {
  std::vector<std::string> lines = lines_of(base_with_tail_log());
  const State state = state_of(joined(lines));
  lines[0] = "oops\n";
  const Repaired repaired = mended(joined(lines));
  EXPECT_TRUE(repaired.new_store);
  EXPECT_EQ(find(repaired.bytes).recovery.first.store, kNewId);
  EXPECT_EQ(state_of(repaired.bytes), state);
  EXPECT_TRUE(says(repaired, 1, "lost"));
}

TEST(Repair, lost_records_of_a_base_are_counted_and_raise_every_version) {
  std::vector<std::string> lines = lines_of(base_with_tail_log());
  lines.erase(lines.begin() + 3);  // c, version 5
  const Repaired repaired = mended(joined(lines));
  EXPECT_TRUE(says(repaired, 0, "1 of the 3 records of the base"));
  EXPECT_GE(find(repaired.bytes).recovery.restored, 5U);
}

TEST(Repair, the_log_of_another_store_behind_it_is_left_out) {
  std::string other = replaced(stopped_log(), kStoreId, kNewId);
  std::vector<std::string> lines = lines_of(other);
  lines[0] = unsealed(lines[0]);
  const Repaired repaired = mended(ordinary_log() + joined(lines));
  EXPECT_EQ(state_of(repaired.bytes), state_of(ordinary_log()));
  EXPECT_TRUE(says(repaired, lines_of(ordinary_log()).size() + 1, "another store"));
}

TEST(Repair, a_value_that_is_not_json_is_lost_even_under_a_seal_that_fits) {
  const std::string bad = sealed(R"({"k":"a","v":1,"d":false,"val":{"x":,"s":1)", "}") + "\n";
  const Repaired repaired = mended(LogWriter().first().start(0, 1).raw(bad).bytes);
  EXPECT_EQ(repaired.records, 0U);
  EXPECT_TRUE(says(repaired, 3, "lost: the value is not JSON"));
}

TEST(Repair, of_a_go_file_the_lines_that_can_be_read_stay_byte_for_byte) {
  const std::string good = "{\"k\":\"a\",\"v\":1,\"d\":false,\"val\":1.50}\n";
  const Repaired repaired = mended(good + "oops\n\n" + good.substr(0, good.size() - 1) +
                                   "\r\n{\"k\":\"b\",\"v\":0,"
                                   "\"d\":true}\n{\"k\":\"c\",");
  EXPECT_TRUE(repaired.go_file);
  EXPECT_EQ(repaired.bytes, good + good);
  EXPECT_EQ(repaired.lost_lines, 4U);
  EXPECT_EQ(repaired.records, 1U);
  EXPECT_EQ(mended(source_file("tests/data/go-dfs-users-history-torn.db")).records, 2069U);
}

TEST(Repair, nothing_is_made_of_nothing) {
  for (const std::string_view bytes : {"", "oops\n", "\n\n", "SQLite format 3\0\1\2"}) {
    const auto repaired = repair(bytes, options());
    ASSERT_FALSE(repaired.has_value()) << bytes;
    EXPECT_EQ(repaired.error(), errc::damaged);
  }
}

TEST(Repair, another_format_is_not_touched) {
  const std::string line =
      sealed(
          replaced(line_of(unsealed(stopped_log().substr(0, line_of(stopped_log(), 1).size())), 1)
                       .substr(0, line_of(stopped_log(), 1).size() - kSealBytes - 3),
                   "\"format\":1", "\"format\":2"),
          "}]") +
      "\n";
  const auto repaired = repair(line, options());
  ASSERT_FALSE(repaired.has_value());
  EXPECT_EQ(repaired.error(), errc::incompatible);
}

// Whatever is done to a log: what comes out is whole (repair() asserts it), holds nothing that was
// never there, and gives no sequence again.
TEST(Repair, every_cut_and_every_changed_byte_gives_a_log_without_a_wrong_value) {
  for (const std::string& log : samples()) {
    std::set<std::pair<std::string, std::string>> history;
    for (const SeenRecord& record : find(log).records) history.emplace(record.key, record.value);
    const auto tried = [&](const std::string& bytes) {
      const auto repaired = repair(bytes, options());
      static_cast<void>(repair(bytes, options(true)).has_value());
      if (!repaired) return;
      for (const SeenRecord& record : find(repaired->bytes).records) {
        EXPECT_TRUE(history.contains({record.key, record.value})) << record.key << record.value;
      }
    };
    for (std::size_t cut = 0; cut <= log.size(); ++cut) tried(log.substr(0, cut));
    for (std::size_t at = 0; at < log.size(); ++at) {
      for (const char change : {'\x01', '\x80'}) {
        std::string flipped = log;
        flipped[at] = static_cast<char>(flipped[at] ^ change);
        tried(flipped);
      }
    }
    for (std::size_t from = 0; from < log.size(); from += 97) {
      std::string zeroed = log;
      for (std::size_t at = from; at < std::min(from + 200, log.size()); ++at) zeroed[at] = '\0';
      tried(zeroed);
    }
  }
}

// What an editor, a merge and a bad disk do to lines, many at once: repair() asserts that what it
// writes is whole.
RC_GTEST_PROP(Repair, any_muddle_of_lines_gives_a_whole_log, ()) {
  std::vector<std::string> pool;
  for (const std::string& log : samples()) {
    for (const std::string& line : lines_of(log)) pool.push_back(line);
  }
  for (const std::string& line : lines_of(replaced(stopped_log(), kStoreId, kNewId))) {
    pool.push_back(unsealed(line));
  }
  pool.emplace_back("{\"k\":\"a\",\"val\":{\"by\": \"hand\"}}\n");
  pool.emplace_back("{\"k\":\"user1\",\"d\":true}\n");
  pool.emplace_back("{\"k\":\"z\",\"v\":9007199254740992,\"d\":true,\"s\":7}\n");
  pool.emplace_back("[\"start\",{\"after\":3,\"next\":900,\"w\":2,\"t\":1}]\n");
  pool.emplace_back("oops\n");
  const auto from = static_cast<std::size_t>(*rc::gen::inRange(0, 4));
  std::vector<std::string> lines = lines_of(samples()[from]);
  const int changes = *rc::gen::inRange(0, 12);
  for (int i = 0; i < changes; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, lines.size());
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        if (lines.size() > 1) lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 1:
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at),
                     pool[*rc::gen::inRange<std::size_t>(0, pool.size())]);
        break;
      case 2:
        std::swap(lines[at], lines[*rc::gen::inRange<std::size_t>(0, lines.size())]);
        break;
      default:
        lines[at][*rc::gen::inRange<std::size_t>(0, lines[at].size())] ^= 1;
        break;
    }
  }
  for (const bool accept_edits : {false, true}) {
    const auto repaired = repair(joined(lines), options(accept_edits));
    if (!repaired) continue;
    if (repaired->go_file) continue;
    RC_ASSERT(find(repaired->bytes).recovery.kind == RecoveryKind::whole);
    RC_ASSERT(check(repaired->bytes, "new").whole);
    // A second repair has nothing to do.
    const Repaired again = mended(repaired->bytes, accept_edits);
    RC_ASSERT(state_of(again.bytes) == state_of(repaired->bytes));
    RC_ASSERT(again.findings.empty());
  }
}

}  // namespace
}  // namespace dfs::log
