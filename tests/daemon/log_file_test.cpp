#include "daemon/log_file.hpp"

#include <gtest/gtest.h>

#include "tests/daemon/scratch_directory.hpp"

namespace dfs::daemon {
namespace {

class LogFileTest : public testing::Test {
 protected:
  LogFileTest()
      : log_(os::File::open(directory_.file("x.db"), {.write = true, .create = true}).value(), 0) {
    log_.append("one\n").value();
  }
  ScratchDirectory directory_;
  LogFile log_;
};

TEST_F(LogFileTest, appends_at_its_own_end) {
  log_.append("two\n").value();
  EXPECT_EQ(directory_.read("x.db"), "one\ntwo\n");
  EXPECT_EQ(log_.end(), 8U);
  log_.sync().value();
  log_.check_place().value();
}

TEST_F(LogFileTest, what_a_failed_append_left_is_cut) {
  log_.file().write_at("half a li", log_.end()).value();
  log_.cut_back().value();
  EXPECT_EQ(directory_.read("x.db"), "one\n");
  log_.check_place().value();
}

TEST_F(LogFileTest, a_replaced_log_is_noticed) {
  directory_.write("y.db", "one\n");
  std::filesystem::rename(directory_.file("y.db"), directory_.file("x.db"));
  const auto there = log_.check_place();
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error(), errc::writing_stopped);
  EXPECT_NE(there.error().text().find("replaced"), std::string::npos);
}

TEST_F(LogFileTest, a_removed_log_is_noticed) {
  std::filesystem::remove(directory_.file("x.db"));
  EXPECT_EQ(log_.check_place().error(), errc::writing_stopped);
}

TEST_F(LogFileTest, a_log_cut_or_grown_by_somebody_else_is_noticed) {
  std::filesystem::resize_file(directory_.file("x.db"), 2);
  EXPECT_EQ(log_.check_place().error(), errc::writing_stopped);
  std::filesystem::resize_file(directory_.file("x.db"), 100);
  EXPECT_EQ(log_.check_place().error(), errc::writing_stopped);
}

TEST_F(LogFileTest, the_reserve_behind_the_end_is_no_part_of_the_file) {
  EXPECT_EQ(std::filesystem::file_size(directory_.file("x.db")), 4U);
}

}  // namespace
}  // namespace dfs::daemon
