// The first client starts the daemon, once, whoever else comes at the same time.
#include "libclient/starter.hpp"

#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/client_process.hpp"
#include "tests/process/temporary_directory.hpp"

namespace dfs {
namespace {

class StarterTest : public ::testing::Test {
 protected:
  ~StarterTest() override {
    // What a test has started ends with it.
    Options options = StarterTest::options();
    options.autostart = Autostart::never;
    options.read_only = true;
    if (auto store = Store::open(path(), options)) {
      EXPECT_TRUE(Admin(*store).stop().has_value());
    }
  }

  [[nodiscard]] std::string path() const { return directory_ / "users.db"; }
  [[nodiscard]] static Options options() {
    Options options;
    options.daemon.program = DFSD;
    options.daemon.durability = Durability::written;
    options.timeout = std::chrono::minutes(2);
    return options;
  }

  const test::TemporaryDirectory directory_;
};

TEST_F(StarterTest, the_smallest_program_works) {
  auto store = Store::open(path(), options());
  ASSERT_TRUE(store.has_value()) << store.error().text();
  store->set("user123", R"({"name":"Alice"})").value();
  const Snapshot snap = store->snapshot();
  EXPECT_EQ(snap.get("user123")->value, R"({"name":"Alice"})");
  EXPECT_NE(Admin(*store).settings()->find("\"durability\":\"written\""), std::string::npos);
}

TEST_F(StarterTest, the_lock_is_the_owners_alone) {
  auto store = Store::open(path(), options());
  ASSERT_TRUE(store.has_value()) << store.error().text();
  struct ::stat status {};
  ASSERT_EQ(::stat((path() + ".lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(StarterTest, a_lock_that_others_could_open_is_closed_to_them) {
  std::ofstream(path() + ".lock") << "";
  ASSERT_EQ(::chmod((path() + ".lock").c_str(), 0666), 0);
  auto store = Store::open(path(), options());
  ASSERT_TRUE(store.has_value()) << store.error().text();
  struct ::stat status {};
  ASSERT_EQ(::stat((path() + ".lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(StarterTest, what_a_service_manager_gave_to_this_process_is_not_handed_on) {
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS"}) {
    ::setenv(name, "dfs-test", 1);
  }
  ::setenv("DFS_TEST_KEPT", "dfs-test", 1);
  auto store = Store::open(path(), options());
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "DFS_TEST_KEPT"}) {
    ::unsetenv(name);
  }
  ASSERT_TRUE(store.has_value()) << store.error().text();
  const std::string info = Admin(*store).info().value();
  const std::string pid = info.substr(info.find("\"pid\":") + 6);
  const std::string process = "/proc/" + pid.substr(0, pid.find(','));
  std::ifstream file(process + "/environ", std::ios::binary);
  const std::string surroundings{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(surroundings.find("DFS_TEST_KEPT=dfs-test"), std::string::npos);
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS"}) {
    EXPECT_EQ(surroundings.find(name), std::string::npos) << name;
  }
  // Nor does it stay where it was started.
  EXPECT_EQ(std::filesystem::read_symlink(process + "/cwd"), "/");
}

TEST_F(StarterTest, many_at_once_meet_at_one_daemon) {
  std::vector<test::ClientProcess> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back("client " + std::to_string(i), [this, i] {
      Store store = test::need(Store::open(path(), options()), "open");
      test::need(store.set("k" + std::to_string(i), "1"), "set");
    });
  }
  for (auto& client : clients) client.expect_done();
  auto store = Store::open(path(), options());
  ASSERT_TRUE(store.has_value());
  EXPECT_EQ(store->snapshot().sequence(), 8U);
}

TEST_F(StarterTest, a_daemon_that_died_is_started_again_by_the_next_commit) {
  auto store = Store::open(path(), options());
  ASSERT_TRUE(store.has_value());
  store->set("k", "1").value();
  ASSERT_TRUE(Admin(*store).stop().has_value());
  EXPECT_EQ(store->get("k")->value, "1");
  EXPECT_EQ(store->state(), StoreState::stale);
  EXPECT_EQ(store->set("k", "2")->version, 2U);
  EXPECT_EQ(store->state(), StoreState::live);
}

TEST_F(StarterTest, reading_never_creates_a_store) {
  Options reader = options();
  reader.read_only = true;
  std::ofstream(directory_ / "usres.db") << "";
  const auto store = Store::open(path(), reader);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error(), errc::no_store);
  EXPECT_NE(store.error().text().find("is it usres.db?"), std::string_view::npos)
      << store.error().text();
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(StarterTest, where_nothing_may_be_started_the_text_says_what_would) {
  Options careful = options();
  careful.autostart = Autostart::never;
  std::ofstream(path()) << "";
  const auto store = Store::open(path(), careful);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error(), errc::no_daemon);
  EXPECT_NE(store.error().text().find("dfsd " + path()), std::string_view::npos)
      << store.error().text();
}

TEST_F(StarterTest, a_program_that_is_not_there_is_said) {
  Options wrong = options();
  wrong.daemon.program = directory_ / "no-dfsd";
  const auto store = Store::open(path(), wrong);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error(), errc::no_daemon);
  EXPECT_NE(store.error().text().find("no-dfsd"), std::string_view::npos) << store.error().text();
}

TEST_F(StarterTest, what_keeps_a_daemon_from_serving_comes_back_in_its_own_words) {
  std::ofstream(path()) << "this is no log\n";
  const auto store = Store::open(path(), options());
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error(), errc::damaged) << store.error().text();
  EXPECT_NE(store.error().text().find("did not start"), std::string_view::npos)
      << store.error().text();
}

TEST_F(StarterTest, the_logger_hears_of_a_start) {
  std::vector<std::string> heard;
  Options telling = options();
  telling.logger = [&heard](std::string_view text) { heard.emplace_back(text); };
  auto store = Store::open(path(), telling);
  ASSERT_TRUE(store.has_value());
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_NE(heard[0].find("starting"), std::string::npos);
}

}  // namespace
}  // namespace dfs
