// What a text names, and what is said of one that names nothing: what is there instead, and what
// helps.
#include "libclient/address.hpp"

#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "common/os/socket.hpp"
#include "libclient/advice.hpp"
#include "tests/process/temporary_directory.hpp"

namespace dfs::client {
namespace {

/// Stands in a directory of its own, in which $XDG_RUNTIME_DIR is, for its life.
class AddressTest : public ::testing::Test {
 protected:
  AddressTest() : before_(std::filesystem::current_path()) {
    if (const char* folder = std::getenv("XDG_RUNTIME_DIR")) runtime_before_ = folder;
    std::filesystem::current_path(directory_.path());
    std::filesystem::create_directories("run/dfs");
    ::setenv("XDG_RUNTIME_DIR", (real("run")).c_str(), 1);
  }
  ~AddressTest() override {
    std::filesystem::current_path(before_);
    if (runtime_before_) {
      ::setenv("XDG_RUNTIME_DIR", runtime_before_->c_str(), 1);
    } else {
      ::unsetenv("XDG_RUNTIME_DIR");
    }
  }

  [[nodiscard]] std::string real(const std::string& name) const {
    return std::filesystem::canonical(directory_.path()).string() + "/" + name;
  }
  static void make_file(const std::string& name) { std::ofstream(name) << ""; }
  static os::Descriptor listen(const std::string& path) { return os::listen_at(path).value(); }
  static std::string socket_of(const std::string& given) {
    const auto address = resolve_address(given);
    return address ? address->socket : "error: " + std::string(address.error().text());
  }
  static std::string log_of(const std::string& given) {
    const auto address = resolve_address(given);
    return address ? address->log : "error: " + std::string(address.error().text());
  }
  static void expect_refused(const std::string& given, errc code, const std::string& part) {
    const auto address = resolve_address(given);
    ASSERT_FALSE(address.has_value()) << given;
    EXPECT_EQ(address.error(), code) << address.error().text();
    EXPECT_NE(address.error().text().find(part), std::string_view::npos) << address.error().text();
  }
  static std::string advice(const std::string& given) {
    return std::string(no_store_at(resolve_address(given).value(), true).text());
  }

  const test::TemporaryDirectory directory_;

 private:
  const std::filesystem::path before_;
  std::optional<std::string> runtime_before_;
};

// Paths.

TEST_F(AddressTest, a_path_of_a_log_need_not_exist) {
  const auto address = resolve_address("./users.db").value();
  EXPECT_EQ(address.log, real("users.db"));
  EXPECT_EQ(address.socket, real("users.db.socket"));
  EXPECT_EQ(address.lock(), real("users.db.lock"));
  EXPECT_EQ(address.command, "dfsd " + real("users.db"));
}

TEST_F(AddressTest, all_ways_to_a_log_meet_at_one_place) {
  make_file("users.db");
  std::filesystem::create_directories("a/b");
  std::filesystem::create_symlink("../../users.db", "a/b/link.db");
  std::filesystem::create_directory_symlink("a/b", "short");
  for (const std::string& given :
       {std::string("users.db"), std::string("./users.db"), std::string("a/../users.db"),
        std::string("a/b/link.db"), std::string("short/link.db"), real("users.db")}) {
    EXPECT_EQ(log_of(given), real("users.db")) << given;
    EXPECT_EQ(socket_of(given), real("users.db.socket")) << given;
  }
}

TEST_F(AddressTest, a_link_decides_where_a_new_log_will_be) {
  std::filesystem::create_directory("disk");
  std::filesystem::create_symlink("disk/users.db", "users.db");
  EXPECT_EQ(log_of("users.db"), real("disk/users.db"));
}

TEST_F(AddressTest, a_socket_and_the_directory_that_holds_one_are_addresses) {
  std::filesystem::create_directories("one");
  std::filesystem::create_directories("other");
  const auto listening = listen("one/socket");
  const auto beside_a_log = listen("other/users.db.socket");
  EXPECT_EQ(socket_of("./one"), real("one/socket"));
  EXPECT_EQ(socket_of("./one/"), real("one/socket"));
  EXPECT_EQ(socket_of("one/socket"), real("one/socket"));
  EXPECT_EQ(socket_of("./other"), real("other/users.db.socket"));
  EXPECT_EQ(log_of("./one"), "");
  EXPECT_EQ(log_of("other/users.db.socket"), "");
}

TEST_F(AddressTest, a_socket_that_will_come_back_is_still_the_address_of_a_socket) {
  std::filesystem::create_directories("gone");
  std::filesystem::create_symlink("nowhere", "gone/socket");
  EXPECT_EQ(socket_of("./gone"), real("gone/socket"));
  EXPECT_EQ(socket_of("gone/socket"), real("gone/nowhere"));
  // Never a new log of that name.
  EXPECT_EQ(log_of("users.db.socket"), "");
  EXPECT_EQ(socket_of("users.db.socket"), real("users.db.socket"));
  EXPECT_EQ(socket_of("./socket"), real("socket"));
}

TEST_F(AddressTest, of_several_sockets_one_must_be_named) {
  const auto a = listen("a.db.socket");
  const auto b = listen("b.db.socket");
  expect_refused(".", errc::bad_argument, "a.db.socket b.db.socket");
}

TEST_F(AddressTest, a_directory_without_a_socket_is_no_store_and_the_log_in_it_is_named) {
  std::filesystem::create_directories("d");
  expect_refused("./d", errc::no_store, "such as ./d/users.db");
  make_file("d/orders.db");
  expect_refused("./d", errc::no_store, "is it ./d/orders.db?");
}

TEST_F(AddressTest, a_missing_directory_is_named_and_what_it_may_have_been) {
  expect_refused("./no/users.db", errc::no_store, "there is no directory ./no");
  std::filesystem::create_directories("data/deep");
  expect_refused("./dtaa/deep/users.db", errc::no_store, "(is it ./data?)");
  expect_refused("data/dep/users.db", errc::no_store, "(is it data/deep?)");
  make_file("file");
  expect_refused("./file/users.db", errc::no_store, "./file is no directory");
  expect_refused("~/users.db", errc::no_store, "only a shell");
  expect_refused("./new/", errc::no_store, "slash");
}

TEST_F(AddressTest, files_beside_a_log_are_not_stores) {
  make_file("users.db");
  for (const std::string name :
       {"users.db.lock", "users.db.new", "users.db.toml", "users.db.torn-7", "users.db.torn-7-2",
        "users.db.byhand-7-0a1b2c"}) {
    make_file(name);
    expect_refused(name, errc::no_store, "belongs to the store users.db; say " + real("users.db"));
  }
  // Without the log they are files like any other.
  make_file("other.toml");
  EXPECT_EQ(log_of("other.toml"), real("other.toml"));
  make_file("users.db.original");
  EXPECT_EQ(log_of("users.db.original"), real("users.db.original"));
}

TEST_F(AddressTest, a_name_that_leaves_no_room_for_the_files_beside_it_is_refused) {
  const std::string longest(220, 'n');
  EXPECT_EQ(log_of("./" + longest + ".db"), real(longest + ".db"));
  expect_refused("./" + longest + ".db4", errc::bad_argument, "at most 223");
}

TEST_F(AddressTest, a_long_path_is_an_address_like_any) {
  const std::string deep = std::string(150, 'a') + "/" + std::string(150, 'b');
  std::filesystem::create_directories(deep);
  EXPECT_EQ(log_of(deep + "/users.db"), real(deep + "/users.db"));
}

TEST_F(AddressTest, nothing_is_no_address_and_neither_is_a_nul) {
  expect_refused("", errc::bad_argument, "no store is named");
  expect_refused(std::string("./a\0b", 5), errc::bad_argument, "NUL");
}

TEST_F(AddressTest, where_the_units_put_a_log_the_unit_is_what_starts_its_daemon) {
  std::filesystem::create_directories(".local/share/dfs/notes/deeper");
  EXPECT_EQ(resolve_address(".local/share/dfs/notes/store.db")->command,
            "systemctl --user start dfsd@notes");
  EXPECT_EQ(resolve_address(".local/share/dfs/notes/deeper/store.db")->command,
            "dfsd " + real(".local/share/dfs/notes/deeper/store.db"));
  EXPECT_EQ(resolve_address(".local/share/dfs/notes/other.db")->command,
            "dfsd " + real(".local/share/dfs/notes/other.db"));
  EXPECT_EQ(resolve_address(".local/share/dfs/store.db")->command,
            "dfsd " + real(".local/share/dfs/store.db"));
}

// Names.

TEST_F(AddressTest, a_name_is_found_where_the_user_runs_it) {
  std::filesystem::create_directories("run/dfs/test-users");
  const auto listening = listen("run/dfs/test-users/socket");
  EXPECT_EQ(socket_of("test-users"), real("run/dfs/test-users/socket"));
  EXPECT_EQ(socket_of("user:test-users"), real("run/dfs/test-users/socket"));
  EXPECT_EQ(resolve_address("test-users")->command, "systemctl --user start dfsd@test-users");
  expect_refused("system:test-users", errc::no_store,
                 "no socket at /run/dfs/test-users/socket; systemctl start dfsd@test-users");
}

TEST_F(AddressTest, a_name_whose_daemon_is_away_is_still_its_address) {
  std::filesystem::create_directories("run/dfs/test-users");
  EXPECT_EQ(socket_of("test-users"), real("run/dfs/test-users/socket"));
}

TEST_F(AddressTest, in_both_places_a_name_must_say_which) {
  if (::geteuid() != 0) GTEST_SKIP() << "stores of the system are root's to make";
  const std::string name = "dfs-test-" + std::to_string(::getpid());
  std::filesystem::create_directories("run/dfs/" + name);
  std::filesystem::create_directories("/run/dfs/" + name);
  {
    const auto of_user = listen("run/dfs/" + name + "/socket");
    const auto of_system = listen("/run/dfs/" + name + "/socket");
    expect_refused(name, errc::bad_argument, "say system:" + name + " or user:" + name);
    EXPECT_EQ(socket_of("system:" + name), "/run/dfs/" + name + "/socket");
    EXPECT_EQ(socket_of("user:" + name), real("run/dfs/" + name + "/socket"));
    EXPECT_EQ(resolve_address("system:" + name)->command, "systemctl start dfsd@" + name);
  }
  std::filesystem::remove_all("/run/dfs/" + name);
  std::error_code others_are_there;
  std::filesystem::remove("/run/dfs", others_are_there);
}

TEST_F(AddressTest, without_a_runtime_directory_that_is_said) {
  ::unsetenv("XDG_RUNTIME_DIR");
  expect_refused(
      "surely-no-such-store", errc::no_store,
      "no socket at /run/dfs/surely-no-such-store/socket, and XDG_RUNTIME_DIR is not set");
  expect_refused("user:surely-no-such-store", errc::no_store, "XDG_RUNTIME_DIR is not set");
}

TEST_F(AddressTest, a_name_that_is_not_found_says_where_was_looked_and_what_starts_it) {
  expect_refused("surely-no-such-store", errc::no_store,
                 "no socket at /run/dfs/surely-no-such-store/socket or " +
                     real("run/dfs/surely-no-such-store/socket"));
  expect_refused("surely-no-such-store", errc::no_store,
                 "systemctl start dfsd@surely-no-such-store");
  expect_refused("surely-no-such-store", errc::no_store, "say ./surely-no-such-store");
}

TEST_F(AddressTest, a_name_given_for_a_path_is_told_the_path) {
  make_file("customers");
  expect_refused("customers", errc::no_store, "say ./customers");
  std::filesystem::create_directories("folder");
  expect_refused("folder", errc::no_store, "a directory of that name is here");
  make_file("invoices.db");
  expect_refused("invoices", errc::no_store, "a file is here that may be meant: invoices.db");
}

TEST_F(AddressTest, a_name_that_is_nearly_another_is_told_that) {
  std::filesystem::create_directories("run/dfs/customers");
  expect_refused("custmoers", errc::no_store, "is it customers?");
  expect_refused("sytem:users", errc::no_store, "system: or user:");
}

TEST_F(AddressTest, what_stands_behind_a_prefix_is_a_name) {
  expect_refused("system:", errc::bad_argument, "no name of a store");
  expect_refused("system:../../etc", errc::bad_argument, "no slash, no dot");
  expect_refused("user:users.db", errc::bad_argument, "./user:users.db");
}

// What is said where a path leads to no store.

TEST_F(AddressTest, a_near_miss_is_named) {
  make_file("users.db");
  EXPECT_EQ(advice("./uesrs.db"),
            "no store at ./uesrs.db (reading never creates one; is it users.db?)");
  // A name without a dot would be no path.
  make_file("orders");
  EXPECT_EQ(advice("./order"), "no store at ./order (reading never creates one; is it ./orders?)");
  EXPECT_NE(advice("users.dc").find("is it users.db?"), std::string::npos) << advice("users.dc");
  EXPECT_NE(advice("./users").find("is it users.db?"), std::string::npos) << advice("./users");
}

TEST_F(AddressTest, a_file_of_quite_another_name_is_not_named) {
  make_file("orders.db");
  make_file("b");
  EXPECT_EQ(advice("./users.db").find("is it"), std::string::npos) << advice("./users.db");
  EXPECT_EQ(advice("./a").find("is it"), std::string::npos) << advice("./a");
}

TEST_F(AddressTest, a_path_given_for_a_name_is_told_the_name) {
  std::filesystem::create_directories("run/dfs/customers");
  const auto listening = listen("run/dfs/customers/socket");
  EXPECT_NE(advice("./customers").find("a store of that name is customers"), std::string::npos)
      << advice("./customers");
}

TEST(Advice, commands_are_quoted_where_a_shell_needs_it) {
  EXPECT_EQ(quoted("/srv/users.db"), "/srv/users.db");
  EXPECT_EQ(quoted("/srv/my users.db"), "'/srv/my users.db'");
  EXPECT_EQ(quoted("it's"), R"('it'\''s')");
  EXPECT_EQ(quoted(""), "''");
}

}  // namespace
}  // namespace dfs::client
