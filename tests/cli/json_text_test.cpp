#include "cli/json_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "common/log/value.hpp"

namespace {

using dfs::errc;
using dfs::cli::append_json;
using dfs::cli::decode_text;
using dfs::cli::elements;
using dfs::cli::members;
using dfs::cli::part_at;

TEST(JsonText, values_of_members_keep_their_bytes) {
  const auto found = members(R"( { "a" : 19.990 ,"b":{"c":[1, 2]}, "d\n":"x\"y" , "e" : 1E400 } )");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 4U);
  EXPECT_EQ((*found)[0].value, "19.990");
  EXPECT_EQ((*found)[1].value, R"({"c":[1, 2]})");
  EXPECT_EQ((*found)[2].name, "d\n");
  EXPECT_EQ((*found)[2].value, R"("x\"y")");
  EXPECT_EQ((*found)[3].value, "1E400");
}

TEST(JsonText, brackets_in_strings_do_not_count) {
  const auto found = members(R"({"a":["}]",{"]":"\\"}],"b":2})");
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)[0].value, R"(["}]",{"]":"\\"}])");
  EXPECT_EQ((*found)[1].value, "2");
}

TEST(JsonText, empty_ones_have_nothing_in_them) {
  EXPECT_TRUE(members("{}").value().empty());
  EXPECT_TRUE(members(" { } ").value().empty());
  EXPECT_TRUE(elements("[]").value().empty());
  EXPECT_EQ(elements("[1, [2,3],\"4\"]").value().size(), 3U);
}

TEST(JsonText, what_is_no_object_is_refused_with_its_column) {
  const auto offset = [](std::string_view text) { return members(text).error().offset(); };
  EXPECT_EQ(offset(""), 0U);
  EXPECT_EQ(offset("[]"), 0U);
  EXPECT_EQ(offset("{"), 1U);
  EXPECT_EQ(offset("{a:1}"), 2U);
  EXPECT_EQ(offset(R"({"a")"), 4U);
  EXPECT_EQ(offset(R"({"a":)"), 5U);
  EXPECT_EQ(offset(R"({"a":1)"), 6U);
  EXPECT_EQ(offset(R"({"a":1,})"), 7U);
  EXPECT_EQ(offset(R"({"a":1}x)"), 7U);
  EXPECT_EQ(offset(R"({"a":1,"a":2})"), 7U);
  EXPECT_EQ(members("nope").error(), errc::bad_value);
}

TEST(JsonText, an_object_cut_anywhere_is_refused) {
  const std::string whole = R"({"a":{"b":[1,"\u00e9\\"]},"c":"d","e":-1.5e3})";
  ASSERT_TRUE(members(whole));
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_FALSE(members(std::string_view(whole).substr(0, cut))) << cut;
  }
}

TEST(JsonText, escapes_are_what_they_say) {
  EXPECT_EQ(decode_text(R"("\"\\\/\b\f\n\r\t")").value(), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(decode_text(R"("\u0041\u00e9\u20AC\ud83d\ude00")").value(), "A\u00e9\u20ac\U0001f600");
  EXPECT_EQ(decode_text(R"("\u0000")").value(), std::string(1, '\0'));
}

TEST(JsonText, strings_that_say_nothing_are_refused) {
  for (const std::string text : {"", "\"", "a", "\"\\\"", R"("\x")", R"("\u12")", R"("\u12g4")",
                                 R"("\u+123")", R"("\ud800")", R"("\ude00")", R"("\ud800\u0041")",
                                 R"("\ud83d\ude0")", "\"\n\"", "\"\xff\"", "\"\xed\xa0\x80\""}) {
    EXPECT_FALSE(decode_text(text)) << text;
  }
}

TEST(JsonText, pointers_name_parts) {
  const std::string_view value = R"({"a":[{"b":1.0},"c"],"x/y":2,"t~":3,"":4,"é":5})";
  EXPECT_EQ(part_at(value, "").value(), value);
  EXPECT_EQ(part_at(value, "/a/0/b").value(), "1.0");
  EXPECT_EQ(part_at(value, "/a/1").value(), "\"c\"");
  EXPECT_EQ(part_at(value, "/x~1y").value(), "2");
  EXPECT_EQ(part_at(value, "/t~0").value(), "3");
  EXPECT_EQ(part_at(value, "/").value(), "4");
  EXPECT_EQ(part_at(value, "/é").value(), "5");
  for (const std::string_view nowhere :
       {"/b", "/a/2", "/a/01", "/a/-", "/a/", "/a/+1", "/a/0/b/0", "/a/99999999999999999999"}) {
    EXPECT_EQ(part_at(value, nowhere).error(), errc::absent) << nowhere;
  }
  for (const std::string_view wrong : {"a", "/~", "/~2", "/a~/b"}) {
    EXPECT_EQ(part_at(value, wrong).error(), errc::bad_argument) << wrong;
  }
}

TEST(JsonText, bytes_that_are_no_utf8_are_replaced_in_errors) {
  std::string out;
  append_json(out, "a\xff\n");
  EXPECT_EQ(out, "\"a\xEF\xBF\xBD\\n\"");
}

RC_GTEST_PROP(JsonText, any_text_comes_back_from_its_json, (const std::string& bytes)) {
  std::string text;
  append_json(text, bytes);
  const std::string decoded = decode_text(text).value();
  std::string again;
  append_json(again, decoded);
  RC_ASSERT(again == text);
}

// Bytes of JSON in any order: whatever is found must lie within the text, and whatever the strict
// checker takes for an object must be taken here.
RC_GTEST_PROP(JsonText, hostile_bytes_are_refused_or_taken_apart, ()) {
  const std::string text = *rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("{{}}[]\"\"\\:,,ua01e-. \xff")));
  const auto found = members(text);
  if (found) {
    for (const auto& member : *found) {
      RC_ASSERT(member.value.data() >= text.data());
      RC_ASSERT(member.value.data() + member.value.size() <= text.data() + text.size());
    }
  }
  static_cast<void>(elements(text));
  static_cast<void>(decode_text(text));
  dfs::log::ValueChecker checker;
  std::string scratch;
  const std::string object = "{\"a\":" + text + "}";
  const auto checked = checker.compact(object, scratch);
  if (checked) {
    const auto taken = members(object);
    // Said first: RC_ASSERT looks at both sides of an ||.
    const bool good = taken || taken.error().text().find("twice") != std::string_view::npos;
    RC_ASSERT(good);
    RC_ASSERT(part_at(*checked, "/a").has_value());
  }
}

}  // namespace
