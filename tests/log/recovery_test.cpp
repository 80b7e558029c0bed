// A log that is whole is read whole, and a random one that was damaged never comes back as another.
#include "common/log/recovery.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/log/sample.hpp"

namespace dfs::log {

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
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0).start(1, 2).set(2, "b", "1");
  EXPECT_EQ(find(log.bytes).records[1].time_ms, 0U) << "of a batch that does not say it";
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

TEST(Recovery, lines_of_later_versions_are_passed_over) {
  const std::string later = sealed("[\"later\",{\"x\":[1]", "}]") + "\n";
  const std::vector<std::string> lines = lines_of(stopped_log());
  const Found found = find(lines[0] + later + lines[1] + lines[2] + later + lines[3] + lines[4]);
  EXPECT_EQ(found.recovery.kind, RecoveryKind::whole) << found.recovery.reason;
  EXPECT_EQ(found.recovery.other_controls, 2U);
  EXPECT_EQ(found.records, find(stopped_log()).records);
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
