// Logs that are not served: what is none, what has two names, and what lies on a file system where
// that cannot be done.
#include <sys/mount.h>

#include <filesystem>
#include <string>

#include "tests/process/log_contents.hpp"
#include "tests/process/start_refusal.hpp"

namespace dfs::test {
namespace {

class StartLog : public StartRefusal {};

TEST_F(StartLog, a_file_that_is_no_log_is_damaged_and_left_alone) {
  make_file("notes.db", "dear diary\n");
  expect(attempt("notes.db", Doing::writing), errc::damaged,
         {real("notes.db") + ", line 1", "dfsctl check", "dfsctl repair"});
  EXPECT_EQ(file_bytes(real("notes.db")), "dear diary\n");
}

TEST_F(StartLog, a_hard_link_is_refused) {
  make_store("users.db");
  std::filesystem::create_hard_link(real("users.db"), real("other.db"));
  expect(attempt("other.db", Doing::writing), errc::unsupported,
         {"has 2 names (hard links)", "Copy it", "-samefile " + real("other.db")});
}

TEST_F(StartLog, a_new_log_whose_first_name_was_left_opens) {
  make_store("users.db");
  std::filesystem::create_hard_link(real("users.db"), real("users.db.new"));
  expect_served(attempt("users.db", Doing::writing));
  EXPECT_FALSE(std::filesystem::exists(real("users.db.new")));
}

TEST_F(StartLog, one_log_by_two_paths_has_one_daemon) {
  NEEDS_ROOT("nothing is mounted");
  DaemonProcess daemon = DaemonProcess::serving({.store = real("users.db")});
  make_file("same.db");
  expect(attempt("same.db", Doing::writing,
                 [this] {
                   enter_mount_name_space();
                   require(::mount(real("users.db").c_str(), real("same.db").c_str(), nullptr,
                                   MS_BIND, nullptr) == 0,
                           "mount a file");
                 }),
         errc::no_daemon,
         {"is locked by another process (pid " + std::to_string(daemon.pid()) + ")",
          "reached it by another path"});
  daemon.stop();
}

// File systems.

TEST_F(StartLog, fuse_is_refused_before_anything_is_made_there) {
  NEEDS_ROOT("nothing is mounted");
  Program probe({"sh", "-c", "command -v fuse2fs && test -w /dev/fuse"});
  if (probe.run() != 0) GTEST_SKIP() << "no fuse2fs, or no /dev/fuse";
  std::filesystem::create_directory(real("mounted"));
  Program made({"sh", "-c",
                "truncate -s 8M " + real("image") + " && mkfs.ext4 -q -F " + real("image") +
                    " && fuse2fs " + real("image") + " " + real("mounted")});
  ASSERT_EQ(made.run(), 0) << made.output();
  expect(attempt("mounted/users.db", Doing::writing), errc::unsupported,
         {"mounted/users.db is on fuse", "put it on a local file system"});
  EXPECT_FALSE(std::filesystem::exists(real("mounted/users.db.lock")));
  // The daemon by itself says so too, and makes no log there.
  DaemonProcess daemon({.store = real("mounted/users.db")});
  EXPECT_TRUE(daemon.ready().starts_with("error unsupported "));
  EXPECT_FALSE(std::filesystem::exists(real("mounted/users.db")));
  daemon.wait();
  EXPECT_EQ(::umount2(real("mounted").c_str(), MNT_DETACH), 0);
}

TEST_F(StartLog, read_only_media_are_refused_with_what_works) {
  NEEDS_ROOT("nothing is mounted");
  make_store("users.db");
  std::filesystem::create_directory(real("disc"));
  const auto mount_disc = [this] {
    enter_mount_name_space();
    require(::mount("disc", real("disc").c_str(), "tmpfs", 0, nullptr) == 0, "mount");
    std::filesystem::copy_file(real("users.db"), real("disc/users.db"));
    require(::mount("disc", real("disc").c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0,
            "mount read-only");
    // What works is tried as well.
    Program check({dfsctl(), "check", "disc/users.db"});
    require(check.run() == 0, "check: " + check.output());
    Program log({dfsctl(), "log", "disc/users.db"});
    require(log.run() == 0, "log: " + log.output());
    // And a daemon by hand is told the same.
    Program daemon({dfsd(), "disc/users.db"});
    require(daemon.run() == exit_code(errc::unsupported), "dfsd: " + daemon.output());
    require(daemon.output().find("on a read-only file system") != std::string::npos,
            "dfsd: " + daemon.output());
  };
  expect(attempt("disc/users.db", Doing::reading, mount_disc), errc::unsupported,
         {"on a read-only file system", "copy it (cp)", "dfsctl check and dfsctl log"});
}

TEST_F(StartLog, a_read_only_view_of_a_store_that_is_served_is_no_obstacle) {
  NEEDS_ROOT("nothing is mounted");
  std::filesystem::create_directory(real("data"));
  DaemonProcess daemon = DaemonProcess::serving({.store = real("data/users.db")});
  expect_served(attempt("data/users.db", Doing::writing, [this] {
    enter_mount_name_space();
    require(::mount(real("data").c_str(), real("data").c_str(), nullptr, MS_BIND, nullptr) == 0 &&
                ::mount(nullptr, real("data").c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY,
                        nullptr) == 0,
            "mount read-only");
  }));
  daemon.stop();
}

}  // namespace
}  // namespace dfs::test
