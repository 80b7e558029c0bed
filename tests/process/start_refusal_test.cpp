// Every mistake that a newcomer makes, and every place where no daemon may be started: the library
// says what was looked for where, what is there instead and what helps, and dfsctl says the same
// and ends with the code of it.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/os/file.hpp"
#include "common/os/socket.hpp"
#include "common/wire/hello.hpp"
#include "common/wire/lock_note.hpp"
#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/program.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr ::uid_t kOne = 54321;
constexpr ::uid_t kOther = 54322;

bool as_root() { return ::geteuid() == 0; }

#define NEEDS_ROOT(what) \
  if (!as_root()) GTEST_SKIP() << "without root: " what

void become(::uid_t uid) {
  require(::setgroups(0, nullptr) == 0 && ::setresgid(uid, uid, uid) == 0 &&
              ::setresuid(uid, uid, uid) == 0,
          "become another user");
}

void enter_mount_name_space() {
  require(::unshare(CLONE_NEWNS) == 0 &&
              ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0,
          "a mount name space of one's own");
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What library and dfsctl answered to the same address, under the same circumstances.
struct Answers {
  errc code = errc::absent;
  std::string text;
  int exit = 0;
  std::string said;  ///< by dfsctl
};

enum class Doing { reading, writing };

class StartRefusal : public ::testing::Test {
 protected:
  StartRefusal() {
    std::filesystem::permissions(directory_.path(), std::filesystem::perms{0755});
    // Other users may not reach the tree this was built in.
    std::filesystem::create_directory(directory_ / "bin");
    std::filesystem::copy_file(DFSD, directory_ / "bin/dfsd");
    std::filesystem::copy_file(DFSCTL, directory_ / "bin/dfsctl");
    std::filesystem::create_directory(here());
    std::filesystem::permissions(here(), std::filesystem::perms{0777});
    real_ = std::filesystem::canonical(here());
  }
  ~StartRefusal() override {
    for (const auto& file : std::filesystem::directory_iterator(here())) {
      const std::string name = file.path().filename();
      if (file.is_socket() && name.ends_with(".socket")) stop(name);
    }
  }

  /// Where the tests stand, and what is in it.
  [[nodiscard]] std::string here() const { return directory_ / "here"; }
  [[nodiscard]] std::string real(const std::string& name) const { return real_ + "/" + name; }
  [[nodiscard]] std::string dfsctl() const { return directory_ / "bin/dfsctl"; }
  void make_file(const std::string& name, const std::string& content = {}) const {
    std::ofstream(real(name)) << content;
  }

  /// A store that was served once, and is not at the moment. Of that user, as root.
  void make_store(const std::string& name, ::uid_t owner = ::geteuid()) const {
    DaemonProcess::serving({.store = real(name)}).stop();
    std::filesystem::remove(real(name + ".stderr"));
    if (!as_root()) return;
    for (const std::string& file : {name, name + ".lock"}) {
      ASSERT_EQ(::chown(real(file).c_str(), owner, owner), 0);
    }
  }

  /// Ends the daemon of a store, if one serves it.
  void stop(const std::string& name) const {
    Options options;
    options.autostart = Autostart::never;
    options.read_only = true;
    if (auto store = Store::open(real(name), options)) {
      EXPECT_TRUE(Admin(*store).stop());
    }
  }

  /// Tries the address in a process of its own, once that is under the circumstances.
  [[nodiscard]] Answers attempt(const std::string& given, Doing doing,
                                const std::function<void()>& circumstances = {},
                                Options options = {}) const {
    const std::string file = directory_ / "answer";
    std::ofstream(file).close();
    std::filesystem::permissions(file, std::filesystem::perms{0666});
    ClientProcess child("newcomer", [&] {
      const int out = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
      std::filesystem::current_path(here());
      ::setenv("DFS_DAEMON", (directory_ / "bin/dfsd").c_str(), 1);
      ::unsetenv("XDG_RUNTIME_DIR");
      ::unsetenv("INVOCATION_ID");
      if (circumstances) circumstances();
      options.read_only = doing == Doing::reading;
      const auto store = Store::open(given, options);
      std::vector<std::string> words{dfsctl(), "-s", given};
      if (doing == Doing::reading) {
        words.insert(words.end(), {"get", "a"});
      } else {
        words.insert(words.end(), {"set", "a", "1"});
      }
      Program program(words);
      const int exit = program.run();
      const errc code = store ? errc::absent : store.error().code();
      const std::string answer =
          std::to_string(static_cast<int>(code)) + " " + std::to_string(exit) + "\n" +
          (store ? "served" : std::string(store.error().text())) + "\n" + program.output();
      require(::write(out, answer.data(), answer.size()) == static_cast<::ssize_t>(answer.size()),
              "write an answer");
    });
    child.expect_done();
    std::ifstream in(file);
    Answers answers;
    int code = 0;
    in >> code >> answers.exit;
    in.get();
    answers.code = static_cast<errc>(code);
    std::getline(in, answers.text);
    answers.said = {std::istreambuf_iterator<char>(in), {}};
    return answers;
  }
  /// The code, and what must be in the text.
  static void expect(const Answers& answers, errc code, const std::vector<std::string>& parts) {
    EXPECT_EQ(name(answers.code), name(code)) << answers.text;
    for (const std::string& part : parts) {
      EXPECT_NE(answers.text.find(part), std::string::npos) << part << "\nin: " << answers.text;
    }
    EXPECT_EQ(answers.exit, exit_code(code)) << answers.said;
    EXPECT_EQ(answers.said, answers.text + "\n");
  }
  /// Both were served; dfsctl read nothing, or wrote.
  static void expect_served(const Answers& answers) {
    EXPECT_EQ(answers.text, "served");
    EXPECT_LE(answers.exit, 1) << answers.said;
  }

  const TemporaryDirectory directory_;

 private:
  const Watchdog watchdog_{"a refusal"};
  std::string real_;
};

// An address that names nothing.

TEST_F(StartRefusal, an_address_must_be_named) {
  EXPECT_EQ(Store::open("").error(), errc::bad_argument);
  ::unsetenv("DFS_STORE");
  Program program({DFSCTL, "get", "a"});
  EXPECT_EQ(program.run(), 2);
  EXPECT_NE(program.output().find("DFS_STORE"), std::string::npos) << program.output();
}

TEST_F(StartRefusal, the_environment_names_a_store_as_the_option_does) {
  make_store("users.db");
  Program program({DFSCTL, "get", "a"});
  program.set("DFS_STORE", real("usesr.db"));
  EXPECT_EQ(program.run(), 4);
  EXPECT_EQ(program.output(),
            "no store at " + real("usesr.db") + " (reading never creates one; is it users.db?)\n");
}

TEST_F(StartRefusal, a_name_given_for_a_path_is_told_the_path) {
  make_file("users");
  expect(attempt("users", Doing::reading), errc::no_store,
         {"no store named users", "/run/dfs/users/socket", "say ./users"});
}

TEST_F(StartRefusal, a_path_given_for_a_name_is_told_the_name) {
  expect(attempt("./users", Doing::reading,
                 [this] {
                   std::filesystem::create_directories(real("run/dfs/users"));
                   ::setenv("XDG_RUNTIME_DIR", real("run").c_str(), 1);
                 }),
         errc::no_store, {"no store at ./users", "a store of that name is users"});
}

TEST_F(StartRefusal, a_typo_on_a_read_makes_nothing) {
  make_store("users.db");
  expect(attempt("./uesrs.db", Doing::reading), errc::no_store,
         {"no store at ./uesrs.db (reading never creates one; is it users.db?)"});
  EXPECT_FALSE(std::filesystem::exists(real("uesrs.db")));
  EXPECT_FALSE(std::filesystem::exists(real("uesrs.db.lock")));
}

TEST_F(StartRefusal, a_directory_and_what_is_no_file_are_no_logs) {
  std::filesystem::create_directory(real("data"));
  make_file("data/users.db");
  expect(attempt("./data", Doing::writing), errc::no_store, {"is a directory", "./data/users.db?"});
  expect(attempt("/dev/null", Doing::writing), errc::no_store, {"no file that could be a log"});
}

TEST_F(StartRefusal, a_named_store_that_is_not_served_is_started_by_its_service) {
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

TEST_F(StartRefusal, a_socket_at_which_nobody_listens_starts_nothing) {
  make_store("users.db");
  expect(attempt("users.db.socket", Doing::writing), errc::no_daemon,
         {"there is no socket at " + real("users.db.socket"), "name the log", real("users.db")});
  ASSERT_TRUE(os::listen_at(real("other.socket")).has_value());  // closed at once
  expect(attempt("./other.socket", Doing::writing), errc::no_daemon,
         {"was left by a daemon that has ended", "dfsd --socket " + real("other.socket")});
}

TEST_F(StartRefusal, the_socket_of_another_program_is_no_store) {
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

TEST_F(StartRefusal, a_stale_socket_and_a_stale_lock_keep_nobody_out) {
  DaemonProcess daemon = DaemonProcess::serving({.store = real("users.db")});
  daemon.kill();
  ASSERT_TRUE(std::filesystem::exists(real("users.db.socket")));
  expect_served(attempt("users.db", Doing::writing));
}

TEST_F(StartRefusal, a_socket_elsewhere_is_found_by_the_link_beside_the_log) {
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

TEST_F(StartRefusal, two_daemons_do_not_share_a_socket) {
  const std::vector<std::string> there{"--socket", real("run.socket")};
  DaemonProcess first = DaemonProcess::serving({.store = real("a.db"), .arguments = there});
  DaemonProcess second({.store = real("b.db"), .arguments = there});
  EXPECT_NE(second.ready().find("Address already in use"), std::string::npos);
  EXPECT_NE(second.exit_code(), 0);
  first.stop();
}

// Daemons that do not answer.

TEST_F(StartRefusal, a_daemon_that_is_stopped_is_named_with_its_state) {
  DaemonProcess daemon = DaemonProcess::serving({.store = real("users.db")});
  daemon.signal(SIGSTOP);
  ::siginfo_t state{};
  ::waitid(P_PID, static_cast<::id_t>(daemon.pid()), &state, WSTOPPED);
  Options options;
  options.timeout = std::chrono::milliseconds(200);
  const std::string pid = std::to_string(daemon.pid());
  expect(attempt("users.db", Doing::writing, {}, options), errc::timeout,
         {"does not answer", "pid " + pid + ", which is stopped by a signal (kill -CONT " + pid});
  daemon.signal(SIGCONT);
  expect_served(attempt("users.db", Doing::writing));
  daemon.stop();
}

TEST_F(StartRefusal, a_daemon_whose_socket_was_taken_away_is_named) {
  DaemonProcess daemon = DaemonProcess::serving({.store = real("users.db")});
  std::filesystem::remove(real("users.db.socket"));
  Options options;
  options.timeout = std::chrono::milliseconds(200);
  expect(attempt("users.db", Doing::writing, {}, options), errc::timeout,
         {"its socket " + real("users.db.socket") + " was taken away",
          "kill " + std::to_string(daemon.pid())});
  daemon.stop();
}

TEST_F(StartRefusal, a_daemon_of_another_major_says_what_to_upgrade) {
  make_store("users.db");
  const auto listening = os::listen_at(real("users.db.socket")).value();
  const std::string text =
      "this daemon (dfsd 9.0.0) speaks protocol 9, the library speaks 1; "
      "upgrade the older of the two";
  ClientProcess daemon("a later daemon", [&] {
    for (;;) {
      ::pollfd slot{listening.get(), POLLIN, 0};
      ::poll(&slot, 1, -1);
      const auto socket = os::accept_from(listening.get()).value();
      os::receive_packet(socket.get(), os::Deadline::never()).value();
      wire::HelloAnswer answer;
      answer.status = wire::HelloStatus::incompatible;
      answer.text = text;
      const auto bytes = wire::encode(answer);
      os::try_send_packet(socket.get(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                          {})
          .value();
    }
  });
  expect(attempt("users.db", Doing::reading), errc::incompatible, {text});
  daemon.kill();
}

// The program.

TEST_F(StartRefusal, where_no_dfsd_is_it_is_said_who_named_it) {
  make_store("users.db");
  expect(attempt("users.db", Doing::reading, [] { ::setenv("DFS_DAEMON", "/nowhere/dfsd", 1); }),
         errc::no_daemon,
         {"start /nowhere/dfsd: No such file or directory", "DFS_DAEMON names it"});
  expect(attempt("users.db", Doing::reading, [] { ::setenv("DFS_DAEMON", "/bin/true", 1); }),
         errc::no_daemon, {"/bin/true ended 3 times without a word", "is it no dfsd?"});
  // Nothing is left of a store that was not made.
  expect(attempt("new.db", Doing::writing, [] { ::setenv("DFS_DAEMON", "/nowhere/dfsd", 1); }),
         errc::no_daemon, {"start /nowhere/dfsd"});
  EXPECT_FALSE(std::filesystem::exists(real("new.db.lock")));
  Options options;
  options.daemon.program = "/nowhere/else";
  options.autostart = Autostart::always;
  const auto store = Store::open(real("users.db"), options);
  ASSERT_FALSE(store.has_value());
  EXPECT_NE(store.error().text().find("Options::daemon.program names it"), std::string_view::npos);
}

// The log.

TEST_F(StartRefusal, a_file_that_is_no_log_is_damaged_and_left_alone) {
  make_file("notes.db", "dear diary\n");
  expect(attempt("notes.db", Doing::writing), errc::damaged,
         {real("notes.db") + ", line 1", "dfsctl check", "dfsctl repair"});
  EXPECT_EQ(bytes_of(real("notes.db")), "dear diary\n");
}

TEST_F(StartRefusal, a_hard_link_is_refused) {
  make_store("users.db");
  std::filesystem::create_hard_link(real("users.db"), real("other.db"));
  expect(attempt("other.db", Doing::writing), errc::unsupported,
         {"has 2 names (hard links)", "Copy it", "-samefile " + real("other.db")});
}

TEST_F(StartRefusal, a_new_log_whose_first_name_was_left_opens) {
  make_store("users.db");
  std::filesystem::create_hard_link(real("users.db"), real("users.db.new"));
  expect_served(attempt("users.db", Doing::writing));
  EXPECT_FALSE(std::filesystem::exists(real("users.db.new")));
}

TEST_F(StartRefusal, one_log_by_two_paths_has_one_daemon) {
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

TEST_F(StartRefusal, fuse_is_refused_before_anything_is_made_there) {
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

TEST_F(StartRefusal, read_only_media_are_refused_with_what_works) {
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
  };
  expect(attempt("disc/users.db", Doing::reading, mount_disc), errc::unsupported,
         {"on a read-only file system", "copy it (cp)", "dfsctl check and dfsctl log"});
}

TEST_F(StartRefusal, a_read_only_view_of_a_store_that_is_served_is_no_obstacle) {
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

// Who may.

TEST_F(StartRefusal, anothers_log_is_for_its_owner_to_start) {
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

TEST_F(StartRefusal, a_mode_that_shuts_you_out_is_said_with_what_to_ask_for) {
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

TEST_F(StartRefusal, root_starts_no_daemon_for_anothers_log_until_it_is_told_always) {
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

TEST_F(StartRefusal, a_directory_that_you_may_not_write_or_enter_is_named) {
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

TEST_F(StartRefusal, a_lock_that_an_earlier_store_left_is_named) {
  NEEDS_ROOT("there is one user");
  make_store("users.db", kOne);
  std::filesystem::remove(real("users.db"));
  expect(attempt("users.db", Doing::writing, [] { become(kOther); }), errc::not_permitted,
         {"the lock of users.db belongs to another (uid 54321", "rm " + real("users.db.lock")});
}

TEST_F(StartRefusal, a_log_that_its_owner_may_not_write_is_not_served) {
  NEEDS_ROOT("there is one user");
  make_store("users.db", kOne);
  ::chmod(real("users.db").c_str(), 0444);
  expect(attempt("users.db", Doing::reading, [] { become(kOne); }), errc::not_permitted,
         {"may not be written (uid 54321, gid 54321, mode 0444)"});
}

TEST_F(StartRefusal, a_setuid_program_starts_nothing) {
  NEEDS_ROOT("there is one user");
  make_store("users.db", kOne);
  ASSERT_EQ(::chown(dfsctl().c_str(), kOne, kOne), 0);
  ASSERT_EQ(::chmod(dfsctl().c_str(), 04755), 0);
  const Answers answers = attempt("users.db", Doing::reading, [] { become(kOther); });
  EXPECT_EQ(answers.exit, 4);
  EXPECT_EQ(answers.said, "nobody serves users.db, and a setuid program starts no daemon; dfsd " +
                              real("users.db") + " does\n");
}

TEST_F(StartRefusal, what_a_killed_daemon_of_roots_left_does_not_keep_the_owner_out) {
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

// Services.

/// A control group of the name that systemd gives to a system service, for its life.
class Service {
 public:
  explicit Service(const std::string& path) {
    for (const char* hierarchy :
         {"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
      std::error_code failed;
      if (!std::filesystem::exists(std::string(hierarchy) + "/cgroup.procs", failed)) continue;
      at_ = hierarchy + path;
      std::filesystem::create_directories(at_, failed);
      if (!failed) return;
    }
    at_.clear();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() {
    std::error_code ignored;
    // What was made here goes; what others are in stays, since it cannot be removed.
    for (std::filesystem::path path = at_; !path.empty() && path.filename() != "cgroup";
         path = path.parent_path()) {
      if (!std::filesystem::remove(path, ignored)) break;
    }
  }
  [[nodiscard]] bool made() const { return !at_.empty(); }
  /// In a client process: it is of the service from here on.
  void enter(const char* invocation) const {
    std::ofstream(at_ + "/cgroup.procs") << ::getpid() << std::flush;
    if (invocation != nullptr) ::setenv("INVOCATION_ID", invocation, 1);
  }

 private:
  std::string at_;
};

TEST_F(StartRefusal, nothing_is_started_inside_a_system_service_until_it_is_told_always) {
  NEEDS_ROOT("no control group is made");
  const Service service("/system.slice/dfs-test.service");
  if (!service.made()) GTEST_SKIP() << "no control group can be made here";
  make_store("users.db");
  const auto inside = [&service] { service.enter("0123456789abcdef0123456789abcdef"); };
  expect(attempt("users.db", Doing::writing, inside), errc::no_daemon,
         {"inside dfs-test.service none is started, since it would end with that service",
          "systemd-run --uid=0 dfsd " + real("users.db"), "autostart = always"});

  // Who is told to starts it there; a served store is reached from anywhere.
  Options options;
  options.autostart = Autostart::always;
  options.daemon.idle_exit = std::chrono::minutes(10);
  expect_served(attempt("users.db", Doing::writing, inside, options));
  expect_served(attempt("users.db", Doing::writing, inside));
  stop("users.db");
}

TEST_F(StartRefusal, what_sshd_or_cron_run_is_inside_no_service) {
  NEEDS_ROOT("no control group is made");
  const Service service("/system.slice/dfs-test.service");
  if (!service.made()) GTEST_SKIP() << "no control group can be made here";
  expect_served(attempt("users.db", Doing::writing, [&service] { service.enter(nullptr); }));
  stop("users.db");
}

TEST_F(StartRefusal, a_users_service_may_start_it) {
  NEEDS_ROOT("no control group is made");
  const Service service("/user.slice/user-0.slice/user@0.service/app.slice/dfs-test.service");
  if (!service.made()) GTEST_SKIP() << "no control group can be made here";
  expect_served(attempt("users.db", Doing::writing,
                        [&service] { service.enter("0123456789abcdef0123456789abcdef"); }));
  stop("users.db");
}

TEST_F(StartRefusal, who_waits_for_a_daemon_finds_it_once_it_is_there) {
  Options options;
  options.autostart = Autostart::never;
  options.timeout = options.wait_for_daemon = std::chrono::seconds(60);
  make_store("users.db");
  std::filesystem::create_directory(real("run"));
  std::vector<ClientProcess> waiting;
  // By its log, by a socket that is not there yet, and in a directory that is not there yet.
  for (const std::string& address : {real("users.db"), real("run/socket"), real("later/socket")}) {
    waiting.emplace_back("waiting", [address, options] {
      Store store = need(Store::open(address, options), address.c_str());
      need(store.set("a", "1"), "set");
    });
  }
  std::filesystem::create_directory_symlink("run", real("later"));
  DaemonProcess daemon = DaemonProcess::serving(
      {.store = real("users.db"), .arguments = {"--socket", real("run/socket")}});
  for (ClientProcess& client : waiting) client.expect_done();
  daemon.stop();
}

}  // namespace
}  // namespace dfs::test
