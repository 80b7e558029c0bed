#include <gtest/gtest.h>

#include <string>

#include "common/wire/reply.hpp"

namespace dfs::wire {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST(RefusalText, mismatch_names_key_and_real_version) {
  Refusal refusal;
  refusal.code = errc::version_mismatch;
  refusal.key = "user123";
  refusal.version = 7;
  const Error error = to_error(refusal);
  EXPECT_EQ(error.code(), errc::version_mismatch);
  EXPECT_EQ(error.key(), "user123");
  EXPECT_EQ(error.version(), 7U);
  EXPECT_TRUE(contains(error.text(), "key \"user123\" has version 7")) << error.text();
  refusal.version = 0;
  EXPECT_TRUE(contains(to_error(refusal).text(), "is absent"));
}

TEST(RefusalText, key_that_did_not_come_along_is_named_by_its_place) {
  Refusal refusal;
  refusal.code = errc::transaction_conflict;
  refusal.subject = Subject::range;
  refusal.index = 2;
  EXPECT_TRUE(contains(to_error(refusal).text(), "range 3")) << to_error(refusal).text();
  refusal.key = "user/";
  EXPECT_TRUE(contains(to_error(refusal).text(), "the range from \"user/\""))
      << to_error(refusal).text();
}

TEST(RefusalText, controls_and_long_keys_do_not_spoil_a_terminal) {
  Refusal refusal;
  refusal.code = errc::version_mismatch;
  refusal.version = 1;
  refusal.key = "a\x1b[2J\n\"b";
  EXPECT_TRUE(contains(to_error(refusal).text(), R"("a\x1b[2J\x0a\"b")"))
      << to_error(refusal).text();
  // A character of two bytes stands across the cut.
  std::string key(63, 'k');
  key += "\xc3\xa4 and much more";
  refusal.key = key;
  EXPECT_TRUE(contains(to_error(refusal).text(), std::string(63, 'k') + "...\""))
      << to_error(refusal).text();
}

TEST(RefusalText, full_store_says_which_limit_and_why) {
  Refusal refusal;
  refusal.code = errc::store_full;
  refusal.rule = Rule::memory_limit;
  refusal.limit = 4096;
  EXPECT_TRUE(contains(to_error(refusal).text(), "4096 bytes of memory"));
  EXPECT_EQ(to_error(refusal).limit(), 4096U);
  refusal.offset = 3000;
  const auto advises = [&refusal](Relief relief, std::string_view advice) {
    refusal.index = static_cast<std::uint32_t>(relief);
    const Error error = to_error(refusal);
    EXPECT_TRUE(contains(error.text(), advice) && contains(error.text(), "3000")) << error.text();
    EXPECT_EQ(error.offset(), 0U) << "it is no place";
  };
  advises(Relief::letting_go, "dfsctl clients says whose");
  advises(Relief::compacting, "dfsctl compact");
  advises(Relief::erasing, "delete some");
  refusal.rule = Rule::disk_full;
  refusal.system_errno = 28;
  advises(Relief::compacting, "of the log's 4096 bytes are garbage");
  EXPECT_TRUE(contains(to_error(refusal).text(), "No space left on device"));
  EXPECT_EQ(to_error(refusal).system_error(), 28);
}

TEST(RefusalText, place_in_a_value_is_told) {
  Refusal refusal;
  refusal.code = errc::bad_value;
  refusal.key = "greeting";
  refusal.rule = Rule::value_not_json;
  refusal.offset = 12;
  const Error error = to_error(refusal);
  EXPECT_EQ(error.offset(), 12U);
  EXPECT_TRUE(contains(error.text(), "byte 12")) << error.text();
}

TEST(RefusalText, every_code_and_rule_has_a_text_even_unknown_ones) {
  for (std::uint16_t code = 0; code < kErrcCount + 3; ++code) {
    for (std::uint16_t rule = 0; rule < 25; ++rule) {
      for (std::uint8_t subject = 0; subject < 7; ++subject) {
        Refusal refusal;
        refusal.code = static_cast<errc>(code);
        refusal.rule = static_cast<Rule>(rule);
        refusal.subject = static_cast<Subject>(subject);
        EXPECT_GT(to_error(refusal).text().size(), 5U) << code << " " << rule;
      }
    }
  }
}

}  // namespace
}  // namespace dfs::wire
