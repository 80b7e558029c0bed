#include "common/log/encode.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/log/crc32c.hpp"
#include "common/log/format.hpp"
#include "common/log/key.hpp"
#include "common/log/line.hpp"
#include "tests/log/sample.hpp"

namespace dfs::log {

namespace {

std::string text_of_points(const std::vector<std::uint32_t>& points) {
  std::string text;
  for (const std::uint32_t raw : points) {
    // Mostly what needs care: controls, quotes, backslashes; then all of UTF-8.
    const std::uint32_t point = raw % 3 == 0 ? 1 + raw % 0x7F : 0x80 + raw % 0xD000;
    if (point < 0x80) {
      text += static_cast<char>(point);
    } else if (point < 0x800) {
      text += static_cast<char>(0xC0 | point >> 6);
      text += static_cast<char>(0x80 | (point & 0x3F));
    } else {
      text += static_cast<char>(0xE0 | point >> 12);
      text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (point & 0x3F));
    }
  }
  return text.empty() ? "k" : text;
}

std::string encoded(const Record& record) {
  std::string out;
  append_record(out, record);
  return out;
}

}  // namespace

TEST(Encode, lines_look_as_the_format_says) {
  EXPECT_EQ(encoded({.key = "user123",
                     .version = 3,
                     .value = R"({"name":"Alice"})",
                     .sequence = 1042,
                     .watermark = 1041,
                     .time_ms = 1790000000123}),
            R"({"k":"user123","v":3,"d":false,"val":{"name":"Alice"},"s":1042,"w":1041,)"
            R"("t":1790000000123,"c":"5e20d92d"})"
            "\n");
  EXPECT_EQ(unsealed(encoded({.key = "b",
                              .version = 7,
                              .erased = true,
                              .value = {},
                              .sequence = 1043,
                              .commit_records = 2})),
            "{\"k\":\"b\",\"v\":7,\"d\":true,\"s\":1043,\"n\":2}\n");
  EXPECT_EQ(unsealed(encoded(
                {.key = "a", .version = 1, .value = "1", .sequence = 2, .origin = "1000/sh\"op"})),
            "{\"k\":\"a\",\"v\":1,\"d\":false,\"val\":1,\"s\":2,\"by\":\"1000/sh\\\"op\"}\n");
  EXPECT_EQ(unsealed(LogWriter().first(7).bytes),
            "[\"dfs\",{\"format\":1,\"store\":\"00112233445566778899aabbccddeeff\",\"base\":7,"
            "\"needs\":[],\"dfs\":\"1.0.0\"}]\n");
  EXPECT_EQ(unsealed(LogWriter().start(3, 9).bytes),
            "[\"start\",{\"after\":3,\"next\":9,\"w\":3,\"t\":1790000000001}]\n");
  EXPECT_EQ(unsealed(LogWriter().mark(3).bytes), "[\"mark\",{\"w\":3}]\n");
  EXPECT_EQ(unsealed(LogWriter().stop(3).bytes), "[\"stop\",{\"w\":3}]\n");
  EXPECT_EQ(unsealed(line_of(base_log().bytes, 5)),
            "[\"base\",{\"records\":3,\"s\":9,\"floor\":4,\"restored\":0,\"gaps\":[[3,6]],"
            "\"t\":6}]\n");
}

TEST(Encode, the_seal_is_the_checksum_of_what_stands_before_it) {
  for (const std::string& line : lines_of(ordinary_log())) {
    const std::size_t at = line.rfind(",\"c\":\"");
    const std::string_view digits = std::string_view(line).substr(at + 6, 8);
    EXPECT_EQ(std::stoul(std::string(digits), nullptr, 16), crc32c(0, line.substr(0, at))) << line;
  }
}

TEST(Encode, only_quotes_backslashes_and_controls_are_escaped) {
  std::string out;
  append_text(out, "a\"\\/\b\f\n\r\t\x01\x1F\x7F\xC3\xA4<>&");
  EXPECT_EQ(out, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\xC3\xA4<>&\"");
}

TEST(Encode, the_longest_record_fits_a_line) {
  const std::string key(kMaxKeyBytes, '\x01');
  const std::string origin(kMaxByBytes, '"');
  const Record record{.key = key,
                      .version = kMaxVersion,
                      .value = "1",
                      .sequence = kMaxSequence,
                      .commit_records = kMaxCommitRecords,
                      .watermark = kMaxSequence,
                      .time_ms = kMaxTimeMs,
                      .origin = origin};
  EXPECT_LE(encoded(record).size() - 1 + kMaxValueBytes, kMaxLineBytes);
  EXPECT_LE(encoded(record).size(), record_line_bytes(record));
}

RC_GTEST_PROP(Encode, what_is_encoded_is_decoded,
              (const std::vector<std::uint32_t>& key_points, std::uint64_t version,
               std::uint64_t sequence, std::uint32_t records, bool erased, std::uint32_t watermark,
               std::uint32_t time, const std::string& by, bool in_base)) {
  const std::string key = text_of_points(key_points).substr(0, 1000);
  RC_PRE(check_key(key).has_value());
  static constexpr std::string_view kValues[] = {
      "1",
      "\"a,\\\"s\\\":5\"",
      R"({"k":"x","v":1,"d":false,"val":1,"s":9,"c":"00000000"})",
      "[]",
      "null",
      R"([",\"s\":",{"s":5,"n":2}])"};
  std::string origin;
  for (const char c : by.substr(0, 64)) origin += static_cast<char>(' ' + (c & 0x3F));
  Record record{.key = key,
                .version = version % kMaxVersion + 1,
                .erased = erased,
                .value = erased ? "" : kValues[version % 6],
                .sequence = sequence % kMaxSequence + 1};
  if (time % 2 == 0) record.time_ms = time;
  if (!in_base) {
    record.commit_records = records % 1000 + 1;
    if (watermark % 2 == 0) record.watermark = watermark;
    record.origin = origin;
  }
  record.in_base = in_base;
  std::string line = encoded(record);
  RC_ASSERT(line.size() <= record_line_bytes(record));
  RC_ASSERT(line.size() + 150 >= record_line_bytes(record));
  RC_ASSERT(record_line_bytes(record) <= most_record_line_bytes(record));
  LineBuffer lines;
  append_record(lines, record);
  append_record(lines, record);
  RC_ASSERT(lines.view() == line + line);
  RC_ASSERT(line.back() == '\n');
  line.pop_back();
  RC_ASSERT(line.find('\n') == std::string::npos);
  Line decoded;
  decode(line, decoded);
  RC_ASSERT(decoded.kind == LineKind::record);
  RC_ASSERT(decoded.sealed);
  const auto same = [&record](const Record& found) {
    return found.key == record.key && found.version == record.version &&
           found.erased == record.erased && found.value == record.value &&
           found.sequence == record.sequence && found.commit_records == record.commit_records &&
           found.watermark == record.watermark && found.time_ms == record.time_ms &&
           found.origin == record.origin;
  };
  RC_ASSERT(same(decoded.record));
  // By hand: the same without its seal.
  const std::string edited = unsealed(line);
  Line by_hand;
  decode(edited, by_hand);
  RC_ASSERT(by_hand.kind == LineKind::record);
  RC_ASSERT(!by_hand.sealed);
  RC_ASSERT(same(by_hand.record));
}

RC_GTEST_PROP(Encode, control_lines_are_decoded, (std::uint32_t a, std::uint32_t b, bool more)) {
  std::string out;
  const First first{
      .store = std::string(kStoreId),
      .base = a,
      .needs = more ? std::vector<std::string>{"one", "tw\"o"} : std::vector<std::string>{},
      .dfs = "1.2.3"};
  append_first(out, first);
  Base base{.records = a,
            .sequence = std::uint64_t{b} + 100,
            .floor = a,
            .restored = b,
            .gaps = {},
            .time_ms = a};
  if (more) base.gaps.add(5, 50);
  if (more) base.gaps.add(std::uint64_t{b} + 100, std::uint64_t{b} + 200);
  append_base(out, base);
  const Start start{.after = a, .next = std::uint64_t{a} + b + 1, .watermark = a, .time_ms = b};
  append_start(out, start);
  append_mark(out, a);
  append_stop(out, b);
  append_mark(out, 0);
  for (const bool sealed : {true, false}) {
    std::vector<std::string> lines = lines_of(out);
    Line line;
    const auto read = [&](std::size_t i) {
      lines[i].pop_back();
      if (!sealed) lines[i] = unsealed(lines[i]);
      decode(lines[i], line);
      RC_ASSERT(line.sealed == sealed);
      return line.kind;
    };
    RC_ASSERT(read(0) == LineKind::first);
    RC_ASSERT(line.first.store == first.store && line.first.base == first.base &&
              line.first.needs == first.needs && line.first.dfs == first.dfs);
    RC_ASSERT(read(1) == LineKind::base);
    RC_ASSERT(line.base.records == base.records && line.base.sequence == base.sequence &&
              line.base.floor == base.floor && line.base.restored == base.restored &&
              line.base.gaps == base.gaps && line.base.time_ms == base.time_ms);
    RC_ASSERT(read(2) == LineKind::start);
    RC_ASSERT(line.start.after == start.after && line.start.next == start.next &&
              line.start.watermark == start.watermark && line.start.time_ms == start.time_ms);
    RC_ASSERT(read(3) == LineKind::mark);
    RC_ASSERT(line.watermark == a);
    RC_ASSERT(read(4) == LineKind::stop);
    RC_ASSERT(line.watermark == b);
  }
}

}  // namespace dfs::log
