// The page about the format is true: its examples are logs, checksums included.
#include "common/log/format.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/log/check.hpp"
#include "tests/log/sample.hpp"

namespace dfs::log {

namespace {

// What stands between the fences of the page, one text for each.
std::vector<std::string> examples() {
  std::vector<std::string> found;
  bool inside = false;
  for (const std::string& line : lines_of(source_file("docs/log-format.md"))) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) found.emplace_back();
    } else if (inside) {
      found.back() += line;
    }
  }
  return found;
}

}  // namespace

TEST(Format, the_example_of_the_page_is_a_log) {
  const std::vector<std::string> logs = examples();
  ASSERT_EQ(logs.size(), 2U);
  const Report report = check(logs[0], "example");
  EXPECT_TRUE(report.whole) << report.text;
  EXPECT_TRUE(report.recovery.edited_lines.empty()) << "each line has its checksum";
  EXPECT_EQ(report.recovery.commits, 5U);
  EXPECT_EQ(report.recovery.records, 6U);
  EXPECT_EQ(report.recovery.next, 2'097'153U);
  EXPECT_TRUE(report.recovery.clean_stop);
  EXPECT_EQ(report.recovery.gaps.list(), (std::vector<Gap>{{4, 2'097'152}}));
}

TEST(Format, the_compacted_example_holds_the_same_and_goes_on) {
  const std::vector<std::string> logs = examples();
  ASSERT_EQ(logs.size(), 2U);
  const Found before = find(logs[0]);
  const Found after = find(logs[1]);
  ASSERT_EQ(after.recovery.kind, RecoveryKind::whole) << after.recovery.reason;
  EXPECT_EQ(after.recovery.first.store, before.recovery.first.store);
  EXPECT_EQ(after.recovery.first.base, before.recovery.after);
  EXPECT_EQ(after.recovery.gaps, before.recovery.gaps);
  ASSERT_EQ(after.records.size(), 3U);
  for (std::size_t i = 0; i < 2; ++i) {
    const SeenRecord& kept = after.records[i];
    const auto same = [&kept](const SeenRecord& record) {
      return record.key == kept.key && record.value == kept.value &&
             record.version == kept.version && record.sequence == kept.sequence &&
             record.time_ms == kept.time_ms;
    };
    EXPECT_TRUE(std::any_of(before.records.begin(), before.records.end(), same)) << kept;
  }
  EXPECT_EQ(after.recovery.floor, 3U);
  EXPECT_EQ(after.records[2].version, after.recovery.floor + 1);
}

TEST(Format, the_first_example_is_what_the_encoder_writes) {
  const std::vector<std::string> logs = examples();
  ASSERT_FALSE(logs.empty());
  std::string written;
  Line line;
  for (const std::string& text : lines_of(logs[0])) {
    decode(std::string_view(text).substr(0, text.size() - 1), line);
    switch (line.kind) {
      case LineKind::record:
        append_record(written, line.record);
        break;
      case LineKind::first:
        append_first(written, line.first);
        break;
      case LineKind::start:
        append_start(written, line.start);
        break;
      case LineKind::mark:
        append_mark(written, line.watermark);
        break;
      case LineKind::stop:
        append_stop(written, line.watermark);
        break;
      default:
        ADD_FAILURE() << text;
    }
  }
  EXPECT_EQ(written, logs[0]);
}

}  // namespace dfs::log
