#include "daemon/journal.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/daemon/scratch_directory.hpp"

namespace dfs::daemon {
namespace {

/// What is said on standard error meanwhile.
template <class F>
std::string said(F speak) {
  testing::internal::CaptureStderr();
  speak();
  return testing::internal::GetCapturedStderr();
}

TEST(Journals, standard_error_has_time_and_level_and_one_line_a_message) {
  const std::string text = said([] {
    Journal journal;
    journal.warn("first\nsecond");
    journal.debug("not at this level");
  });
  EXPECT_NE(text.find(" warning: first second\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("not at this level"), std::string::npos);
  EXPECT_TRUE(std::isdigit(text.front()));
}

TEST(Journals, where_standard_error_is_systemds_journal_lines_have_priorities_and_no_time) {
  const std::string text = said([] {
    struct stat status {};
    ASSERT_EQ(::fstat(STDERR_FILENO, &status), 0);
    const std::string stream = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
    ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
    Journal journal;
    journal.set({.level = "debug"}).value();
    journal.error("a");
    journal.warn("b");
    journal.info("c");
    journal.debug("d");
    ::unsetenv("JOURNAL_STREAM");
  });
  EXPECT_EQ(text, "<3>a\n<4>b\n<6>c\n<7>d\n");
}

TEST(Journals, a_level_holds_from_the_moment_it_is_set) {
  const std::string text = said([] {
    Journal journal;
    journal.set({.level = "error"}).value();
    journal.warn("quiet");
    journal.set({.level = "warn"}).value();
    journal.warn("loud");
    journal.set({.level = "off"}).value();
    journal.error("nothing");
  });
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find("loud"), std::string::npos);
  EXPECT_EQ(text.find("nothing"), std::string::npos);
}

TEST(Journals, a_file_rotates_at_its_size_and_keeps_as_many_as_it_is_told) {
  const ScratchDirectory directory;
  Journal journal;
  journal.set({"info", directory.file("d.log"), 4096, 2}).value();
  const std::string text = said([&] {
    for (int i = 0; i < 400; ++i) journal.info("message number " + std::to_string(i));
  });
  EXPECT_EQ(text, "");
  for (const char* name : {"d.log", "d.1.log", "d.2.log"}) {
    EXPECT_TRUE(directory.has(name)) << name;
    EXPECT_LE(directory.read(name).size(), 4096U) << name;
  }
  EXPECT_FALSE(directory.has("d.3.log"));
  EXPECT_NE(directory.read("d.log").find("message number 399\n"), std::string::npos);
}

TEST(Journals, set_again_it_opens_the_file_again_for_whoever_renamed_it) {
  const ScratchDirectory directory;
  const Journal::Settings settings{"info", directory.file("d.log"), 1 << 20U, 1};
  Journal journal;
  journal.set(settings).value();
  journal.info("before");
  std::filesystem::rename(directory.file("d.log"), directory.file("old.log"));
  journal.set(settings).value();
  journal.info("after");
  EXPECT_EQ(directory.read("old.log").find("after"), std::string::npos);
  EXPECT_NE(directory.read("d.log").find("after"), std::string::npos);
}

TEST(Journals, a_directory_that_is_not_there_is_named_and_not_made) {
  const ScratchDirectory directory;
  Journal journal;
  const auto refused = journal.set({"info", directory.file("nodir/d.log"), 4096, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::bad_argument);
  EXPECT_TRUE(refused.error().text().ends_with("no directory " + directory.file("nodir")))
      << refused.error().text();
  EXPECT_FALSE(directory.has("nodir"));
}

TEST(Journals, a_file_that_cannot_be_opened_is_an_error_and_changes_nothing) {
  const ScratchDirectory directory;
  directory.write("plain", "");
  const std::string text = said([&] {
    Journal journal;
    const auto refused = journal.set({"off", directory.file("plain/d.log"), 4096, 1});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find(directory.file("plain/d.log")), std::string_view::npos);
    journal.info("still said");
  });
  EXPECT_NE(text.find("still said"), std::string::npos);
}

}  // namespace
}  // namespace dfs::daemon
