#include "libclient/address.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "common/os/socket.hpp"
#include "tests/process/temporary_directory.hpp"

namespace dfs::client {
namespace {

TEST(Address, a_path_of_a_log_need_not_exist) {
  const test::TemporaryDirectory directory;
  const std::string real = std::filesystem::canonical(directory.path());
  const auto address = resolve_address(directory / "users.db");
  ASSERT_TRUE(address.has_value()) << address.error().text();
  EXPECT_EQ(address->log, real + "/users.db");
  EXPECT_EQ(address->socket, real + "/users.db.socket");
  EXPECT_EQ(address->lock(), real + "/users.db.lock");
}

TEST(Address, links_are_resolved_so_that_all_meet_at_one_place) {
  const test::TemporaryDirectory directory;
  std::ofstream(directory / "users.db") << "";
  std::filesystem::create_symlink(directory / "users.db", directory / "link.db");
  EXPECT_EQ(resolve_address(directory / "link.db")->socket,
            resolve_address(directory / "users.db")->socket);
}

TEST(Address, a_socket_and_the_directory_that_holds_one_are_addresses) {
  const test::TemporaryDirectory directory;
  const auto listening = os::listen_at(directory / "socket");
  ASSERT_TRUE(listening.has_value());
  const std::string real = std::filesystem::canonical(directory.path());
  for (const std::string& given : {directory / "socket", directory.path()}) {
    const auto address = resolve_address(given);
    ASSERT_TRUE(address.has_value()) << given;
    EXPECT_EQ(address->socket, real + "/socket");
    EXPECT_TRUE(address->log.empty());
  }
}

TEST(Address, a_text_without_slash_and_dot_is_a_name) {
  const auto address = resolve_address("surely-no-such-store");
  ASSERT_FALSE(address.has_value());
  EXPECT_EQ(address.error(), errc::no_store);
  EXPECT_NE(address.error().text().find("/run/dfs/surely-no-such-store/socket"),
            std::string_view::npos);
}

TEST(Address, nothing_is_no_address) { EXPECT_EQ(resolve_address("").error(), errc::bad_argument); }

TEST(Address, a_missing_directory_is_said) {
  const test::TemporaryDirectory directory;
  const auto address = resolve_address(directory / "no/users.db");
  ASSERT_FALSE(address.has_value());
  EXPECT_EQ(address.error(), errc::no_store) << address.error().text();
}

TEST(Address, a_near_miss_is_named) {
  const test::TemporaryDirectory directory;
  std::ofstream(directory / "users.db") << "";
  const auto address = resolve_address(directory / "uesrs.db");
  ASSERT_TRUE(address.has_value());
  const Error error = no_store_at(*address);
  EXPECT_EQ(error, errc::no_store);
  EXPECT_NE(error.text().find("is it users.db?"), std::string_view::npos) << error.text();
}

TEST(Address, a_file_of_quite_another_name_is_not_named) {
  const test::TemporaryDirectory directory;
  std::ofstream(directory / "orders.db") << "";
  const Error error = no_store_at(resolve_address(directory / "users.db").value());
  EXPECT_EQ(error.text().find("is it"), std::string_view::npos) << error.text();
}

}  // namespace
}  // namespace dfs::client
