#include "cli/indent.hpp"

#include <gtest/gtest.h>

#include "common/log/value.hpp"

namespace dfs::cli {
namespace {

TEST(Indent, what_is_indented_is_the_same_document) {
  for (const std::string value :
       {"1", "\"a\"", "{}", "[]", R"({"a":{},"b":[]})", R"([[1.50,-0],{"x":"},[\"\\"}])",
        R"({"":"","é":[{"k":[{}]}],"n":1E400})"}) {
    const std::string text = indented(value);
    log::ValueChecker checker;
    std::string scratch;
    const auto compact = checker.compact(text, scratch);
    ASSERT_TRUE(compact.has_value()) << text;
    EXPECT_EQ(*compact, value);
    EXPECT_TRUE(text.ends_with('\n'));
  }
}

TEST(Indent, each_member_has_its_line) {
  EXPECT_EQ(indented(R"({"a":[1,2],"b":{}})"),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}\n");
}

}  // namespace
}  // namespace dfs::cli
