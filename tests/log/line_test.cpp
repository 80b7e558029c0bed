#include "common/log/line.hpp"

#include <gtest/gtest.h>

#include "common/log/format.hpp"
#include "tests/log/sample.hpp"

namespace dfs::log {

namespace {

LineKind kind_of(std::string_view text) {
  Line line;
  decode(text, line);
  return line.kind;
}

std::string reason_of(std::string_view text) {
  Line line;
  decode(text, line);
  EXPECT_EQ(line.kind, LineKind::bad) << text;
  return line.reason + " @" + std::to_string(line.column);
}

}  // namespace

TEST(Line, a_wrong_seal_is_refused_with_both_sums) {
  std::string line = LogWriter().mark(5).bytes;
  line.pop_back();
  line[line.find('5')] = '6';
  const std::string reason = reason_of(line);
  EXPECT_NE(reason.find("its checksum is"), std::string::npos) << reason;
  EXPECT_NE(reason.find("edited"), std::string::npos) << reason;
}

TEST(Line, a_seal_that_is_not_as_it_should_be_is_no_missing_one) {
  const std::string body = R"({"k":"a","v":1,"d":false,"val":1,"s":5)";
  for (const std::string& line :
       {body + R"(,"c":"ABCDEF01"})", body + R"(,"c":"1234567"})", body + R"(, "c":"12345678"})",
        body + R"(,"c":12345678})", body + R"(,"c":"12345678" })", body + R"(,"c":null})"}) {
    EXPECT_NE(reason_of(line).find("\"c\" should be"), std::string::npos) << line;
  }
  EXPECT_EQ(kind_of(body + "}"), LineKind::record);
}

TEST(Line, a_sealed_line_is_as_the_encoder_writes_it) {
  const std::string_view bodies[] = {
      R"({"k":"a","v":1,"d":false,"val":1)",                   // no s
      R"({"k":"a","v":0,"d":false,"val":1,"s":1)",             // version 0
      R"({"k":"a","v":9007199254740993,"d":true,"s":1)",       // version above 2^53
      R"({"k":"a","v":01,"d":true,"s":1)",                     // leading zero
      R"({"k":"a","v":1,"d":true,"s":0)",                      // sequence 0
      R"({"k":"a","v":1,"d":true,"s":18446744073709551617)",   // wraps round to 1
      R"({"k":"a","v":1,"d":true,"s":1,"n":1)",                // n is left out when 1
      R"({"k":"a","v":1,"d":true,"s":1,"n":100001)",           // above the limit of a commit
      R"({"k":"a","v":1,"d":true,"s":1,"t":281474976710656)",  // 49 bits
      R"({"k":"a","v":1,"d":true,"s":1,"t":5,"w":3)",          // another order
      R"({"k":"a","v":1,"d":true,"s":1,"x":3)",                // no such member
      R"({"k":"a","v":1,"d":true,"val":1,"s":1)",              // erased, with a value
      R"({"k":"a","v":1,"d":false,"s":1)",                     // no value
      R"({"k":"a","v":1,"d":false,"val":,"s":1)",              // an empty one
      R"({"k":"a", "v":1,"d":true,"s":1)",                     // white space
      R"({"k":"a","d":true,"s":1)",                            // no version
      R"({"k":"","v":1,"d":true,"s":1)",                       // an empty key
      R"({"k":"\u0000","v":1,"d":true,"s":1)",                 // NUL
      R"({"k":"\ud800","v":1,"d":true,"s":1)",                 // half a character
      "{\"k\":\"\xFF\",\"v\":1,\"d\":true,\"s\":1",            // not UTF-8
      R"({"k":5,"v":1,"d":true,"s":1)",                        // a number
      R"({"v":1,"k":"a","d":true,"s":1)",
      R"({"k":"a","v":1,"d":true,"s":1,"by":"")",
      R"({"k":"a","v":1,"d":true,"s":1,"by":5)"};
  for (const std::string_view body : bodies) {
    EXPECT_EQ(kind_of(sealed(std::string(body), "}")), LineKind::bad) << body;
  }
  EXPECT_EQ(kind_of(sealed(R"({"k":"a","v":1,"d":true,"s":1)", "}")), LineKind::record);
}

TEST(Line, control_lines_are_held_to_their_form) {
  const std::string_view bodies[] = {
      R"(["dfs",{"format":1,"store":"00112233445566778899aabbccddeef","base":0,"needs":[],"dfs":"1")",
      R"(["dfs",{"format":1,"store":"00112233445566778899AABBCCDDEEFF","base":0,"needs":[],"dfs":"1")",
      R"(["dfs",{"format":1,"store":"00112233445566778899aabbccddeeff","needs":[],"dfs":"1")",
      R"(["dfs",{"format":1,"store":"00112233445566778899aabbccddeeff","base":0,"needs":[5],"dfs":"1")",
      R"(["base",{"records":3,"s":9,"floor":4,"restored":0,"gaps":[[3,4]],"t":6)",
      R"(["base",{"records":3,"s":9,"floor":4,"restored":0,"gaps":[[5,9],[3,6]],"t":6)",
      R"(["base",{"records":3,"s":9,"floor":4,"restored":0,"gaps":[[8,12]],"t":6)",
      R"(["base",{"records":3,"s":9,"floor":4,"restored":0,"gaps":[[6,3]],"t":6)",
      R"(["base",{"records":3,"s":9,"floor":4,"restored":0,"gaps":[3,6],"t":6)",
      R"(["start",{"after":5,"next":5,"w":5,"t":1)",
      R"(["start",{"after":5,"next":6,"w":5)",
      R"(["mark",{"w":-1)",
      R"(["mark",{"w":5,"x":1)",
      R"(["stop",{)",
      R"(["mark")",
      R"([5)"};
  for (const std::string_view body : bodies) {
    EXPECT_EQ(kind_of(sealed(std::string(body), "}]")), LineKind::bad) << body;
  }
  EXPECT_EQ(kind_of(sealed(R"(["base",{"records":3,"s":9,"floor":4,"restored":0,)"
                           R"("gaps":[[0,4],[9,14]],"t":6)",
                           "}]")),
            LineKind::base);
}

TEST(Line, control_lines_of_later_versions_pass_if_sealed) {
  Line line;
  const std::string text = sealed(R"(["later",{"anything":[1,2]})", "}]");
  decode(text, line);
  EXPECT_EQ(line.kind, LineKind::other_control);
  EXPECT_EQ(line.name, "later");
  EXPECT_EQ(kind_of(R"(["later",{"anything":1}])"), LineKind::bad);
}

TEST(Line, a_foreign_format_is_read_as_far_as_it_goes) {
  Line line;
  decode(sealed(R"(["dfs",{"format":2,"whatever":[1],"dfs":"9.1.0")", "}]"), line);
  EXPECT_EQ(line.kind, LineKind::first);
  EXPECT_EQ(line.first.format, 2U);
  EXPECT_EQ(line.first.dfs, "9.1.0");
  EXPECT_EQ(kind_of(R"(["dfs",{"format":2,"dfs":"9.1.0"}])"), LineKind::bad)
      << "without a seal it may as well be a 1 that was damaged";
}

TEST(Line, what_an_editor_leaves_is_taken) {
  Line line;
  decode(
      "{ \"k\" : \"a\\u00e4\\ud83d\\ude00\" , \"v\":3,\"d\": false,\"val\": { \"x\": 1.50 }, "
      "\"s\":7, \"t\":5 } ",
      line);
  ASSERT_EQ(line.kind, LineKind::record) << line.reason;
  EXPECT_FALSE(line.sealed);
  EXPECT_EQ(line.record.key, "a\xC3\xA4\xF0\x9F\x98\x80");
  EXPECT_EQ(line.record.value, "{\"x\":1.50}");
  EXPECT_EQ(line.record.sequence, 7U);
  EXPECT_EQ(line.record.time_ms, 5U);
}

TEST(Line, the_value_of_an_edited_line_is_checked) {
  EXPECT_EQ(reason_of(R"({"k":"a","v":1,"d":false,"val":{"x":01},"s":7})"),
            "the value is not JSON (column 7): this cannot stand here @38");
  for (const std::string_view value : {"tru", "{]", "[1,]", "1 2", "\"\x01\"", "{\"a\":1", "NaN"}) {
    const std::string line =
        R"({"k":"a","v":1,"d":false,"val":)" + std::string(value) + R"(,"s":7})";
    EXPECT_EQ(kind_of(line), LineKind::bad) << line;
  }
}

TEST(Line, a_line_by_hand_needs_key_and_value_alone) {
  Line line;
  for (const std::string_view text :
       {R"({"k":"a","v":1,"d":false,"val":[1, 2]})", R"({"k":"a","val":[1,2]})",
        R"({"k":"a","d":false,"val":[1,2]})", R"({"k":"a","v":8,"val":[1,2]})"}) {
    decode(text, line);
    ASSERT_EQ(line.kind, LineKind::record) << line.reason;
    EXPECT_EQ(line.record.sequence, 0U);
    EXPECT_EQ(line.record.key, "a");
    EXPECT_EQ(line.record.value, "[1,2]");
  }
  for (const std::string_view text :
       {R"({"k":"a","d":true})", R"({"k":"a","v":2,"d":true,"val":{"id":""}})"}) {
    decode(text, line);
    ASSERT_EQ(line.kind, LineKind::record) << line.reason;
    EXPECT_TRUE(line.record.erased);
    EXPECT_TRUE(line.record.value.empty());
  }
  decode(R"({"k":-17,"val":1})", line);
  EXPECT_EQ(line.record.key, "-17");
  for (const std::string_view text :
       {R"({"k":"a"})", R"({"k":"a","val":1,"w":5})", R"({"k":"a","val":1,"n":2})",
        R"({"val":1,"k":"a"})", R"({"k":1.5,"val":1})", R"({"k":-0,"val":1})",
        R"({"k":01,"val":1})", R"({"k":true,"val":1})", R"({"k":"a","v":0,"val":1})",
        R"({"k":"a","val":1} x)", R"({"k":"a","val":1}{"k":"b","val":1})"}) {
    EXPECT_EQ(kind_of(text), LineKind::bad) << text;
  }
}

TEST(Line, what_is_no_line_at_all_is_named) {
  EXPECT_NE(reason_of("").find("empty line"), std::string::npos);
  EXPECT_NE(reason_of(std::string(100, '\0')).find("nothing but NUL"), std::string::npos);
  EXPECT_NE(reason_of(std::string(9, '\0') + "{}").find("NUL bytes, and"), std::string::npos);
  EXPECT_NE(reason_of("\xEF\xBB\xBF{}").find("byte order mark"), std::string::npos);
  EXPECT_NE(reason_of("[\"mark\"]\r").find("CR LF"), std::string::npos);
  EXPECT_NE(reason_of("hello").find("no line of a log"), std::string::npos);
  EXPECT_NE(reason_of(std::string(kMaxLineBytes + 1, 'x')).find("more than"), std::string::npos);
}

TEST(Line, every_cut_of_a_line_is_bad) {
  for (std::string text : lines_of(ordinary_log() + base_log().bytes)) {
    text.pop_back();
    for (std::size_t size = 0; size < text.size(); ++size) {
      ASSERT_EQ(kind_of(std::string_view(text).substr(0, size)), LineKind::bad)
          << text.substr(0, size);
    }
  }
}

TEST(Line, says_what_was_on_disk_and_which_sequences_it_uses) {
  Line line;
  decode(R"({"k":"a","v":1,"d":true,"s":9,"w":4})", line);
  EXPECT_EQ(line.synced(), 4U);
  EXPECT_EQ(line.highest_sequence(), 9U);
  decode(R"(["start",{"after":5,"next":60,"w":5,"t":1}])", line);
  EXPECT_EQ(line.synced(), 5U);
  EXPECT_EQ(line.highest_sequence(), 60U);
  decode(R"(["stop",{"w":8}])", line);
  EXPECT_EQ(line.synced(), 8U);
  decode("bad", line);
  EXPECT_EQ(line.synced(), 0U);
  EXPECT_EQ(line.highest_sequence(), 0U);
}

}  // namespace dfs::log
