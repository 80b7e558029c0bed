#include "daemon/config.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "daemon/setting.hpp"
#include "tests/daemon/scratch_directory.hpp"

namespace dfs::daemon {
namespace {

using std::chrono::milliseconds;

Configuration read(const std::string& toml) {
  Configuration configuration;
  configuration.file = "x.toml";
  read_config(toml, configuration);
  return configuration;
}

/// The complaints, one a line.
std::string complaints(const std::string& toml) {
  const Configuration configuration = read(toml);
  std::string text;
  for (const Complaint& complaint : configuration.complaints) {
    text += text_of(configuration, complaint) + "\n";
  }
  return text;
}

TEST(Config, every_setting_can_stand_in_it) {
  Options changed;
  changed.socket = "/run/x/socket";
  changed.durability = Durability::written;
  changed.sync_interval = changed.compaction_interval = changed.feed_retention =
      changed.snapshot_ttl = changed.idle_exit = milliseconds(77);
  changed.memory_limit = changed.compaction_garbage = changed.queue_bytes = changed.log_file_size =
      std::uint64_t{200} << 20U;
  changed.readers = parse_principals("root,@0,1001").value();
  changed.writers = parse_principals("@1002").value();
  changed.record_origins = true;
  changed.log_level = "trace";
  changed.log_file = "/var/log/\"x\"\n.log";
  changed.log_file_count = 9;
  std::string toml;
  for (const Setting& setting : settings()) {
    ASSERT_NE(text_of(changed, setting), text_of(Options(), setting)) << setting.name;
    toml += key_of(setting) + " = " + toml_of(changed, setting) + "\n";
  }
  const Configuration configuration = read(toml);
  EXPECT_EQ(complaints(toml), "");
  for (const Setting& setting : settings()) {
    EXPECT_EQ(text_of(configuration.options, setting), text_of(changed, setting)) << setting.name;
  }
}

TEST(Config, what_is_wrong_is_said_with_its_place_and_what_would_be_right) {
  EXPECT_EQ(complaints("# mine\nmemory-limit = \"1G\"\n"),
            "x.toml:2:1: there is no setting 'memory-limit'; is it memory_limit?\n");
  EXPECT_EQ(complaints("colour = 1"),
            "x.toml:1:1: there is no setting 'colour'; dfsd --help lists them all\n");
  EXPECT_EQ(complaints("idle_exit = 60"),
            "x.toml:1:13: idle_exit cannot be a number; write idle_exit = \"never\"\n");
  EXPECT_EQ(complaints("  sync_interval = \"50\""),
            "x.toml:1:19: sync_interval: '50' needs a unit: ms, s, m or h, as in 100ms\n");
  EXPECT_EQ(complaints("sync_interval = \"0ms\""),
            "x.toml:1:17: sync_interval: '0ms' is too little: at least 1ms\n");
  EXPECT_EQ(complaints("memory_limit = \"4GB\""),
            "x.toml:1:16: memory_limit: '4GB' is no size; say 512M or 4G (K, M, G, T), or bytes\n");
  EXPECT_EQ(complaints("memory_limit = -1"),
            "x.toml:1:16: memory_limit: '-1' does not begin with a number\n");
  EXPECT_EQ(complaints("record_origins = \"yes\""),
            "x.toml:1:18: record_origins cannot be a text; write record_origins = false\n");
  EXPECT_EQ(complaints("log_file_count = \"5\""),
            "x.toml:1:18: log_file_count cannot be a text; write log_file_count = 5\n");
  EXPECT_EQ(complaints("durability = \"sometimes\""),
            "x.toml:1:14: durability: 'sometimes' is none of durable or written\n");
  EXPECT_EQ(complaints("log_file = \"x.log\""),
            "x.toml:1:12: log_file: 'x.log' is relative, and nobody knows to what; begin with /\n");
  EXPECT_EQ(complaints("readers = [\"root\", \"nobody-of-this-name\"]"),
            "x.toml:1:11: readers: there is no user 'nobody-of-this-name' on this machine\n");
  EXPECT_EQ(complaints("writers = \"root\""),
            "x.toml:1:11: writers cannot be a text; write writers = [\"alice\", \"@staff\"]\n");
  EXPECT_EQ(complaints("writers = [1]"),
            "x.toml:1:11: writers cannot be a list of that; write writers = [\"alice\", "
            "\"@staff\"]\n");
  EXPECT_EQ(complaints("[daemon]\nsync_interval = \"1s\""),
            "x.toml:1:2: [daemon]: there are no sections; every setting stands by itself\n");
}

TEST(Config, what_is_no_toml_is_said_with_its_place) {
  for (const auto& [toml, place] : {std::pair{"sync_interval = 50ms", "x.toml:1:"},
                                    {"a = [1,\n b = 2\n", "x.toml:2:"},
                                    {"idle_exit = \"1m\"\nidle_exit = \"2m\"", "x.toml:2:"},
                                    {"\"", "x.toml:1:"},
                                    {"\xff\xfe", "x.toml:1:"}}) {
    const std::string said = complaints(toml);
    EXPECT_TRUE(said.starts_with(place)) << toml << ": " << said;
  }
}

TEST(Config, every_truncation_and_every_flipped_byte_is_right_or_has_a_place_in_the_file) {
  const std::string whole =
      "# mine\nmemory_limit = \"1G\"\nrecord_origins = true\nreaders = [\"root\", \"@0\"]\n"
      "log_file_count = 7\nlog_file = \"/tmp/\\u00e9 x\"\n";
  ASSERT_EQ(complaints(whole), "");
  const auto lines = static_cast<std::uint64_t>(std::count(whole.begin(), whole.end(), '\n')) + 1;
  std::size_t wrong = 0;
  const auto look = [&](const std::string& toml) {
    for (const Complaint& complaint : read(toml).complaints) {
      ++wrong;
      EXPECT_GE(complaint.line, 1U) << toml << "\n" << complaint.text;
      EXPECT_LE(complaint.line, lines + 1) << toml << "\n" << complaint.text;
      EXPECT_NE(complaint.text, "");
    }
  };
  for (std::size_t size = 0; size < whole.size(); ++size) look(whole.substr(0, size));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^ (1U << bit));
      look(flipped);
    }
  }
  EXPECT_GT(wrong, whole.size());
}

TEST(Config, all_that_is_wrong_is_said_in_the_order_of_its_lines) {
  const std::string said = complaints("zz = 1\nsocket = \"x\"\naa = 2\n");
  EXPECT_LT(said.find(":1:"), said.find(":2:"));
  EXPECT_LT(said.find(":2:"), said.find(":3:"));
}

class Configs : public testing::Test {
 protected:
  [[nodiscard]] ParsedOptions parsed(std::vector<std::string> arguments = {}) const {
    arguments.push_back(directory_.file("x.db"));
    return parse_options(arguments);
  }
  ScratchDirectory directory_;
};

TEST_F(Configs, the_command_line_goes_over_it_and_it_over_the_defaults) {
  directory_.write("x.db.toml", "sync_interval = \"1s\"\nidle_exit = \"2s\"\n");
  const auto configuration = configure(parsed({"--idle-exit", "3s"})).value();
  EXPECT_EQ(configuration.options.sync_interval, milliseconds(1000));
  EXPECT_EQ(configuration.options.idle_exit, milliseconds(3000));
  EXPECT_EQ(configuration.options.feed_retention, Options().feed_retention);
  const std::string shown = print(configuration);
  const std::string file = directory_.file("x.db.toml");
  EXPECT_NE(shown.find("sync_interval = \"1s\"  # " + file + ":1\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("idle_exit = \"3s\"  # command line\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("feed_retention = \"10m\"  # default\n"), std::string::npos) << shown;
}

TEST_F(Configs, what_is_printed_is_a_config_that_says_the_same) {
  const auto first = configure(parsed({"--memory-limit", "1G", "--log-file", "/tmp/x"})).value();
  directory_.write("y.toml", print(first));
  const auto second = configure(parsed({"--config", directory_.file("y.toml")})).value();
  EXPECT_TRUE(second.complaints.empty());
  for (const Setting& setting : settings()) {
    EXPECT_EQ(text_of(second.options, setting), text_of(first.options, setting)) << setting.name;
  }
}

TEST_F(Configs, none_beside_the_log_is_fine_and_a_named_one_must_be_there) {
  EXPECT_EQ(configure(parsed()).value().file, "");
  EXPECT_EQ(configure(parsed({"--config", directory_.file("no")})).error(), errc::bad_argument);
}

TEST_F(Configs, one_that_a_client_started_ends_after_a_minute_unless_told_otherwise) {
  EXPECT_EQ(configure(parsed({"--detach"})).value().options.idle_exit, milliseconds(60'000));
  directory_.write("x.db.toml", "idle_exit = \"never\"");
  EXPECT_EQ(configure(parsed({"--detach"})).value().options.idle_exit.count(), 0);
}

TEST_F(Configs, one_that_others_may_write_is_refused_and_the_text_says_how_to_mend_it) {
  directory_.write("x.db.toml", "");
  for (const auto extra :
       {std::filesystem::perms::group_write, std::filesystem::perms::others_write}) {
    const std::string file = directory_.file("x.db.toml");
    std::filesystem::permissions(file, extra, std::filesystem::perm_options::add);
    const auto refused = configure(parsed());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), errc::not_permitted);
    EXPECT_NE(refused.error().text().find("chmod go-w " + file), std::string_view::npos);
    std::filesystem::permissions(file, extra, std::filesystem::perm_options::remove);
    EXPECT_TRUE(configure(parsed()));
  }
}

TEST_F(Configs, another_users_is_refused) {
  directory_.write("x.db.toml", "");
  if (::chown(directory_.file("x.db.toml").c_str(), 65534, 65534) != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  EXPECT_EQ(configure(parsed()).error(), errc::not_permitted);
}

TEST_F(Configs, what_is_no_file_is_refused_and_a_pipe_keeps_nobody) {
  std::filesystem::create_directory(directory_.file("x.db.toml"));
  EXPECT_EQ(configure(parsed()).error(), errc::bad_argument);
  std::filesystem::remove(directory_.file("x.db.toml"));
  ASSERT_EQ(::mkfifo(directory_.file("x.db.toml").c_str(), 0600), 0);
  EXPECT_EQ(configure(parsed()).error(), errc::bad_argument);
}

/// The cells of a row of a table.
std::vector<std::string> cells(const std::string& row) {
  std::vector<std::string> out;
  for (std::size_t from = 1; from < row.size();) {
    const std::size_t to = std::min(row.find(" |", from), row.size());
    out.push_back(row.substr(from + 1, to - from - 1));
    from = to + 2;
  }
  return out;
}

TEST(ConfigPage, it_says_of_each_setting_what_the_daemon_does) {
  std::ifstream page(DFS_TEST_DATA "/../../docs/config.md");
  std::map<std::string, std::vector<std::string>> rows;
  for (std::string line; std::getline(page, line);) {
    std::smatch name;
    if (std::regex_search(line, name, std::regex("^\\| `([a-z_]+)` \\|")))
      rows[name[1]] = cells(line);
  }
  std::set<std::string> keys;
  for (const Setting& setting : settings()) {
    const std::string key = key_of(setting);
    keys.insert(key);
    ASSERT_TRUE(rows.contains(key)) << key << " is not on the page";
    const auto& row = rows[key];
    ASSERT_EQ(row.size(), 5U) << key;
    const std::string value = text_of(Options(), setting);
    if (!value.empty()) {
      EXPECT_EQ(row[2], "`" + value + "`") << key;
    }
    EXPECT_EQ(row[3], setting.changes == Changes::at_once ? "at once" : "at a restart") << key;
    const auto bound = [&](std::uint64_t number) {
      if (std::holds_alternative<DurationMember>(setting.member)) {
        return duration_text(milliseconds(number));
      }
      return std::holds_alternative<SizeMember>(setting.member) ? size_text(number)
                                                                : std::to_string(number);
    };
    if (setting.least > 0) {
      EXPECT_NE(row[1].find("`" + bound(setting.least) + "`"), std::string::npos) << key;
    }
    if (setting.most < UINT64_MAX) {
      EXPECT_NE(row[1].find("`" + bound(setting.most) + "`"), std::string::npos) << key;
    }
    if (setting.form.find('|') != std::string_view::npos) {
      std::string words = "`" + std::string(setting.form) + "`";
      words = std::regex_replace(words, std::regex("\\|"), "`, `");
      EXPECT_EQ(row[1], words) << key;
    }
  }
  for (const auto& [key, row] : rows) EXPECT_TRUE(keys.contains(key)) << "no setting " << key;
}

}  // namespace
}  // namespace dfs::daemon
