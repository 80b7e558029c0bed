// A log cut at every byte, with every byte changed, with every stretch zeroed, with every line
// taken out, doubled and moved: the same store; or cut behind the watermark; or refused with line
// and offset. Never a crash, a wrong value, or a silent repair (I3, I4, I5).

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "tests/log/sample.hpp"

namespace dfs::log {

namespace {

struct Outcomes {
  std::uint64_t same = 0;     // every line counts: the store as it was, or whole commits of it
  std::uint64_t cut = 0;      // a prefix, and the rest is kept aside
  std::uint64_t refused = 0;  // with line and offset
  std::uint64_t empty = 0;    // nothing was left

  friend std::ostream& operator<<(std::ostream& out, const Outcomes& outcomes) {
    return out << outcomes.same << " whole, " << outcomes.cut << " cut, " << outcomes.refused
               << " refused, " << outcomes.empty << " empty";
  }
  [[nodiscard]] std::uint64_t all() const { return same + cut + refused + empty; }
};

// W once more, found without recover().
std::uint64_t watermark_of(std::string_view bytes) {
  std::uint64_t highest = 0;
  Line line;
  for (Lines lines(bytes); !lines.at_end();) {
    lines.next();
    const std::string_view text = lines.text();
    decode(text.substr(std::min(text.find_first_not_of('\0'), text.size())), line);
    if (lines.terminated()) highest = std::max(highest, line.synced());
  }
  return highest;
}

// Inside a commit the order of the records means nothing.
std::vector<SeenRecord> sorted_in_commits(std::vector<SeenRecord> records) {
  for (auto from = records.begin(); from != records.end();) {
    auto to = from + 1;
    while (to != records.end() && !from->in_base && to->sequence == from->sequence) ++to;
    std::sort(from, to, [](const SeenRecord& a, const SeenRecord& b) { return a.key < b.key; });
    from = to;
  }
  return records;
}

/// A good log and what stands in it; judges what recover() makes of the same log, damaged.
class Subject {
 public:
  Subject(std::string name, std::string bytes)
      : name_(std::move(name)), bytes_(std::move(bytes)), found_(find(bytes_)) {
    found_.records = sorted_in_commits(found_.records);
    EXPECT_EQ(found_.recovery.kind, RecoveryKind::whole) << name_ << found_.recovery.reason;
    for (const SeenRecord& record : found_.records) {
      highest_ = std::max(highest_, record.sequence);
    }
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Found& found() const { return found_; }
  /// The highest sequence that was used.
  [[nodiscard]] std::uint64_t highest() const { return highest_; }

  /// `free` is a record that may differ: it stands in a line without a checksum. Returns what was
  /// found in the damaged log.
  Recovery judge(std::string_view damaged, std::string_view what, Outcomes& outcomes,
                 std::optional<std::size_t> free = std::nullopt) const {
    Found now = find(damaged);
    now.records = sorted_in_commits(now.records);
    SCOPED_TRACE(name_ + ", " + std::string(what) + ": " + now.recovery.reason);
    if (now.recovery.kind == RecoveryKind::empty) {
      EXPECT_TRUE(damaged.empty());
      ++outcomes.empty;
      return std::move(now.recovery);
    }
    if (!now.recovery.usable()) {
      ++outcomes.refused;
      judge_refusal(damaged, now.recovery);
      return std::move(now.recovery);
    }
    ++(now.recovery.kind == RecoveryKind::whole ? outcomes.same : outcomes.cut);
    EXPECT_TRUE(now.whole_commits);
    EXPECT_TRUE(now.recovery.hand_written.empty());
    EXPECT_EQ(now.recovery.watermark, watermark_of(damaged));
    judge_prefix(now, free);
    if (now.recovery.kind == RecoveryKind::whole) {
      EXPECT_EQ(now.recovery.good_end, damaged.size());
      return std::move(now.recovery);
    }
    EXPECT_LT(now.recovery.good_end, damaged.size()) << "what is cut off has bytes";
    EXPECT_GT(now.recovery.missing_sequence, now.recovery.watermark);
    EXPECT_GE(now.recovery.next, now.recovery.after + kGap) << "I5";
    EXPECT_FALSE(now.recovery.reason.empty());
    EXPECT_GE(now.recovery.bad_offset, now.recovery.good_end);
    // Recovery can be repeated: what is kept is whole.
    const Found again = find(damaged.substr(0, now.recovery.good_end));
    EXPECT_EQ(again.recovery.kind, RecoveryKind::whole) << again.recovery.reason;
    EXPECT_EQ(sorted_in_commits(again.records), now.records);
    return std::move(now.recovery);
  }

 private:
  static void judge_refusal(std::string_view damaged, const Recovery& recovery) {
    EXPECT_EQ(recovery.kind, RecoveryKind::damaged);
    EXPECT_GT(recovery.bad_line, 0U);
    EXPECT_LE(recovery.bad_offset, damaged.size());
    EXPECT_TRUE(recovery.bad_offset == 0 || damaged[recovery.bad_offset - 1] == '\n' ||
                recovery.bad_offset == damaged.size());
    EXPECT_FALSE(recovery.reason.empty());
  }

  // I4: what is found is a prefix of the commits, and holds all up to the watermark.
  void judge_prefix(const Found& now, std::optional<std::size_t> free) const {
    ASSERT_LE(now.records.size(), found_.records.size());
    for (std::size_t i = 0; i < now.records.size(); ++i) {
      ASSERT_TRUE(i == free || now.records[i] == found_.records[i]) << now.records[i];
    }
    if (now.records.size() == found_.records.size()) return;
    const SeenRecord& lost = found_.records[now.records.size()];
    EXPECT_GT(lost.sequence, now.recovery.watermark);
    const std::uint64_t last = now.records.empty() ? 0 : now.records.back().sequence;
    EXPECT_TRUE(lost.in_base || lost.sequence != last) << "I3";
  }

  std::string name_;
  std::string bytes_;
  Found found_;
  std::uint64_t highest_ = 0;
};

std::vector<Subject> sealed_subjects() {
  return {{"ordinary", ordinary_log()},
          {"stopped", stopped_log()},
          {"base without a tail", base_log().bytes},
          {"base with a tail", base_with_tail_log()},
          {"lone first line", LogWriter().first().bytes},
          {"start alone", LogWriter().first().start(0, 1).bytes},
          {"idle", LogWriter().first().start(0, 1).set(1, "a", "1", 0).mark(1).bytes}};
}

// Every byte with each bit flipped, and as the bytes that the format gives a meaning to.
std::set<char> changes_of(char byte) {
  std::set<char> changes;
  for (int bit = 0; bit < 8; ++bit) changes.insert(static_cast<char>(byte ^ (1 << bit)));
  for (const char c : std::string_view("\n\"\\{}[],:019 \r\0c", 16)) changes.insert(c);
  changes.insert(static_cast<char>(~byte));
  changes.erase(byte);
  return changes;
}

void report(const Subject& subject, std::string_view what, const Outcomes& outcomes) {
  std::cout << subject.name() << ", " << what << ": " << outcomes << "\n";
}

}  // namespace

TEST(EveryByte, a_log_cut_anywhere_is_a_prefix_or_refused) {
  for (const Subject& subject : sealed_subjects()) {
    Outcomes outcomes;
    const std::string& bytes = subject.bytes();
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      subject.judge(std::string_view(bytes).substr(0, size), "cut at " + std::to_string(size),
                    outcomes);
    }
    report(subject, "cut", outcomes);
    EXPECT_EQ(outcomes.all(), bytes.size() + 1);
    EXPECT_EQ(outcomes.empty, 1U);
    // A cut behind a line leaves whole lines; but not all of them are a whole log.
    const auto lines = static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
    EXPECT_LE(outcomes.same, lines);
    EXPECT_GE(outcomes.same, 1U);
    // Nothing is served before the first line, and the base if there is one, are whole.
    EXPECT_GE(outcomes.refused, line_of(bytes, 1).size() - 1);
  }
}

TEST(EveryByte, a_changed_byte_is_never_silent) {
  for (const Subject& subject : sealed_subjects()) {
    Outcomes outcomes;
    std::string bytes = subject.bytes();
    std::uint64_t tried = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const char before = bytes[at];
      for (const char change : changes_of(before)) {
        bytes[at] = change;
        const Recovery recovery = subject.judge(
            bytes, "byte " + std::to_string(at) + " is " + testing::PrintToString(change),
            outcomes);
        EXPECT_TRUE(!recovery.usable() || recovery.next > subject.highest()) << "I5";
        ++tried;
      }
      bytes[at] = before;
    }
    report(subject, "changed", outcomes);
    EXPECT_EQ(outcomes.all(), tried);
    EXPECT_EQ(outcomes.same, 0U) << "each change is seen";
    EXPECT_EQ(outcomes.empty, 0U);
    EXPECT_GT(outcomes.refused, 0U);
  }
}

TEST(EveryByte, zeroed_stretches_are_cut_or_refused) {
  for (const Subject& subject : sealed_subjects()) {
    Outcomes outcomes;
    const std::string& bytes = subject.bytes();
    for (const std::size_t page : {16, 64, 256}) {
      for (std::size_t from = 0; from < bytes.size(); from += page) {
        for (std::size_t to = from + page; to < bytes.size() + page; to += page) {
          std::string damaged = bytes;
          const std::size_t end = std::min(to, bytes.size());
          std::fill(damaged.begin() + static_cast<long>(from),
                    damaged.begin() + static_cast<long>(end), '\0');
          subject.judge(damaged, "zeroed " + std::to_string(from) + " to " + std::to_string(end),
                        outcomes);
        }
      }
    }
    report(subject, "zeroed", outcomes);
    EXPECT_EQ(outcomes.same, 0U);
    EXPECT_GT(outcomes.refused, 0U);
  }
}

TEST(EveryByte, lines_taken_out_doubled_and_moved_never_give_another_store) {
  for (const Subject& subject : sealed_subjects()) {
    Outcomes outcomes;
    const std::vector<std::string> lines = lines_of(subject.bytes());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      std::vector<std::string> fewer = lines;
      fewer.erase(fewer.begin() + static_cast<long>(i));
      subject.judge(joined(fewer), "without line " + std::to_string(i + 1), outcomes);
      for (std::size_t to = 0; to < lines.size(); ++to) {
        std::vector<std::string> doubled = lines;
        doubled.insert(doubled.begin() + static_cast<long>(to), lines[i]);
        subject.judge(joined(doubled),
                      "line " + std::to_string(i + 1) + " again at " + std::to_string(to + 1),
                      outcomes);
        std::vector<std::string> moved = fewer;
        moved.insert(moved.begin() + static_cast<long>(std::min(to, moved.size())), lines[i]);
        subject.judge(joined(moved),
                      "line " + std::to_string(i + 1) + " moved to " + std::to_string(to + 1),
                      outcomes);
      }
    }
    report(subject, "lines", outcomes);
    EXPECT_EQ(outcomes.refused == 0, lines.size() == 1);
  }
}

// A line without its seal is taken as it stands: what is changed in it is an edit. All else is
// still seen, and nothing but that line's record can differ.
TEST(EveryByte, a_change_in_an_edited_line_stays_in_its_record) {
  std::vector<std::string> lines = lines_of(ordinary_log());
  const std::size_t edited = 3;  // commit 2, record 1
  lines[edited] = unsealed(lines[edited]);
  const Subject subject("edited by hand", joined(lines));
  ASSERT_EQ(subject.found().recovery.edited_lines, std::vector<std::uint64_t>{edited + 1});
  const std::size_t from = joined({lines.begin(), lines.begin() + edited}).size();
  const std::size_t to = from + lines[edited].size();
  Outcomes inside;
  Outcomes outside;
  std::string bytes = subject.bytes();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const bool in_line = at >= from && at < to;
    const char before = bytes[at];
    for (const char change : changes_of(before)) {
      bytes[at] = change;
      subject.judge(bytes, "byte " + std::to_string(at) + " is " + testing::PrintToString(change),
                    in_line ? inside : outside,
                    in_line ? std::optional<std::size_t>(1) : std::nullopt);
    }
    bytes[at] = before;
  }
  report(subject, "changed in the edited line", inside);
  report(subject, "changed elsewhere", outside);
  EXPECT_GT(inside.same, 0U);
  EXPECT_GT(inside.refused, 0U);
  EXPECT_EQ(outside.same, 0U);
}

}  // namespace dfs::log
