#include "common/log/value.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "common/base/limits.hpp"
#include "tests/log/value_samples.hpp"

namespace dfs::log {

namespace {

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
