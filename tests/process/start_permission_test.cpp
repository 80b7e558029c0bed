// Who may start a daemon, and who may not: the owner of the log, root where it is told to, and
// nobody by a setuid program.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/os/file.hpp"
#include "tests/process/start_refusal.hpp"

namespace dfs::test {
namespace {

class StartPermission : public StartRefusal {};

TEST_F(StartPermission, anothers_log_is_for_its_owner_to_start) {
  NEEDS_ROOT("there is one user");
  make_store("users.db", kOne);
  ::chmod(real("users.db").c_str(), 0666);
  expect(attempt("users.db", Doing::writing, [] { become(kOther); }), errc::no_daemon,
         {"only its owner starts its daemon (uid 54321, gid 54321, mode 0666; you are uid 54322)",
          "sudo -u '#54321' dfsd " + real("users.db")});
  // Nor is it overridden.
  Options options;
  options.autostart = Autostart::always;
  EXPECT_EQ(attempt(
                "users.db", Doing::writing, [] { become(kOther); }, options)
                .code,
            errc::no_daemon);
  // A daemon that another starts by hand refuses too: it could not keep owner and mode.
  Program daemon({"setpriv", "--reuid=54322", "--regid=54322", "--clear-groups",
                  directory_ / "bin/dfsd", real("users.db")});
  EXPECT_NE(daemon.run(), 0);
}

TEST_F(StartPermission, a_mode_that_shuts_you_out_is_said_with_what_to_ask_for) {
  NEEDS_ROOT("there is one user");
  make_store("users.db", kOne);
  ::chmod(real("users.db").c_str(), 0640);
  DaemonProcess daemon = DaemonProcess::serving({.store = real("users.db")});
  expect(attempt("users.db", Doing::reading, [] { become(kOther); }), errc::not_permitted,
         {"uid 54322 may not read " + real("users.db") + " (uid 54321, gid 54321, mode 0640)",
          "setfacl -m u:54322:r"});
  ::chmod(real("users.db").c_str(), 0644);
  expect_served(attempt("users.db", Doing::reading, [] { become(kOther); }));
  expect(attempt("users.db", Doing::writing, [] { become(kOther); }), errc::not_permitted,
         {"may not write", "setfacl -m u:54322:rw", "reading is allowed"});
  daemon.stop();
}

TEST_F(StartPermission, root_starts_no_daemon_for_anothers_log_until_it_is_told_always) {
  NEEDS_ROOT("there is one user");
  make_store("users.db", kOne);
  expect(attempt("users.db", Doing::writing), errc::no_daemon,
         {"root starts no daemon for another's log (uid 54321", "autostart = always",
          "sudo -u '#54321' dfsd " + real("users.db")});
  {
    Options options;
    options.autostart = Autostart::always;
    options.daemon.program = DFSD;
    Store store = Store::open(real("users.db"), options).value();
    EXPECT_TRUE(store.set("a", "1"));
    ASSERT_TRUE(Admin(store).stop());
  }
  // It leaves nothing behind that would keep the owner out.
  for (const char* name : {"users.db", "users.db.lock"}) {
    EXPECT_EQ(os::status_of(real(name))->uid, kOne) << name;
  }
  expect_served(attempt("users.db", Doing::writing, [] { become(kOne); }));
}

TEST_F(StartPermission, a_directory_that_you_may_not_write_or_enter_is_named) {
  NEEDS_ROOT("everything may be");
  ::chmod(here().c_str(), 0755);
  expect(attempt("users.db", Doing::writing, [] { become(kOther); }), errc::not_permitted,
         {"no store at users.db, and you may not write in its directory " +
              real("").substr(0, real("").size() - 1),
          "uid 0, gid 0, mode 0755"});
  std::filesystem::create_directory(real("closed"));
  make_file("closed/users.db");
  ::chmod(real("closed").c_str(), 0700);
  expect(attempt("closed/users.db", Doing::reading, [] { become(kOther); }), errc::not_permitted,
         {"Permission denied", "must let you through"});
}

TEST_F(StartPermission, a_lock_that_an_earlier_store_left_is_named) {
  NEEDS_ROOT("there is one user");
  make_store("users.db", kOne);
  std::filesystem::remove(real("users.db"));
  expect(attempt("users.db", Doing::writing, [] { become(kOther); }), errc::not_permitted,
         {"the lock of users.db belongs to another (uid 54321", "rm " + real("users.db.lock")});
}

TEST_F(StartPermission, a_log_that_its_owner_may_not_write_is_not_served) {
  NEEDS_ROOT("there is one user");
  make_store("users.db", kOne);
  ::chmod(real("users.db").c_str(), 0444);
  expect(attempt("users.db", Doing::reading, [] { become(kOne); }), errc::not_permitted,
         {"may not be written (uid 54321, gid 54321, mode 0444)"});
}

TEST_F(StartPermission, a_setuid_program_starts_nothing) {
  NEEDS_ROOT("there is one user");
  make_store("users.db", kOne);
  ASSERT_EQ(::chown(dfsctl().c_str(), kOne, kOne), 0);
  ASSERT_EQ(::chmod(dfsctl().c_str(), 04755), 0);
  const Answers answers = attempt("users.db", Doing::reading, [] { become(kOther); });
  EXPECT_EQ(answers.exit, 4);
  EXPECT_EQ(answers.said, "nobody serves users.db, and a setuid program starts no daemon; dfsd " +
                              real("users.db") + " does\n");
}

TEST_F(StartPermission, what_a_killed_daemon_of_roots_left_does_not_keep_the_owner_out) {
  NEEDS_ROOT("there is one user");
  // As in /tmp: what another has made there cannot be replaced.
  ::chmod(here().c_str(), 01777);
  make_store("users.db", kOne);
  std::filesystem::create_directory(real("run"));
  for (const std::vector<std::string>& where :
       {std::vector<std::string>(), {"--socket", real("run/socket")}}) {
    DaemonProcess daemon = DaemonProcess::serving({.store = real("users.db"), .arguments = where});
    daemon.kill();
    std::filesystem::remove(real("users.db.stderr"));
    expect_served(attempt("users.db", Doing::writing, [] { become(kOne); }));
    stop("users.db");
  }
}

}  // namespace
}  // namespace dfs::test
