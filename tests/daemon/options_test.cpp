#include "daemon/options.hpp"

#include <gtest/gtest.h>

namespace dfs::daemon {
namespace {

using std::chrono::milliseconds;

TEST(Options, durations_need_a_unit) {
  EXPECT_EQ(parse_duration("100ms").value(), milliseconds(100));
  EXPECT_EQ(parse_duration("60s").value(), milliseconds(60'000));
  EXPECT_EQ(parse_duration("10m").value(), milliseconds(600'000));
  EXPECT_EQ(parse_duration("2h").value(), milliseconds(7'200'000));
  for (const char* wrong : {"", "100", "s", "-1s", "1 s", "1d", "99999999999h", "1.5s"}) {
    EXPECT_EQ(parse_duration(wrong).error(), errc::bad_argument) << wrong;
  }
}

TEST(Options, sizes_are_powers_of_1024) {
  EXPECT_EQ(parse_size("65536").value(), 65536U);
  EXPECT_EQ(parse_size("4K").value(), 4096U);
  EXPECT_EQ(parse_size("512M").value(), std::uint64_t{512} << 20U);
  EXPECT_EQ(parse_size("4G").value(), std::uint64_t{4} << 30U);
  for (const char* wrong : {"", "G", "4X", "4GB", "-1", "99999999999T"}) {
    EXPECT_EQ(parse_size(wrong).error(), errc::bad_argument) << wrong;
  }
}

TEST(Options, the_command_line_fills_them) {
  const auto parsed = parse_options(
      {"--durability", "written", "--sync-interval", "50ms", "--memory-limit", "1G", "/tmp/x.db"});
  ASSERT_FALSE(parsed.finished);
  EXPECT_EQ(parsed.options.store, "/tmp/x.db");
  EXPECT_EQ(parsed.options.durability, Durability::written);
  EXPECT_EQ(parsed.options.sync_interval, milliseconds(50));
  EXPECT_EQ(parsed.options.memory_limit, std::uint64_t{1} << 30U);
}

TEST(Options, wrong_usage_ends_with_2_and_a_missing_directory_with_4) {
  for (const auto& wrong : std::vector<std::vector<std::string>>{
           {}, {"--durability", "sometimes", "/tmp/x.db"}, {"--no-such-option", "/tmp/x.db"}}) {
    testing::internal::CaptureStderr();
    const auto parsed = parse_options(wrong);
    EXPECT_TRUE(parsed.finished);
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_NE(testing::internal::GetCapturedStderr(), "");
  }
  testing::internal::CaptureStderr();
  EXPECT_EQ(parse_options({"/no/such/directory/x.db"}).exit_code, 4);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("/no/such/directory"), std::string::npos);
}

}  // namespace
}  // namespace dfs::daemon
