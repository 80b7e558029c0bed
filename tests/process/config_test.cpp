// A config that changes under a daemon that serves: what SIGHUP makes of it.
#include <grp.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include <gtest/gtest.h>
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/supervisor_socket.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

class Configs : public testing::Test {
 protected:
  void configure(const std::string& toml) const { std::ofstream(store_ + ".toml") << toml; }
  [[nodiscard]] DaemonProcess serving(std::vector<std::string> arguments = {}) const {
    DaemonSettings settings;
    settings.store = store_;
    settings.arguments = std::move(arguments);
    settings.environment = {{"NOTIFY_SOCKET", supervisor_.address()}};
    auto daemon = DaemonProcess::serving(settings);
    static_cast<void>(supervisor_.next_with("READY=1"));
    return daemon;
  }
  /// SIGHUP, and waits until it was taken: the status behind it.
  [[nodiscard]] std::string reload(const DaemonProcess& daemon, const std::string& toml) const {
    configure(toml);
    daemon.signal(SIGHUP);
    static_cast<void>(supervisor_.next_with("RELOADING=1"));
    return SupervisorSocket::value(supervisor_.next_with("READY=1"), "STATUS");
  }
  [[nodiscard]] Store open() const {
    Options options;
    options.autostart = Autostart::never;
    return Store::open(store_, options).value();
  }
  [[nodiscard]] Result<Store> open_read_only() const {
    Options options;
    options.autostart = Autostart::never;
    options.read_only = true;
    return Store::open(store_, options);
  }
  [[nodiscard]] std::string log() const {
    std::ifstream file(store_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const Watchdog watchdog_{"a config test"};
  const TemporaryDirectory directory_;
  const std::string store_ = directory_ / "users.db";
  const SupervisorSocket supervisor_{directory_ / "notify"};
};

TEST_F(Configs, the_level_of_what_is_said_changes_at_once) {
  auto daemon = serving();
  open().set("a", "1").value();
  EXPECT_EQ(daemon.said().find("is connected"), std::string::npos);
  static_cast<void>(reload(daemon, "log_level = \"debug\""));
  open().set("a", "2").value();
  EXPECT_NE(daemon.said().find("is connected"), std::string::npos);
  daemon.stop();
}

TEST_F(Configs, the_time_until_an_idle_daemon_ends_changes_at_once) {
  auto daemon = serving();
  static_cast<void>(reload(daemon, "idle_exit = \"1ms\""));
  EXPECT_EQ(daemon.exit_code(), 0);
}

TEST_F(Configs, the_interval_of_syncs_changes_under_a_sync_that_waits) {
  auto daemon = serving({"--durability", "written"});
  static_cast<void>(reload(daemon, "sync_interval = \"1h\""));
  auto store = open();
  const auto committed = store.set("a", "1").value();
  static_cast<void>(reload(daemon, "sync_interval = \"1ms\""));
  const Admin admin(store);
  const std::string durable = "\"durable_sequence\":" + std::to_string(committed.sequence) + ",";
  while (admin.info().value().find(durable) == std::string::npos) {
  }
  daemon.stop();
}

TEST_F(Configs, the_interval_of_syncs_is_that_of_the_config_that_was_read_again) {
  configure("sync_interval = \"1h\"");
  auto daemon = serving({"--durability", "written"});
  auto store = open();
  const std::uint64_t first = store.set("a", "1").value().sequence;
  static_cast<void>(reload(daemon, "sync_interval = \"1ms\""));
  // Without a second's rest, behind which it would be synced whatever the interval; and long before
  // so many commits are unsynced that it must be.
  const Admin admin(store);
  const auto is_durable = [&] {
    const std::string info = admin.info().value();
    const std::string name = "\"durable_sequence\":";
    return std::stoull(info.substr(info.find(name) + name.size())) >= first;
  };
  int commits = 0;
  for (; commits < 100'000 && !is_durable(); commits += 10) {
    for (int i = 0; i < 10; ++i) static_cast<void>(store.set("a", "2").value());
  }
  EXPECT_LT(commits, 100'000) << "nobody synced";
  daemon.stop();
}

TEST_F(Configs, when_to_compact_changes_at_once) {
  configure("compaction_interval = \"1h\"");
  auto daemon = serving();
  auto store = open();
  for (int i = 0; i < 100; ++i) static_cast<void>(store.set("a", std::to_string(i)).value());
  EXPECT_NE(Admin(store).info().value().find("\"compactions\":0,"), std::string::npos);
  static_cast<void>(reload(daemon,
                           "compaction_interval = \"1ms\"\n"
                           "compaction_garbage = \"1\"\n"
                           "feed_retention = \"0s\""));
  while (Admin(store).info().value().find("\"compactions\":0,") != std::string::npos) {
  }
  daemon.stop();
}

TEST_F(Configs, the_memory_limit_is_raised_under_a_store_that_is_full) {
  auto daemon = serving();
  static_cast<void>(reload(daemon, "memory_limit = \"4M\""));
  auto store = open();
  const std::string value = "\"" + std::string(std::size_t{100} << 10U, 'x') + "\"";
  Result<Committed> last = store.set("k", value);
  for (int i = 0; last; ++i) last = store.set("k" + std::to_string(i), value);
  EXPECT_EQ(last.error(), errc::store_full);
  // Less than is in use is no limit.
  const std::string refused = reload(daemon, "memory_limit = \"2M\"\nidle_exit = \"1ms\"");
  EXPECT_NE(refused.find("less than the store needs"), std::string::npos) << refused;
  EXPECT_FALSE(store.set("more", value));
  static_cast<void>(reload(daemon, "memory_limit = \"64M\""));
  EXPECT_TRUE(store.set("more", value));
  daemon.stop();
}

TEST_F(Configs, who_commits_is_recorded_from_then_on) {
  auto daemon = serving();
  auto store = open();
  store.set("a", "1").value();
  EXPECT_EQ(log().find("\"by\":"), std::string::npos);
  static_cast<void>(reload(daemon, "record_origins = true"));
  store.set("a", "2").value();
  EXPECT_NE(log().find("\"by\":"), std::string::npos);
  // Once for a commit, of however many records.
  const auto count = [this] {
    const std::string bytes = log();
    std::size_t found = 0;
    for (auto at = bytes.find("\"by\":"); at != std::string::npos; at = bytes.find("\"by\":", at)) {
      ++found;
      ++at;
    }
    return found;
  };
  const std::size_t before = count();
  store.submit(Batch().set("b", "1").set("c", "2").set("d", "3")).wait().value();
  EXPECT_EQ(count(), before + 1);
  daemon.stop();
  daemon = serving();
  EXPECT_EQ(open().get("d")->value, "3");
  daemon.stop();
}

TEST_F(Configs, a_bad_one_keeps_the_old_and_is_said_with_its_place) {
  configure("record_origins = true");
  auto daemon = serving();
  const std::string status = reload(daemon, "idle_exit = \"1ms\"\nmemory_limit = \"lots\"\n");
  const std::string place = store_ + ".toml:2:16: ";
  EXPECT_NE(status.find(place), std::string::npos) << status;
  EXPECT_NE(daemon.said().find(place), std::string::npos) << daemon.said();
  auto store = open();  // it did not end for want of clients: nothing of it holds
  store.set("a", "1").value();
  EXPECT_NE(log().find("\"by\":"), std::string::npos);
  const std::string mended = reload(daemon, "record_origins = true\nsnapshot_ttl = \"2m\"\n");
  EXPECT_NE(mended.find("1 setting changed"), std::string::npos) << mended;
  daemon.stop();
}

TEST_F(Configs, what_needs_a_restart_is_said_and_waits_for_it) {
  auto daemon = serving();
  for (int i = 0; i < 2; ++i) {  // said again as long as it is so
    const std::string status = reload(daemon, "durability = \"written\"");
    EXPECT_NE(status.find("after a restart: durability"), std::string::npos) << status;
  }
  const auto store = open();
  const Admin admin(store);
  EXPECT_NE(admin.settings().value().find("\"durability\":\"durable\""), std::string::npos);
  const std::string back = reload(daemon, "");
  EXPECT_EQ(back.find("restart"), std::string::npos) << back;
  daemon.stop();
}

TEST_F(Configs, what_the_command_line_named_stays_as_it_was_named_there) {
  auto daemon = serving({"--idle-exit", "never"});
  const std::string status = reload(daemon, "idle_exit = \"1ms\"");
  EXPECT_NE(status.find("0 settings changed"), std::string::npos) << status;
  open().set("a", "1").value();
  daemon.stop();
}

TEST_F(Configs, the_log_file_is_opened_again_for_whoever_renamed_it) {
  const std::string file = directory_ / "dfsd.log";
  const std::string toml = "log_file = \"" + file + "\"\n";
  configure(toml);
  auto daemon = serving();
  EXPECT_EQ(daemon.said(), "");
  std::filesystem::rename(file, file + ".old");
  static_cast<void>(reload(daemon, toml));
  EXPECT_TRUE(std::filesystem::exists(file));
  const std::string status = reload(daemon, "log_file = \"" + store_ + "/no.log\"\n");
  EXPECT_NE(status.find("cannot write the log file"), std::string::npos) << status;
  daemon.stop();
}

TEST_F(Configs, it_narrows_and_widens_what_the_logs_mode_allows) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
  auto daemon = serving();
  const auto as_nobody = [this](const std::function<void()>& body) {
    ClientProcess client("nobody", [&body] {
      require(::setgroups(0, nullptr) == 0 && ::setresgid(65534, 65534, 65534) == 0 &&
                  ::setresuid(65534, 65534, 65534) == 0,
              "become nobody");
      body();
    });
    client.expect_done();
  };
  // Mode 0644: others may read.
  as_nobody([this] { require(open_read_only().has_value(), "reads"); });
  static_cast<void>(reload(daemon, "readers = [\"root\"]"));
  as_nobody([this] {
    const auto refused = open_read_only();
    require(!refused && refused.error() == errc::not_permitted, "is kept out");
    require(refused.error().text().find("readers") != std::string_view::npos, "is told why");
  });
  static_cast<void>(reload(daemon, "writers = [\"65534\"]"));
  as_nobody([this] { need(open().set("a", "1"), "writes"); });
  daemon.stop();
}

TEST_F(Configs, the_settings_in_force_are_all_told_to_who_asks) {
  auto daemon = serving();
  auto store = open();
  const Admin admin(store);
  for (const char* name :
       {"socket", "durability", "sync_interval_ms", "compaction_interval_ms", "compaction_garbage",
        "feed_retention_ms", "snapshot_ttl_ms", "idle_exit_ms", "memory_limit", "queue_bytes",
        "readers", "writers", "record_origins", "log_level", "log_file", "log_file_size",
        "log_file_count"}) {
    EXPECT_NE(admin.settings().value().find("\"" + std::string(name) + "\":"), std::string::npos)
        << name;
  }
  static_cast<void>(reload(daemon, "snapshot_ttl = \"7s\""));
  EXPECT_NE(admin.settings().value().find("\"snapshot_ttl_ms\":7000"), std::string::npos);
  daemon.stop();
}

TEST_F(Configs, a_bad_one_at_the_start_is_an_error_with_its_line_for_whoever_starts_it) {
  configure("# mine\nsync_interval = \"0ms\"\n");
  Options options;
  options.daemon.program = DFSD;
  const auto opened = Store::open(store_, options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), errc::bad_argument);
  EXPECT_EQ(opened.error().line(), 2U);
  EXPECT_NE(opened.error().text().find(store_ + ".toml:2:17: "), std::string_view::npos)
      << opened.error().text();
  EXPECT_FALSE(std::filesystem::exists(store_));
}

}  // namespace
}  // namespace dfs::test
