#include "daemon/options.hpp"

#include <gtest/gtest.h>

#include "daemon/setting.hpp"

namespace dfs::daemon {
namespace {

using std::chrono::milliseconds;

TEST(Quantities, durations_need_a_unit) {
  EXPECT_EQ(parse_duration("100ms").value(), milliseconds(100));
  EXPECT_EQ(parse_duration("60s").value(), milliseconds(60'000));
  EXPECT_EQ(parse_duration("10m").value(), milliseconds(600'000));
  EXPECT_EQ(parse_duration("2h").value(), milliseconds(7'200'000));
  for (const char* wrong : {"", "100", "s", "-1s", "1 s", "1d", "99999999999h", "1.5s"}) {
    EXPECT_EQ(parse_duration(wrong).error(), errc::bad_argument) << wrong;
  }
}

TEST(Quantities, sizes_are_powers_of_1024) {
  EXPECT_EQ(parse_size("65536").value(), 65536U);
  EXPECT_EQ(parse_size("4K").value(), 4096U);
  EXPECT_EQ(parse_size("512M").value(), std::uint64_t{512} << 20U);
  EXPECT_EQ(parse_size("4G").value(), std::uint64_t{4} << 30U);
  for (const char* wrong : {"", "G", "4X", "4GB", "-1", "99999999999T"}) {
    EXPECT_EQ(parse_size(wrong).error(), errc::bad_argument) << wrong;
  }
}

TEST(Quantities, what_is_written_is_read_as_the_same) {
  for (const std::int64_t ms : {0L, 1L, 999L, 1000L, 1500L, 60'000L, 90'000L, 3'600'000L}) {
    EXPECT_EQ(parse_duration(duration_text(milliseconds(ms))).value(), milliseconds(ms));
  }
  EXPECT_EQ(duration_text(milliseconds(90'000)), "90s");
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1024},
                                    std::uint64_t{1} << 40U, UINT64_MAX}) {
    EXPECT_EQ(parse_size(size_text(bytes)).value(), bytes);
  }
  EXPECT_EQ(size_text(std::uint64_t{1536} << 20U), "1536M");
}

TEST(Settings, defaults_are_within_their_own_bounds_and_read_back) {
  for (const Setting& setting : settings()) {
    Options options;
    const std::string text = text_of(options, setting);
    EXPECT_TRUE(set(options, setting, text)) << setting.name << " = " << text;
    EXPECT_EQ(text_of(options, setting), text);
    EXPECT_EQ(setting_with_key(key_of(setting)), &setting);
  }
}

TEST(Settings, one_above_and_one_below_a_bound_are_refused_with_the_bound) {
  for (const Setting& setting : settings()) {
    const bool time = std::holds_alternative<DurationMember>(setting.member);
    const auto text = [&](std::uint64_t number) {
      return std::to_string(number) + (time ? "ms" : "");
    };
    Options options;
    if (setting.least > 0) {
      EXPECT_TRUE(set(options, setting, text(setting.least))) << setting.name;
      const auto less = set(options, setting, text(setting.least - 1));
      ASSERT_FALSE(less) << setting.name;
      EXPECT_NE(less.error().text().find("at least"), std::string_view::npos);
    }
    if (setting.most < UINT64_MAX) {
      EXPECT_TRUE(set(options, setting, text(setting.most))) << setting.name;
      const auto more = set(options, setting, text(setting.most + 1));
      ASSERT_FALSE(more) << setting.name;
      EXPECT_NE(more.error().text().find("at most"), std::string_view::npos);
    }
  }
}

TEST(Settings, zero_may_have_a_word_of_its_own) {
  const Setting& idle = *setting_with_key("idle_exit");
  Options options;
  options.idle_exit = milliseconds(5);
  set(options, idle, "never").value();
  EXPECT_EQ(options.idle_exit.count(), 0);
  EXPECT_EQ(text_of(options, idle), "never");
  EXPECT_FALSE(set(options, *setting_with_key("sync_interval"), "never"));
}

TEST(Settings, a_choice_is_one_of_its_words_and_the_refusal_names_them) {
  Options options;
  const auto refused = set(options, *setting_with_key("durability"), "durable|written");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text(), "'durable|written' is none of durable or written");
  EXPECT_FALSE(set(options, *setting_with_key("log_level"), ""));
  EXPECT_FALSE(set(options, *setting_with_key("log_level"), "loud"));
  EXPECT_TRUE(set(options, *setting_with_key("log_level"), "warn"));
}

TEST(Settings, the_nearest_name_is_found_and_another_word_has_none) {
  EXPECT_EQ(nearest_key("memory-limit"), "memory_limit");
  EXPECT_EQ(nearest_key("idle_exitt"), "idle_exit");
  EXPECT_EQ(nearest_key("snapshotttl"), "snapshot_ttl");
  EXPECT_EQ(nearest_key("colour"), "");
  EXPECT_EQ(nearest_key(""), "");
}

TEST(CommandLine, it_fills_the_options_and_is_remembered) {
  const auto parsed = parse_options({"--durability", "written", "--sync-interval", "50ms",
                                     "--memory-limit", "1G", "--record-origins", "/tmp/x.db"});
  ASSERT_FALSE(parsed.finished);
  EXPECT_EQ(parsed.options.store, "/tmp/x.db");
  EXPECT_EQ(parsed.options.durability, Durability::written);
  EXPECT_EQ(parsed.options.sync_interval, milliseconds(50));
  EXPECT_EQ(parsed.options.memory_limit, std::uint64_t{1} << 30U);
  EXPECT_TRUE(parsed.options.record_origins);
  EXPECT_EQ(parsed.given.size(), 4U);
  EXPECT_FALSE(parse_options({"--record-origins=false", "/tmp/x.db"}).options.record_origins);
}

TEST(CommandLine, relative_paths_are_to_the_directory_of_the_start) {
  const auto parsed =
      parse_options({"--socket", "s", "--log-file", "l", "--config", "c.toml", "/tmp/x.db"});
  ASSERT_FALSE(parsed.finished);
  for (const std::string& path :
       {parsed.options.socket, parsed.options.log_file, parsed.config, parsed.given[0].text}) {
    EXPECT_TRUE(path.starts_with("/")) << path;
  }
}

TEST(CommandLine, what_a_client_gives_the_daemon_that_it_starts_is_understood) {
  const auto parsed = parse_options({"--detach",    "--ready-fd",
                                     "3",           "--lock-fd",
                                     "4",           "--config",
                                     "/etc/x.toml", "--socket",
                                     "/tmp/s",      "--durability",
                                     "written",     "--sync-interval",
                                     "100ms",       "--compaction-interval",
                                     "60000ms",     "--feed-retention",
                                     "600000ms",    "--snapshot-ttl",
                                     "60000ms",     "--idle-exit",
                                     "60000ms",     "--memory-limit",
                                     "4294967296",  "--queue-bytes",
                                     "536870912",   "--log-level",
                                     "debug",       "/tmp/x.db"});
  ASSERT_FALSE(parsed.finished);
  EXPECT_EQ(parsed.config, "/etc/x.toml");
  EXPECT_TRUE(parsed.options.detach);
}

TEST(CommandLine, wrong_usage_ends_with_2_and_a_missing_directory_with_4) {
  for (const auto& wrong :
       std::vector<std::vector<std::string>>{{},
                                             {"--durability", "sometimes", "/tmp/x.db"},
                                             {"--sync-interval", "0s", "/tmp/x.db"},
                                             {"--no-such-option", "/tmp/x.db"}}) {
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
