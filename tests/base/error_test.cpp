#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "common/base/result.hpp"

namespace dfs {
namespace {

TEST(Errors, every_code_has_a_name_a_sentence_and_an_exit_code) {
  std::set<std::string_view> names;
  for (std::uint16_t n = 1; n <= kErrcCount; ++n) {
    const auto code = static_cast<errc>(n);
    EXPECT_TRUE(names.insert(name(code)).second) << "twice: " << name(code);
    EXPECT_FALSE(describe(code).empty());
    EXPECT_GE(exit_code(code), 0);
    EXPECT_LT(exit_code(code), 128);
    EXPECT_EQ(make_error_code(code).message(), describe(code));
    EXPECT_STREQ(make_error_code(code).category().name(), "dfs");
  }
}

TEST(Errors, a_code_of_a_later_version_is_no_crash) {
  for (const std::uint16_t n :
       {std::uint16_t{0}, static_cast<std::uint16_t>(kErrcCount + 1), std::uint16_t{65535}}) {
    const auto code = static_cast<errc>(n);
    EXPECT_EQ(name(code), "unknown_code");
    EXPECT_EQ(exit_code(code), 70);
    EXPECT_FALSE(Error(code).nothing_was_written());
    EXPECT_FALSE(Error(code).worth_retrying());
  }
}

TEST(Errors, exit_codes_are_those_that_were_promised) {
  EXPECT_EQ(exit_code(errc::absent), 1);
  EXPECT_EQ(exit_code(errc::bad_value), 2);
  EXPECT_EQ(exit_code(errc::version_mismatch), 3);
  EXPECT_EQ(exit_code(errc::transaction_conflict), 3);
  EXPECT_EQ(exit_code(errc::no_store), 4);
  EXPECT_EQ(exit_code(errc::daemon_gone), 4);
  EXPECT_EQ(exit_code(errc::timeout), 5);
  EXPECT_EQ(exit_code(errc::not_permitted), 6);
  EXPECT_EQ(exit_code(errc::damaged), 7);
  EXPECT_EQ(exit_code(errc::store_full), 8);
  EXPECT_EQ(exit_code(errc::unknown), 9);
  EXPECT_EQ(exit_code(errc::snapshot_too_old), 10);
  EXPECT_EQ(exit_code(errc::incompatible), 11);
  EXPECT_EQ(exit_code(errc::system), 70);
}

TEST(Errors, only_unknown_may_have_been_written) {
  for (std::uint16_t n = 1; n <= kErrcCount; ++n) {
    const auto code = static_cast<errc>(n);
    EXPECT_EQ(Error(code).nothing_was_written(), code != errc::unknown) << name(code);
  }
}

TEST(Errors, an_error_keeps_what_belongs_to_it) {
  const Error error = Error(errc::version_mismatch, "users.db: a has version 7")
                          .with_key("a")
                          .with_version(7)
                          .with_limit(9)
                          .with_commit("id-1")
                          .with_place(3, 41);
  EXPECT_EQ(error, errc::version_mismatch);
  EXPECT_EQ(error.text(), "users.db: a has version 7");
  EXPECT_STREQ(error.what(), "users.db: a has version 7");
  EXPECT_EQ(error.key(), "a");
  EXPECT_EQ(error.version(), 7U);
  EXPECT_EQ(error.limit(), 9U);
  EXPECT_EQ(error.commit(), "id-1");
  EXPECT_EQ(error.line(), 3U);
  EXPECT_EQ(error.offset(), 41U);
  const Error copy =
      error;  // NOLINT(performance-unnecessary-copy-initialization): the copy is the test
  EXPECT_EQ(copy.text(), error.text());
}

TEST(Errors, one_without_a_text_says_what_its_code_means) {
  EXPECT_EQ(Error(errc::absent).text(), describe(errc::absent));
  EXPECT_EQ(Error(errc::absent).with_key("a").text(), describe(errc::absent));
}

TEST(Errors, errno_becomes_an_error_that_begins_with_operation_and_object) {
  const Error error = Error::from_errno(ENOSPC, "append users.db");
  EXPECT_EQ(error.text(), "append users.db: No space left on device");
  EXPECT_EQ(error.system_error(), ENOSPC);
  EXPECT_EQ(error, errc::system);
  EXPECT_EQ(Error::from_errno(ENOMEM, "map").code(), errc::no_memory);
}

}  // namespace
}  // namespace dfs
