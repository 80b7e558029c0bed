// Logs to try things on, and what recovery says about them; for the tests of common/log.
#pragma once

#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "common/log/crc32c.hpp"
#include "common/log/encode.hpp"
#include "common/log/line.hpp"
#include "common/log/lines.hpp"
#include "common/log/recovery.hpp"

namespace dfs::log {

inline constexpr std::string_view kStoreId = "00112233445566778899aabbccddeeff";
inline constexpr std::uint64_t kGap = std::uint64_t{1} << 20;

/// A record as a visitor saw it, with its own copies.
struct SeenRecord {
  std::string key = {};
  std::uint64_t version = 0;
  bool erased = false;
  std::string value = {};
  std::uint64_t sequence = 0;
  std::uint64_t time_ms = 0;
  std::string origin = {};
  bool in_base = false;

  friend bool operator==(const SeenRecord&, const SeenRecord&) = default;
  friend std::ostream& operator<<(std::ostream& out, const SeenRecord& record) {
    return out << record.sequence << ": " << record.key << " v" << record.version << " "
               << (record.erased ? "erased" : record.value);
  }
};

/// Keeps what it is shown, and fails where a commit is not whole or records of two are mixed.
class Seen final : public RecordVisitor {
 public:
  Result<void> record(const Record& record) override {
    const bool next = record.commit_position == position_ &&
                      (position_ == 0 || record.sequence == records.back().sequence);
    if (!next) in_order = false;
    position_ = record.commit_position + 1;
    if (position_ == record.commit_records) position_ = 0;
    records.push_back({std::string(record.key), record.version, record.erased,
                       std::string(record.value), record.sequence, record.time_ms.value_or(0),
                       std::string(record.origin), record.in_base});
    return {};
  }
  /// True between commits: each that began has ended.
  [[nodiscard]] bool whole() const { return in_order && position_ == 0; }

  std::vector<SeenRecord> records;
  bool in_order = true;

 private:
  std::uint32_t position_ = 0;
};

struct Found {
  Recovery recovery;
  std::vector<SeenRecord> records;
  bool whole_commits = true;
};

inline Found find(std::string_view bytes) {
  Seen seen;
  Recovery recovery = recover(bytes, seen);
  return {std::move(recovery), seen.records, seen.whole()};
}

using Keys = std::vector<std::string>;

inline Keys keys_of(const Found& found) {
  Keys keys;
  for (const SeenRecord& record : found.records) keys.push_back(record.key);
  return keys;
}

/// Puts a log together, line by line.
class LogWriter {
 public:
  LogWriter& first(std::uint64_t base = 0) {
    append_first(bytes,
                 {.store = std::string(kStoreId), .base = base, .needs = {}, .dfs = "1.0.0"});
    return *this;
  }
  LogWriter& start(std::uint64_t after, std::uint64_t next) {
    append_start(bytes,
                 {.after = after, .next = next, .watermark = after, .time_ms = 1790000000001});
    return *this;
  }
  LogWriter& mark(std::uint64_t watermark) { return append_mark(bytes, watermark), *this; }
  LogWriter& stop(std::uint64_t watermark) { return append_stop(bytes, watermark), *this; }
  LogWriter& base(const Base& base) { return append_base(bytes, base), *this; }
  LogWriter& record(const Record& record) { return append_record(bytes, record), *this; }
  LogWriter& raw(std::string_view text) { return bytes.append(text), *this; }

  /// A commit of one record, with a watermark where it leads a batch.
  LogWriter& set(std::uint64_t sequence, std::string_view key, std::string_view value,
                 std::optional<std::uint64_t> watermark = std::nullopt) {
    Record record{.key = key, .version = sequence, .value = value, .sequence = sequence};
    record.watermark = watermark;
    if (watermark) record.time_ms = 1790000000000 + sequence;
    return this->record(record);
  }

  std::string bytes;
};

/// The bytes of line `number`, from 1, with its newline.
inline std::string line_of(std::string_view bytes, std::uint64_t number) {
  Lines lines(bytes);
  while (!lines.at_end()) {
    lines.next();
    if (lines.number() != number) continue;
    return std::string(bytes.substr(lines.offset(), lines.end_offset() - lines.offset()));
  }
  return {};
}

inline std::vector<std::string> lines_of(std::string_view bytes) {
  std::vector<std::string> all;
  for (Lines lines(bytes); !lines.at_end();) {
    lines.next();
    all.emplace_back(bytes.substr(lines.offset(), lines.end_offset() - lines.offset()));
  }
  return all;
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line;
  return all;
}

/// A line with its seal taken out, as an editor leaves it.
inline std::string unsealed(std::string line) {
  const std::size_t at = line.rfind(",\"c\":\"");
  return line.erase(at, kSealBytes);
}

/// Any body with a seal that fits it, as no encoder of ours may write it.
inline std::string sealed(std::string body, std::string_view brackets) {
  const std::uint32_t crc = crc32c(0, body);
  body += kSealStart;
  for (int shift = 28; shift >= 0; shift -= 4) body += "0123456789abcdef"[crc >> shift & 0xF];
  return body + "\"" + std::string(brackets);
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

/// Starts, stops, marks, a commit of three, erasures, keys with escapes, a gap, an unsynced end.
inline std::string ordinary_log() {
  LogWriter log;
  log.first().start(0, 1);
  log.set(1, "user1", R"({"name":"Alice","n":19.99})", 0).set(2, "user2", R"(["x",1E400])").mark(2);
  const Record trio[] = {{.key = "a",
                          .version = 1,
                          .value = "1",
                          .sequence = 3,
                          .commit_records = 3,
                          .watermark = 2,
                          .time_ms = 1790000000003,
                          .origin = "1000/shop"},
                         {.key = "user1",
                          .version = 2,
                          .erased = true,
                          .value = {},
                          .sequence = 3,
                          .commit_records = 3},
                         {.key = "quo\"te\\back\nline\x01",
                          .version = 3,
                          .value = "\"t\\\"x\"",
                          .sequence = 3,
                          .commit_records = 3}};
  for (const Record& record : trio) log.record(record);
  log.set(4, "schl\xC3\xBCssel", "null").stop(4);
  log.start(4, 5).set(5, "e", "false", 4).mark(5);
  log.start(5, 2 * kGap).set(2 * kGap, "f", R"({"deep":[[[{}]]]})", 5);
  const Record pair[] = {
      {.key = "g", .version = 1, .value = "0", .sequence = 2 * kGap + 1, .commit_records = 2},
      {.key = "h", .version = 1, .value = "\"\"", .sequence = 2 * kGap + 1, .commit_records = 2}};
  for (const Record& record : pair) log.record(record);
  log.set(2 * kGap + 2, "i", "1", 2 * kGap + 1);
  log.set(2 * kGap + 3, "j", "2");
  return log.bytes;
}

inline std::string stopped_log() {
  LogWriter log;
  log.first().start(0, 1).set(1, "a", "1", 0).set(2, "b", "2", 1).stop(2);
  return log.bytes;
}

/// A base of three records with a gap in its history; the store as of commit 9.
inline LogWriter base_log() {
  LogWriter log;
  log.first(9);
  const Record records[] = {
      {.key = "a", .version = 2, .value = "1", .sequence = 7, .time_ms = 5, .in_base = true},
      {.key = "b\"", .version = 1, .value = "[]", .sequence = 2, .time_ms = 4, .in_base = true},
      {.key = "c", .version = 5, .value = "{}", .sequence = 9, .in_base = true}};
  for (const Record& record : records) log.record(record);
  Base base{.records = 3, .sequence = 9, .floor = 4, .restored = 0, .gaps = {}, .time_ms = 6};
  base.gaps.add(3, 6);
  return log.base(base);
}

inline std::string base_with_tail_log() {
  LogWriter log = base_log();
  log.set(10, "d", "1", 8).set(11, "a", "2").mark(11).start(11, 13).set(13, "b", "3", 11);
  return log.bytes;
}

/// A base taken between a start line and the first commit behind it: the line stays behind.
inline LogWriter base_before_gap_log() {
  LogWriter log;
  log.first(9);
  log.record(
      {.key = "a", .version = 2, .value = "1", .sequence = 7, .time_ms = 5, .in_base = true});
  Base base{.records = 1, .sequence = 9, .floor = 4, .restored = 50, .gaps = {}, .time_ms = 6};
  base.gaps.add(3, 6);
  base.gaps.add(9, kGap);
  return log.base(base);
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::string source_file(std::string_view path) {
  return read_file(std::string(DFS_SOURCE_DIR) + "/" + std::string(path));
}

}  // namespace dfs::log
