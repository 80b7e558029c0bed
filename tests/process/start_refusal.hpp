// Every mistake that a newcomer makes, and every place where no daemon may be started: the library
// says what was looked for where, what is there instead and what helps, and dfsctl says the same
// and ends with the code of it.
#pragma once

#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/program.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {

inline constexpr ::uid_t kOne = 54321;
inline constexpr ::uid_t kOther = 54322;

inline bool as_root() { return ::geteuid() == 0; }

#define NEEDS_ROOT(what) \
  if (!as_root()) GTEST_SKIP() << "without root: " what

inline void become(::uid_t uid) {
  require(::setgroups(0, nullptr) == 0 && ::setresgid(uid, uid, uid) == 0 &&
              ::setresuid(uid, uid, uid) == 0,
          "become another user");
}

inline void enter_mount_name_space() {
  require(::unshare(CLONE_NEWNS) == 0 &&
              ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0,
          "a mount name space of one's own");
}

/// What library and dfsctl answered to the same address, under the same circumstances.
struct Answers {
  errc code = errc::absent;
  std::string text;
  int exit = 0;
  std::string said;  ///< by dfsctl
};

enum class Doing { reading, writing };

/// A directory with programs of its own, so that whoever tries an address may run them.
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
  [[nodiscard]] std::string dfsd() const { return directory_ / "bin/dfsd"; }
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

  /// Ends the daemon of a store, if one serves it, and waits until it has let go of the lock, if
  /// that is beside the name.
  void stop(const std::string& name) const {
    Options options;
    options.autostart = Autostart::never;
    options.read_only = true;
    auto store = Store::open(real(name), options);
    if (!store) return;
    EXPECT_TRUE(Admin(*store).stop());
    const int lock = ::open(real(name + ".lock").c_str(), O_RDONLY | O_CLOEXEC);
    if (lock < 0) return;
    EXPECT_EQ(::flock(lock, LOCK_EX), 0);
    ::close(lock);
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

}  // namespace dfs::test
