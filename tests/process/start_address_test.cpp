// An address that leads to no store, and one that leads there all the same: by a name, a path, a
// socket, a link, or nothing at all.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "common/os/socket.hpp"
#include "tests/process/start_refusal.hpp"

namespace dfs::test {
namespace {

class StartAddress : public StartRefusal {};

TEST_F(StartAddress, an_address_must_be_named) {
  EXPECT_EQ(Store::open("").error(), errc::bad_argument);
  ::unsetenv("DFS_STORE");
  Program program({DFSCTL, "get", "a"});
  EXPECT_EQ(program.run(), 2);
  EXPECT_NE(program.output().find("DFS_STORE"), std::string::npos) << program.output();
}

TEST_F(StartAddress, the_environment_names_a_store_as_the_option_does) {
  make_store("users.db");
  Program program({DFSCTL, "get", "a"});
  program.set("DFS_STORE", real("usesr.db"));
  EXPECT_EQ(program.run(), 4);
  EXPECT_EQ(program.output(),
            "no store at " + real("usesr.db") + " (reading never creates one; is it users.db?)\n");
}

TEST_F(StartAddress, a_name_given_for_a_path_is_told_the_path) {
  make_file("users");
  expect(attempt("users", Doing::reading), errc::no_store,
         {"no store named users", "/run/dfs/users/socket", "say ./users"});
}

TEST_F(StartAddress, a_path_given_for_a_name_is_told_the_name) {
  expect(attempt("./users", Doing::reading,
                 [this] {
                   std::filesystem::create_directories(real("run/dfs/users"));
                   ::setenv("XDG_RUNTIME_DIR", real("run").c_str(), 1);
                 }),
         errc::no_store, {"no store at ./users", "a store of that name is users"});
}

TEST_F(StartAddress, a_typo_on_a_read_makes_nothing) {
  make_store("users.db");
  expect(attempt("./uesrs.db", Doing::reading), errc::no_store,
         {"no store at ./uesrs.db (reading never creates one; is it users.db?)"});
  EXPECT_FALSE(std::filesystem::exists(real("uesrs.db")));
  EXPECT_FALSE(std::filesystem::exists(real("uesrs.db.lock")));
}

TEST_F(StartAddress, a_directory_and_what_is_no_file_are_no_logs) {
  std::filesystem::create_directory(real("data"));
  make_file("data/users.db");
  expect(attempt("./data", Doing::writing), errc::no_store, {"is a directory", "./data/users.db?"});
  expect(attempt("/dev/null", Doing::writing), errc::no_store, {"no file that could be a log"});
}

TEST_F(StartAddress, a_named_store_that_is_not_served_is_started_by_its_service) {
  expect(attempt("user:notes", Doing::writing,
                 [this] {
                   std::filesystem::create_directories(real("run/dfs/notes"));
                   ::setenv("XDG_RUNTIME_DIR", real("run").c_str(), 1);
                 }),
         errc::no_daemon,
         {"nobody serves user:notes", "there is no socket at " + real("run/dfs/notes/socket"),
          "systemctl --user start dfsd@notes does"});
}

// Sockets.

TEST_F(StartAddress, a_socket_at_which_nobody_listens_starts_nothing) {
  make_store("users.db");
  expect(attempt("users.db.socket", Doing::writing), errc::no_daemon,
         {"there is no socket at " + real("users.db.socket"), "name the log", real("users.db")});
  ASSERT_TRUE(os::listen_at(real("other.socket")).has_value());  // closed at once
  expect(attempt("./other.socket", Doing::writing), errc::no_daemon,
         {"was left by a daemon that has ended", "dfsd --socket " + real("other.socket")});
}

TEST_F(StartAddress, the_socket_of_another_program_is_no_store) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, real("x.socket").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const ::sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd, 5), 0);
  expect(attempt("x.socket", Doing::reading), errc::no_store, {"is the socket of another program"});
  ::close(fd);
  std::filesystem::remove(real("x.socket"));
}

TEST_F(StartAddress, a_stale_socket_and_a_stale_lock_keep_nobody_out) {
  DaemonProcess daemon = DaemonProcess::serving({.store = real("users.db")});
  daemon.kill();
  ASSERT_TRUE(std::filesystem::exists(real("users.db.socket")));
  expect_served(attempt("users.db", Doing::writing));
}

TEST_F(StartAddress, a_socket_elsewhere_is_found_by_the_link_beside_the_log) {
  std::filesystem::create_directory(real("run"));
  {
    DaemonProcess daemon = DaemonProcess::serving(
        {.store = real("users.db"), .arguments = {"--socket", real("run/socket")}});
    ASSERT_TRUE(std::filesystem::is_symlink(real("users.db.socket")));
    expect_served(attempt("users.db", Doing::writing));
    expect_served(attempt("./run", Doing::writing));
    daemon.kill();
  }
  // A link to a dead one, and one to nothing.
  expect_served(attempt("users.db", Doing::writing));
  stop("users.db");
  std::filesystem::create_symlink("nowhere/socket", real("users.db.socket"));
  expect_served(attempt("users.db", Doing::writing));
  EXPECT_FALSE(std::filesystem::is_symlink(real("users.db.socket")));
}

TEST_F(StartAddress, two_daemons_do_not_share_a_socket) {
  const std::vector<std::string> there{"--socket", real("run.socket")};
  DaemonProcess first = DaemonProcess::serving({.store = real("a.db"), .arguments = there});
  DaemonProcess second({.store = real("b.db"), .arguments = there});
  EXPECT_NE(second.ready().find("Address already in use"), std::string::npos);
  EXPECT_NE(second.exit_code(), 0);
  first.stop();
}

}  // namespace
}  // namespace dfs::test
