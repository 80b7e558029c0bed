#include <gtest/gtest.h>

#include "cli/completion.hpp"
#include "cli/shell.hpp"

namespace dfs::cli {
namespace {

using Words = std::vector<std::string>;

TEST(ShellWords, quotes_are_taken_off_as_a_shell_does) {
  EXPECT_EQ(shell_words("  get  a "), (Words{"get", "a"}));
  EXPECT_EQ(shell_words(R"(get "a b" 'c"d' e\ f "g\"h")"),
            (Words{"get", "a b", "c\"d", "e f", "g\"h"}));
  EXPECT_EQ(shell_words(R"(get '' "")"), (Words{"get", "", ""}));
  EXPECT_EQ(shell_words("get 'never closed"), (Words{"get", "never closed"}));
  EXPECT_TRUE(shell_words("   ").empty());
}

TEST(ShellWords, json_behind_the_key_of_set_and_patch_is_taken_as_it_is) {
  EXPECT_EQ(shell_words(R"(set a {"b": "c  d", "e": [1, "}"]} --if-version 3)"),
            (Words{"set", "a", R"({"b": "c  d", "e": [1, "}"]})", "--if-version", "3"}));
  EXPECT_EQ(shell_words(R"(set "a b" "two words")"), (Words{"set", "a b", "\"two words\""}));
  EXPECT_EQ(shell_words(R"(patch a {"x":"a\"b")"), (Words{"patch", "a", R"({"x":"a\"b")"}));
  EXPECT_EQ(shell_words(R"(set -t a "two words")"), (Words{"set", "-t", "a", "two words"}));
  EXPECT_EQ(shell_words(R"(set a '{"b": 1}')"), (Words{"set", "a", R"({"b": 1})"}));
}

TEST(ShellWords, the_word_at_the_cursor_may_be_empty_or_open) {
  EXPECT_EQ(words_of("dfsctl get "), (Words{"dfsctl", "get", ""}));
  EXPECT_EQ(words_of("dfsctl get 'a b"), (Words{"dfsctl", "get", "a b"}));
  EXPECT_EQ(words_of(""), (Words{""}));
}

}  // namespace
}  // namespace dfs::cli
