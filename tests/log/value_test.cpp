#include "common/log/value.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "common/base/limits.hpp"
#include "common/log/quick_check.hpp"

namespace dfs::log {

namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

// What is JSON, each without white space between its tokens.
std::vector<std::string> good_values() {
  return {"0",
          "-0",
          "1",
          "-1",
          "10",
          "123456789012345678901234567890",
          "0.5",
          "-0.0",
          "1.0",
          "1e5",
          "1E5",
          "1e+5",
          "1E-5",
          "1.5e300",
          "1E400",
          "1e-400",
          "19.99",
          "3.3000000000000003",
          "9007199254740993",
          "0.1234567890123456789012345678901234567890",
          "1.7976931348623157e308",
          "2.2250738585072014e-308",
          "1e2147483647",
          "1e-2147483647",
          "true",
          "false",
          "null",
          R"("")",
          R"("a")",
          R"("\"")",
          R"("\\")",
          R"("\/")",
          R"("\b\f\n\r\t")",
          R"("\u0041")",
          R"("\u00e9")",
          R"("\uD83D\uDE00")",
          R"("\u0000")",
          "\"\x7F\"",
          "\"\xC3\xA4\"",
          "\"\xF0\x9F\x98\x80\"",
          R"("a b  c")",
          R"("]}")",
          "[]",
          "{}",
          "[1]",
          "[1,2]",
          "[[],{}]",
          R"({"a":1})",
          R"({"a":1,"b":[1,2,{"c":null}]})",
          R"({"":""})",
          R"({"a":1,"a":2})",
          R"({"\u0061":1})",
          R"(["\\",1])",
          R"(["\\\"",1])",
          nested(64)};
}

// What is not, with the byte at which that shows.
struct Refused {
  std::string text;
  std::uint64_t offset = 0;
};
std::vector<Refused> bad_values() {
  return {{"", 0},
          {" ", 1},
          {"hello", 0},
          {"1 2", 2},
          {"1,", 1},
          {"{}{}", 2},
          {"[] x", 3},
          {"tru", 3},
          {"trux", 0},
          {"True", 0},
          {"nul", 3},
          {"NaN", 0},
          {"Infinity", 0},
          {"-Infinity", 1},
          {"+1", 0},
          {"01", 1},
          {"-01", 2},
          {"1.", 2},
          {".5", 0},
          {"1.e5", 2},
          {"1e", 2},
          {"1e+", 3},
          {"-", 1},
          {"--1", 1},
          {"0x10", 1},
          {"1_000", 1},
          {"1e5.5", 3},
          {"1e99999999999", 11},
          {"1e-99999999999", 12},
          {"[", 1},
          {"[1", 2},
          {"[1,", 3},
          {"[1,]", 3},
          {"[,1]", 1},
          {"[1 2]", 3},
          {"]", 0},
          {"[}", 1},
          {"{", 1},
          {"{\"a\"", 4},
          {"{\"a\":", 5},
          {"{\"a\":1", 6},
          {"{\"a\":1,}", 7},
          {"{a:1}", 1},
          {"{'a':1}", 1},
          {"{1:1}", 1},
          {"{\"a\" 1}", 5},
          {"{\"a\":1 \"b\":2}", 7},
          {"\"", 1},
          {"\"a", 2},
          {"\"\\\"", 3},
          {"\"\\x\"", 2},
          {"\"\\u12\"", 5},
          {"\"\\u12G4\"", 5},
          {"'a'", 0},
          {"\"\n\"", 1},
          {"\"\t\"", 1},
          {std::string("\"\0\"", 3), 1},
          {std::string("\0", 1), 0},
          {"\"\x1F\"", 1},
          {"\"\x80\"", 1},
          {"\"\xC3\"", 1},
          {"\"\xC0\xAF\"", 1},
          {"\"\xED\xA0\x80\"", 1},
          {"\"\xF4\x90\x80\x80\"", 1},
          {"\"\xFF\"", 1},
          {"\"\\uD800\"", 7},
          {"\"\\uD800\\u0041\"", 9},
          {"\"\\uDC00\"", 7},
          {"// c\n1", 0},
          {"/* c */1", 0},
          {"1 // c", 2},
          {"[1]\x0C", 3},
          {"\xEF\xBB\xBF"
           "1",
           0},
          {"1\xC2\xA0", 1}};
}

// White space of every kind put between the tokens, where `random` says.
std::string spread(std::string_view compact, const std::vector<std::uint8_t>& random) {
  static const std::string_view kKinds[] = {"", " ", "\n", "\t", "\r\n", "    ", "", ""};
  std::string out;
  bool inside = false;
  std::size_t used = 0;
  const auto space = [&] {
    if (!random.empty()) out += kKinds[random[used++ % random.size()] % 8];
  };
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    const bool token = !inside && std::string_view("[]{},:\"").find(c) != std::string_view::npos;
    if (token) space();
    out += c;
    if (inside && c == '\\') {
      out += compact[++i];
    } else if (c == '"') {
      inside = !inside;
    }
    if (!inside && (token || c == '"')) space();
  }
  space();
  return out;
}

}  // namespace

TEST(Value, json_is_taken_and_no_digit_changes) {
  ValueChecker checker;
  std::string scratch;
  for (const std::string& text : good_values()) {
    const auto compacted = checker.compact(text, scratch);
    ASSERT_TRUE(compacted) << text << ": " << compacted.error().text();
    EXPECT_EQ(*compacted, text);
    EXPECT_EQ(compacted->data(), text.data()) << "no copy where there is no white space";
  }
}

TEST(Value, what_is_not_json_is_refused_at_its_byte) {
  ValueChecker checker;
  std::string scratch;
  for (const Refused& refused : bad_values()) {
    const auto compacted = checker.compact(refused.text, scratch);
    ASSERT_FALSE(compacted) << refused.text;
    EXPECT_EQ(compacted.error().code(), errc::bad_value) << refused.text;
    EXPECT_EQ(compacted.error().offset(), refused.offset)
        << testing::PrintToString(refused.text) << " " << compacted.error().text();
  }
}

TEST(Value, a_checker_forgets_what_it_refused) {
  ValueChecker checker;
  std::string scratch;
  for (const Refused& refused : bad_values()) {
    EXPECT_FALSE(checker.compact(refused.text, scratch));
    EXPECT_TRUE(checker.compact("[1]", scratch));
  }
}

TEST(Value, the_text_counts_columns_in_characters) {
  ValueChecker checker;
  std::string scratch;
  const auto hello = checker.compact("hello", scratch);
  EXPECT_EQ(hello.error().text(), "not JSON (column 1): this cannot stand here");
  const auto accents = checker.compact("[\"\xC3\xA4\xC3\xB6\",x]", scratch);
  EXPECT_NE(accents.error().text().find("(column 7)"), std::string_view::npos)
      << accents.error().text();
  EXPECT_EQ(accents.error().offset(), 8U);
  EXPECT_NE(checker.compact("", scratch).error().text().find("nothing"), std::string_view::npos);
  EXPECT_NE(checker.compact("1 2", scratch).error().text().find("behind the end"),
            std::string_view::npos);
}

TEST(Value, what_is_too_deep_is_too_large_and_names_the_limit) {
  ValueChecker checker;
  std::string scratch;
  const auto refused = checker.compact(nested(65), scratch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::too_large);
  EXPECT_EQ(refused.error().limit(), 64U);
  EXPECT_EQ(refused.error().offset(), 64U);
  EXPECT_NE(refused.error().text().find("64"), std::string_view::npos) << refused.error().text();
  EXPECT_TRUE(checker.compact(nested(64), scratch));
}

TEST(Value, the_largest_is_taken_and_one_more_byte_is_too_large) {
  ValueChecker checker;
  std::string scratch;
  std::string text = "\"" + std::string(kMaxValueBytes - 2, 'x') + "\"";
  const auto taken = checker.compact(text, scratch);
  ASSERT_TRUE(taken) << taken.error().text();
  EXPECT_EQ(taken->data(), text.data());
  text.insert(1, "x");
  const auto refused = checker.compact(text, scratch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::too_large);
  EXPECT_EQ(refused.error().limit(), kMaxValueBytes);
}

TEST(Value, long_values_say_where_they_break) {
  ValueChecker checker;
  std::string scratch;
  std::string text = "[";
  while (text.size() < 300'000) text += "\"some text\",";
  const std::size_t at = text.size();
  text += "oops]";
  const auto refused = checker.compact(text, scratch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().offset(), at);
  EXPECT_NE(refused.error().text().find("(column " + std::to_string(at + 1) + ")"),
            std::string_view::npos);
}

TEST(Value, pieces_are_judged_like_the_whole_at_every_split) {
  ValueChecker checker;
  std::vector<Refused> all = bad_values();
  for (const std::string& text : good_values()) all.push_back({text, 0});
  for (const Refused& one : all) {
    std::string scratch;
    const bool good = checker.compact(one.text, scratch).has_value();
    for (std::size_t split = 0; split <= one.text.size(); ++split) {
      checker.begin();
      auto result = checker.more(std::string_view(one.text).substr(0, split));
      if (result) result = checker.more(std::string_view(one.text).substr(split));
      const auto last = checker.finish();
      EXPECT_EQ(last.has_value(), good) << one.text << " split at " << split;
      if (!good) {
        EXPECT_EQ(last.error().code(), errc::bad_value);
        EXPECT_LE(last.error().offset(), one.text.size());
      }
    }
  }
}

TEST(Value, pieces_beyond_the_limit_are_refused_before_the_end) {
  ValueChecker checker;
  checker.begin();
  ASSERT_TRUE(checker.more("\""));
  const std::string piece(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 15; ++i) ASSERT_TRUE(checker.more(piece));
  EXPECT_EQ(checker.more(piece).error().code(), errc::too_large);
  EXPECT_EQ(checker.finish().error().code(), errc::too_large);
}

RC_GTEST_PROP(Value, white_space_between_tokens_goes_and_nothing_else,
              (const std::vector<std::uint8_t>& random)) {
  std::string compact = "[";
  const std::vector<std::string> values = good_values();
  for (const std::uint8_t choice : random) {
    if (compact.size() > 1) compact += ',';
    const std::string& value = values[choice % (values.size() - 1)];  // all but the deepest
    compact += choice % 3 == 0 ? R"({"k e\\y\" ":)" + value + "}" : value;
  }
  compact += ']';
  ValueChecker checker;
  std::string scratch;
  const std::string spaced = spread(compact, random);
  const auto result = checker.compact(spaced, scratch);
  RC_ASSERT(result.has_value());
  RC_ASSERT(*result == compact);
}

// Every good and bad value with each byte of it in turn replaced, taken out, or doubled.
std::vector<std::string> near_values() {
  std::vector<std::string> near;
  std::vector<std::string> texts = good_values();
  for (const Refused& refused : bad_values()) texts.push_back(refused.text);
  texts.push_back(R"({"id":841,"tags":["a","\u00fc\n"],"deep":[[{"x":null}]],"f":-0.25,"t":true})");
  for (const std::string& text : texts) {
    near.push_back(text);
    if (text.size() > 100) continue;
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const char byte : std::string_view("\0\x1f \t\n\"\\,:[]{}-.0e1ux\x7f\x80\xc3\xff", 25)) {
        near.push_back(text);
        near.back()[at] = byte;
      }
      near.push_back(std::string(text).erase(at, 1));
      near.push_back(std::string(text).insert(at, 1, text[at]));
    }
  }
  return near;
}

TEST(Value, what_is_checked_quickly_is_what_the_parser_takes) {
  ValueChecker checker;
  std::string scratch;
  for (const std::string& text : near_values()) {
    checker.begin();
    const bool taken = checker.more(text) && checker.finish();
    const QuickCheck quick = quick_check(text);
    ASSERT_TRUE(taken || quick == QuickCheck::unknown) << text;
    ASSERT_EQ(taken, checker.compact(text, scratch).has_value()) << text;
    if (quick == QuickCheck::unknown) continue;
    ASSERT_EQ(quick == QuickCheck::compact, strip_white_space(text, scratch).size() == text.size())
        << text;
  }
}

// Documents of several thousand bytes, and near ones: `random` chooses what they are made of, and a
// few bytes that are replaced.
RC_GTEST_PROP(Value, what_is_checked_quickly_is_what_the_parser_takes_of_long_values,
              (const std::vector<std::uint16_t>& random,
               const std::vector<std::uint16_t>& broken)) {
  std::string text = "[1";
  const std::vector<std::string> values = good_values();
  for (const std::uint16_t choice : random) {
    const std::string& value = values[choice % (values.size() - 1)];  // all but the deepest
    const std::string filling(choice / 7 % 300, choice % 5 == 0 ? ' ' : 'x');
    text +=
        choice % 3 == 0 ? ",{\"" + filling + "\":" + value + "}" : ",\"" + filling + "\"," + value;
  }
  text += ']';
  for (const std::uint16_t place : broken) {
    constexpr std::string_view kBytes("\0\x1f \t\n\"\\,:[]{}-.0e1ux\x7f\x80\xc3\xff", 25);
    // Most documents are left as they are.
    if (place % 8 == 0) text[place / 8 % text.size()] = kBytes[place % kBytes.size()];
  }
  ValueChecker checker;
  checker.begin();
  const bool taken = checker.more(text) && checker.finish();
  const QuickCheck quick = quick_check(text);
  RC_ASSERT(taken || quick == QuickCheck::unknown);
  if (quick == QuickCheck::unknown) return;
  std::string scratch;
  RC_ASSERT((quick == QuickCheck::compact) ==
            (strip_white_space(text, scratch).size() == text.size()));
}

TEST(Value, what_nearly_all_values_are_is_checked_quickly) {
  EXPECT_EQ(quick_check(R"({"id":841,"name":"Al\"ice","score":-91.6,"note":"schÃ¶n"})"),
            QuickCheck::compact);
  EXPECT_EQ(quick_check(R"({"id": 1, "tags": [true, null]})"), QuickCheck::spaced);
  EXPECT_EQ(quick_check(nested(32)), QuickCheck::compact);
}

TEST(Value, backslashes_and_quotes_at_every_place_of_a_block) {
  ValueChecker checker;
  for (std::size_t before = 0; before < 140; ++before) {
    for (const std::string middle : {R"(\\)", R"(\")", R"(\\\")", R"(\\\\)", R"(\u0020)", " "}) {
      const std::string text = "\"" + std::string(before, 'x') + middle + " \"";
      std::string scratch;
      const std::string spaced = "[ " + text + " , 1 ]";
      const auto result = checker.compact(spaced, scratch);
      ASSERT_TRUE(result) << spaced;
      EXPECT_EQ(*result, "[" + text + ",1]");
    }
  }
}

}  // namespace dfs::log
