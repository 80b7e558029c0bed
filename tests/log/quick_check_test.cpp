#include "common/log/quick_check.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/log/value.hpp"
#include "tests/log/value_samples.hpp"

namespace dfs::log {

namespace {

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

}  // namespace

TEST(QuickCheck, what_it_knows_is_what_the_parser_takes) {
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
RC_GTEST_PROP(QuickCheck, what_it_knows_is_what_the_parser_takes_of_long_values,
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

TEST(QuickCheck, it_knows_what_nearly_all_values_are) {
  EXPECT_EQ(quick_check(R"({"id":841,"name":"Al\"ice","score":-91.6,"note":"schÃ¶n"})"),
            QuickCheck::compact);
  EXPECT_EQ(quick_check(R"({"id": 1, "tags": [true, null]})"), QuickCheck::spaced);
  EXPECT_EQ(quick_check(nested(32)), QuickCheck::compact);
}

}  // namespace dfs::log
