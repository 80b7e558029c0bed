#include "common/log/go_file.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <set>

#include "common/base/limits.hpp"
#include "tests/log/sample.hpp"

namespace dfs::log {

namespace {

using Store = std::map<std::string, std::pair<std::uint64_t, std::string>>;

Store store_of(const GoFile& file) {
  Store store;
  for (const Record& record : file.records) {
    store[std::string(record.key)] = {record.version, std::string(record.value)};
  }
  return store;
}

// What comes out points into `bytes`.
GoFile read(std::string&& bytes) = delete;
GoFile read(const std::string& bytes) {
  auto file = read_go_file(bytes);
  EXPECT_TRUE(file.has_value()) << (file ? "" : file.error().text());
  return file ? std::move(*file) : GoFile{};
}
GoFile read(const char* text) {
  auto file = read_go_file(text);
  EXPECT_TRUE(file.has_value()) << (file ? "" : file.error().text());
  return file ? std::move(*file) : GoFile{};
}

Error refusal(const std::string& bytes) {
  const auto file = read_go_file(bytes);
  EXPECT_FALSE(file.has_value()) << bytes;
  return file ? Error(errc::absent) : file.error();
}

std::string first_lines(std::string_view bytes, std::size_t count) {
  std::string kept;
  for (std::size_t i = 1; i <= count; ++i) kept += line_of(bytes, i);
  return kept;
}

// Small files: with tombstones, integer keys, escapes, a torn end, and the first of the real ones.
std::vector<std::pair<std::string, std::string>> subjects() {
  const std::string history = R"({"k":"a","v":1,"d":false,"val":{"n":19.99,"s":5}})"
                              "\n"
                              R"({"k":"b","v":1,"d":false,"val":"\u0026"})"
                              "\n"
                              R"({"k":"a","v":2,"d":true,"val":{"n":0,"s":0}})"
                              "\n"
                              R"({"k":"q\"\u00e4","v":7,"d":false,"val":[]})"
                              "\n"
                              R"({"k":"b","v":2,"d":false,"val":null})"
                              "\n";
  return {{"history", history},
          {"torn", history + R"({"k":"c","v":1,"d":false,"va)"},
          {"no last newline", history.substr(0, history.size() - 1)},
          {"integer keys", R"({"k":-3,"v":1,"d":false,"val":{"price":-3.3000000000000003}})"
                           "\n"
                           R"({"k":0,"v":1,"d":false,"val":0})"
                           "\n"
                           R"({"k":10,"v":2,"d":true})"
                           "\n"},
          {"users", first_lines(source_file("tests/data/go-dfs-users.db"), 5)},
          {"orders", first_lines(source_file("tests/data/go-dfs-orders-int-keys.db"), 5)}};
}

}  // namespace

TEST(GoFile, the_real_files_have_their_live_records) {
  struct Real {
    std::string name;
    std::size_t live;
    std::uint64_t erased;
    bool torn;
  };
  for (const Real& real : {Real{"go-dfs-users.db", 2070, 0, false},
                           Real{"go-dfs-users-history-torn.db", 2069, 40, true},
                           Real{"go-dfs-orders-int-keys.db", 303, 0, false}}) {
    const std::string bytes = source_file("tests/data/" + real.name);
    ASSERT_EQ(find(bytes).recovery.kind, RecoveryKind::go_file) << real.name;
    const GoFile file = read(bytes);
    EXPECT_EQ(file.records.size(), real.live) << real.name;
    EXPECT_EQ(file.erased, real.erased) << real.name;
    EXPECT_EQ(file.torn, real.torn) << real.name;
    EXPECT_EQ(file.good_end < bytes.size(), real.torn) << real.name;
    EXPECT_EQ(file.base, real.live);
    // Each value is a piece of the file itself: no digit was touched.
    for (const Record& record : file.records) {
      ASSERT_GE(record.value.data(), bytes.data());
      ASSERT_LE(record.value.data() + record.value.size(), bytes.data() + bytes.size());
    }
  }
}

TEST(GoFile, integer_keys_are_decimal_text_and_digits_stay) {
  const std::string bytes = source_file("tests/data/go-dfs-orders-int-keys.db");
  const GoFile file = read(bytes);
  EXPECT_EQ(file.records[0].key, "-3");
  EXPECT_EQ(file.records[0].value,
            R"({"n":-3,"item":"item--3","qty":-3,"price":-3.3000000000000003})");
}

TEST(GoFile, the_highest_version_wins_and_the_later_of_equals) {
  const GoFile file = read(
      "{\"k\":\"a\",\"v\":2,\"d\":false,\"val\":2}\n{\"k\":\"a\",\"v\":1,\"d\":false,\"val\":1}\n"
      "{\"k\":\"b\",\"v\":1,\"d\":false,\"val\":1}\n{\"k\":\"b\",\"v\":1,\"d\":false,\"val\":2}\n");
  EXPECT_EQ(store_of(file), (Store{{"a", {2, "2"}}, {"b", {1, "2"}}}));
}

TEST(GoFile, what_was_erased_is_gone_and_counts_for_the_floor) {
  const GoFile file = read(
      "{\"k\":\"a\",\"v\":1,\"d\":false,\"val\":1}\n{\"k\":\"a\",\"v\":9,\"d\":true}\n"
      "{\"k\":\"b\",\"v\":5,\"d\":false,\"val\":1}\n{\"k\":\"b\",\"v\":4,\"d\":true}\n"
      "{\"k\":\"c\",\"v\":3,\"d\":true,\"val\":{}}\n{\"k\":\"c\",\"v\":1,\"d\":false,\"val\":7}\n");
  EXPECT_EQ(store_of(file), (Store{{"b", {5, "1"}}, {"c", {1, "7"}}}))
      << "an overtaken deletion has no effect; a key that is set again begins anew";
  EXPECT_EQ(file.floor, 9U);
  EXPECT_EQ(file.erased, 1U);
}

TEST(GoFile, live_records_are_in_the_order_of_their_last_lines) {
  const std::string bytes =
      "{\"k\":\"z\",\"v\":1,\"d\":false,\"val\":1}\n{\"k\":\"a\",\"v\":1,\"d\":false,\"val\":2}\n"
      "{\"k\":\"z\",\"v\":2,\"d\":false,\"val\":3}\n{\"k\":\"m\",\"v\":1,\"d\":false,\"val\":4}\n";
  const GoFile file = read(bytes);
  ASSERT_EQ(file.records.size(), 3U);
  EXPECT_EQ(file.records[0].key, "a");
  EXPECT_EQ(file.records[1].key, "z");
  EXPECT_EQ(file.records[2].key, "m");
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(file.records[i].sequence, i + 1);
}

TEST(GoFile, versions_out_of_bounds_are_refused_by_line) {
  const std::string good = "{\"k\":\"a\",\"v\":1,\"d\":false,\"val\":1}\n";
  for (const std::string version : {"0", "-1", "9007199254740993", "1.5", "1e3", "\"1\"", "null"}) {
    const Error error =
        refusal(good + "{\"k\":\"b\",\"v\":" + version + ",\"d\":false,\"val\":1}\n" + good);
    EXPECT_EQ(error.code(), errc::damaged);
    EXPECT_EQ(error.line(), 2U) << error.text();
    EXPECT_EQ(error.offset(), good.size());
  }
  EXPECT_EQ(refusal(good + "{\"k\":\"b\",\"val\":1}\n").line(), 2U) << "no version at all";
  const GoFile most = read("{\"k\":\"a\",\"v\":9007199254740992,\"d\":false,\"val\":1}\n");
  EXPECT_EQ(most.records[0].version, kMaxVersion);
}

TEST(GoFile, a_line_that_cannot_be_read_is_damage_and_not_skipped) {
  const std::string good = "{\"k\":\"a\",\"v\":1,\"d\":false,\"val\":1}\n";
  for (const std::string& bad : std::vector<std::string>{
           "", "garbage", "{\"k\":\"b\",\"v\":1,\"d\":fal" + good.substr(0, good.size() - 1),
           "{\"k\":\"b\",\"v\":1,\"d\":false,\"val\":01}",
           "{\"k\":\"\",\"v\":1,\"d\":false,\"val\":1}",
           "{\"k\":\"b\",\"v\":1,\"d\":false,\"val\":1}\r\r{", "{\"k\":1.5,\"v\":1,\"d\":true}",
           std::string(40, '\0')}) {
    EXPECT_EQ(find(good + bad + "\n" + good).recovery.kind, RecoveryKind::go_file) << bad;
    EXPECT_EQ(refusal(good + bad + "\n" + good).line(), 2U) << bad;
    EXPECT_EQ(refusal(good + bad + "\n").line(), 2U) << "the last line, with its newline: " << bad;
  }
  EXPECT_EQ(refusal(good + std::string(40, '\0')).line(), 2U) << "not torn off a record";
}

TEST(GoFile, long_lines_are_read) {
  const std::string value = "\"" + std::string(200'000, 'x') + "\"";
  const std::string bytes = "{\"k\":\"a\",\"v\":1,\"d\":false,\"val\":" + value + "}\n";
  const GoFile file = read(bytes);
  EXPECT_EQ(file.records[0].value, value);
}

TEST(GoFile, a_control_line_or_a_sequence_makes_it_something_else) {
  const std::string good = "{\"k\":\"a\",\"v\":1,\"d\":false,\"val\":{\"s\":5}}\n";
  EXPECT_TRUE(looks_like_go_file(good));
  EXPECT_FALSE(looks_like_go_file(""));
  EXPECT_FALSE(looks_like_go_file("hello"));
  for (const std::string& line :
       {LogWriter().mark(5).bytes, LogWriter().set(1, "a", "1").bytes, std::string("[]\n"),
        std::string("{\"k\":\"a\",\"v\":1,\"d\":true,\"s\":5\n"),
        std::string("{\"k\":\"a\",\"v\":1,\"d\":false,\"val\":1,\"s\":")}) {
    EXPECT_EQ(first_line_not_of_go(good + line), 2U) << line;
    EXPECT_EQ(find(good + line).recovery.kind, RecoveryKind::damaged);
    EXPECT_NE(find(good + line).recovery.reason.find("by line 2"), std::string::npos);
  }
}

TEST(GoFile, the_conversion_is_a_log_that_holds_the_same) {
  for (const std::string name :
       {"go-dfs-users.db", "go-dfs-users-history-torn.db", "go-dfs-orders-int-keys.db"}) {
    const std::string bytes = source_file("tests/data/" + name);
    const GoFile file = read(bytes);
    std::string image;
    append_go_conversion(image, file, kStoreId, "1.0.0", 1790000000001);
    const Found found = find(image);
    ASSERT_EQ(found.recovery.kind, RecoveryKind::whole) << name << found.recovery.reason;
    EXPECT_EQ(found.recovery.after, file.records.size());
    EXPECT_EQ(found.recovery.floor, file.floor);
    Store store;
    std::set<std::uint64_t> sequences;
    for (const SeenRecord& record : found.records) {
      EXPECT_TRUE(record.in_base);
      EXPECT_EQ(record.time_ms, 0U);
      store[record.key] = {record.version, record.value};
      sequences.insert(record.sequence);
    }
    EXPECT_EQ(store, store_of(file)) << name;
    EXPECT_EQ(sequences.size(), file.records.size());
    EXPECT_EQ(*sequences.begin(), 1U);
    EXPECT_EQ(*sequences.rbegin(), file.records.size());
    append_start(image, {.after = file.base,
                         .next = file.base + 1,
                         .watermark = file.base,
                         .time_ms = 1790000000002});
    const Record next{
        .key = "next", .version = file.floor + 1, .value = "1", .sequence = file.base + 1};
    append_record(image, next);
    EXPECT_EQ(find(image).recovery.kind, RecoveryKind::whole);
  }
}

TEST(GoFile, a_file_of_nothing_but_deletions_keeps_its_floor) {
  const GoFile file = read("{\"k\":\"a\",\"v\":41,\"d\":true}\n");
  std::string image;
  append_go_conversion(image, file, kStoreId, "1.0.0", 5);
  const Found found = find(image);
  EXPECT_EQ(found.recovery.kind, RecoveryKind::whole) << found.recovery.reason;
  EXPECT_EQ(found.recovery.floor, 41U);
  EXPECT_EQ(found.recovery.records, 0U);
  EXPECT_EQ(found.recovery.after, file.base);
}

// --- at every byte

TEST(GoFile, cut_anywhere_it_has_the_lines_before_the_cut_and_says_what_is_torn) {
  std::uint64_t cuts = 0;
  std::uint64_t torn = 0;
  for (const auto& [name, bytes] : subjects()) {
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
      const std::string cut = bytes.substr(0, size);
      ASSERT_EQ(find(cut).recovery.kind, RecoveryKind::go_file) << name << " cut at " << size;
      const GoFile file = read(cut);
      // The last line counts as soon as its closing brace is there.
      const std::size_t newline = cut.rfind('\n') == std::string::npos ? 0 : cut.rfind('\n') + 1;
      const bool complete = newline == size || (bytes + "\n")[size] == '\n';
      const bool whole = complete && !(name == "torn" && size == bytes.size());
      EXPECT_EQ(file.torn, !whole) << name << " cut at " << size;
      const std::string reference = whole ? cut : cut.substr(0, newline);
      EXPECT_EQ(file.good_end, reference.size());
      EXPECT_EQ(store_of(file), store_of(read(reference)));
      ++cuts;
      torn += file.torn ? 1U : 0U;
    }
  }
  std::cout << cuts << " cuts, of them " << torn << " in the middle of a line\n";
  EXPECT_GT(torn, cuts / 2);
}

// There are no checksums. What makes a line unreadable is refused with that line; what leaves it
// readable is not seen, and then only that line's record, under its old or its new key, differs.
// A last line that has no newline and is not closed any more counts as torn, and that is said.
TEST(GoFile, a_changed_byte_is_refused_by_its_line_or_stays_in_its_record) {
  std::uint64_t refused = 0;
  std::uint64_t unseen = 0;
  std::uint64_t torn = 0;
  for (const auto& [name, bytes] : subjects()) {
    const GoFile whole = read(bytes);
    const Store before = store_of(whole);
    std::uint64_t line = 1;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      std::string text = line_of(bytes, line);
      Line decoded;
      decode(std::string_view(text).substr(0, text.find('\n')), decoded);
      const std::string key(decoded.kind == LineKind::record ? decoded.record.key : "");
      for (const int mask : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF, '\n' ^ bytes[at],
                             '"' ^ bytes[at], '0' ^ bytes[at], '9' ^ bytes[at], '[' ^ bytes[at]}) {
        if (mask == 0) continue;
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ mask);
        SCOPED_TRACE(name + ", byte " + std::to_string(at) + " ^ " + std::to_string(mask));
        const Recovery recovery = find(changed).recovery;
        if (recovery.kind == RecoveryKind::damaged) {
          ++refused;
          EXPECT_GT(recovery.bad_line, 0U);
          continue;
        }
        ASSERT_EQ(recovery.kind, RecoveryKind::go_file);
        const auto file = read_go_file(changed);
        if (!file) {
          ++refused;
          EXPECT_EQ(file.error().line(), line) << file.error().text();
          EXPECT_LE(file.error().offset(), at);
          continue;
        }
        torn += file->torn && !whole.torn ? 1U : 0U;
        unseen += file->torn == whole.torn ? 1U : 0U;
        // Every key but the line's old and new one has what it had.
        std::string new_text = line_of(changed, line);
        Line now;
        decode(std::string_view(new_text).substr(0, new_text.find('\n')), now);
        const std::string new_key(now.kind == LineKind::record ? now.record.key : "");
        Store after = store_of(*file);
        Store expected = before;
        for (const std::string& gone : {key, new_key}) {
          after.erase(gone);
          expected.erase(gone);
        }
        EXPECT_EQ(after, expected);
      }
      if (bytes[at] == '\n') ++line;
    }
  }
  std::cout << refused << " refused by line, " << torn << " torn and said, " << unseen
            << " not to be seen\n";
  EXPECT_GT(refused, 0U);
  EXPECT_GT(torn, 0U);
  EXPECT_GT(unseen, 0U);
}

}  // namespace dfs::log
