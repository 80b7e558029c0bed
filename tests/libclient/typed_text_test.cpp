// A program's own types as text and back, without a store: every number and every string is itself
// again, and no text does harm.
#include <dfs/typed.hpp>

#include <bit>
#include <boost/json/array.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/libclient/typed_samples.hpp"

namespace dfs {
namespace {

using test::Anything;
using test::Number;
using test::Order;
using test::User;

TEST(TypedText, every_double_reads_back_as_itself) {
  const bool all = rc::check("print and read", [](std::uint64_t bits) {
    const auto number = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(number));
    RC_PRE(number != 0 || !std::signbit(number));
    const auto text = typed::to_text(Number{"k", number}, "k").value();
    RC_ASSERT(std::bit_cast<std::uint64_t>(typed::from_text<Number>(text, "k")->is) == bits);
    // Shortest: one digit less is another number.
    RC_ASSERT(text.size() <= std::string(R"({"id":"k","is":-2.2250738585072014e-308})").size());
  });
  EXPECT_TRUE(all);
}

TEST(TypedText, long_fractions_are_read_correctly_rounded) {
  // Half a bit off, each, where digits are added up one by one.
  for (const auto& [text, number] :
       std::map<std::string, double>{{"0.1000000000000000055511151231257827", 0.1},
                                     {"7.038531e-26", 7.038531e-26},
                                     {"9007199254740993.0000001", 9007199254740994.0},
                                     {"2.2250738585072011e-308", 2.2250738585072011e-308},
                                     {"123456789012345678901234567890", 1.2345678901234568e29}}) {
    const auto read = typed::from_text<Number>(R"({"id":"k","is":)" + text + "}", "k");
    ASSERT_TRUE(read.has_value()) << text << ": " << read.error().text();
    EXPECT_EQ(read->is, number) << text;
  }
}

TEST(TypedText, every_text_of_utf8_reads_back_as_itself) {
  std::string all;
  for (char c = 0; c < 127; ++c) all += c;
  all += "\x7f\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
  for (const std::string& text : {all, std::string(), std::string("\0", 1)}) {
    const User user{"k", text, "\"\\/"};
    const auto printed = typed::to_text(user, "k").value();
    EXPECT_EQ(typed::from_text<User>(printed, "k").value(), user) << printed;
  }
  for (const char* text : {"\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    EXPECT_EQ(typed::to_text(User{"k", text, ""}, "k").error(), errc::bad_value);
  }
}

TEST(TypedText, no_text_whatever_it_is_does_harm) {
  // What another program wrote is input; so is what a revoked snapshot holds.
  Order order;
  order.total = 1e300;
  order.note = "n";
  order.lines = {{"a", 1}};
  const std::string whole = typed::to_text(order, "k").value();
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_EQ(typed::from_text<Order>(whole.substr(0, cut), "k").error(), errc::wrong_type);
    for (const char c : {'\0', '"', '}', '9', '\xff'}) {
      std::string spoilt = whole;
      spoilt[cut] = c;
      const auto read = typed::from_text<Order>(spoilt, "k");
      EXPECT_TRUE(read.has_value() || read.error() == errc::wrong_type) << spoilt;
    }
  }
  EXPECT_EQ(typed::from_text<Order>(whole + " 1", "k").error(), errc::wrong_type);
  EXPECT_EQ(typed::from_text<Anything>(std::string(100'000, '['), "k").error(), errc::wrong_type);
}

TEST(TypedText, what_is_nested_deeper_than_a_value_may_be_is_refused) {
  Anything deep{"k", 1};
  for (std::size_t i = 0; i < kMaxValueDepth; ++i) deep.is = boost::json::array{deep.is};
  EXPECT_EQ(typed::to_text(deep, "k").error(), errc::bad_value);
}

}  // namespace
}  // namespace dfs
