// A file of the Go library, which its first commit writes anew: whole or not at all, whatever fails
// on the way, and what it was stays beside it.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/failing_disk.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/system_call_trace.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

class GoFile : public ::testing::Test {
 protected:
  GoFile() { make(path_, kBytes); }

  static void make(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  }
  void expect_untouched() const {
    EXPECT_EQ(file_bytes(path_), kBytes);
    EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
  }
  /// What it says as the Go library left it.
  static void expect_as_it_was(const Store& store) {
    const Value a = need(store.get("a"), "get");
    EXPECT_EQ(a.value, R"({"n":1})");
    EXPECT_EQ(a.version, 3U);
    EXPECT_EQ(need(store.get("7"), "get").version, 1U) << "an integer key is its decimal text";
    EXPECT_EQ(store.get("gone").error(), errc::absent);
  }
  void expect_kept_beside() const {
    EXPECT_EQ(file_bytes(original_), kBytes);
    EXPECT_EQ(std::filesystem::hard_link_count(path_), 1U);
    EXPECT_EQ(std::filesystem::hard_link_count(original_), 1U);
    EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
    struct ::stat status {};
    EXPECT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0640U);
  }
  /// The first commit and those behind it, through a restart.
  void expect_to_become_a_log(DaemonProcess& daemon) {
    Store store = open_served(path_);
    expect_as_it_was(store);
    EXPECT_EQ(need(store.set("a", "2", expect_version(3)), "set").version, 4U);
    EXPECT_EQ(need(store.set("gone", "1", expect_absent), "set").version, 8U)
        << "above all versions of what was erased";
    expect_kept_beside();
    daemon.stop();
    EXPECT_EQ(LogContents::at(path_).recovery().kind, log::RecoveryKind::whole);
    daemon = DaemonProcess::serving({.store = path_});
    const Store again = open_served(path_);
    EXPECT_EQ(need(again.get("a"), "get").version, 4U);
    EXPECT_EQ(need(again.get("7"), "get").value, "\"seven\"");
    EXPECT_EQ(need(again.get("gone"), "get").version, 8U);
    expect_kept_beside();
    daemon.stop();
  }

  const std::string kBytes = R"({"k":"a","v":2,"d":false,"val":{"n":0}}
{"k":"a","v":3,"d":false,"val":{"n":1}}
{"k":7,"v":1,"d":false,"val":"seven"}
{"k":"gone","v":7,"d":true}
)";
  const Watchdog watchdog_{"a file of the Go library"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
  const std::string original_ = path_ + ".original";
};

TEST_F(GoFile, is_served_as_it_is_until_its_first_commit) {
  DaemonProcess daemon = DaemonProcess::serving({.store = path_});
  Store store = open_served(path_);
  expect_as_it_was(store);
  EXPECT_EQ(store.set("a", "2", expect_version(2)).error(), errc::version_mismatch);
  EXPECT_TRUE(store.erase("gone"));
  EXPECT_TRUE(store.submit(Batch().check("a", expect_version(3))).wait());
  expect_untouched();
  daemon.stop();
  expect_untouched();
  daemon = DaemonProcess::serving({.store = path_});
  expect_to_become_a_log(daemon);
}

TEST_F(GoFile, that_cannot_be_written_anew_is_served_on_and_the_next_commit_tries_again) {
  const std::string fresh = path_ + ".new";
  const std::vector<std::pair<std::string, std::string>> failures{
      {fresh, "pwrite64:error=ENOSPC:when=1"},
      {fresh, "fsync:error=EIO:when=1"},
      {original_, "link:error=EIO:when=1"},
      {directory_ / "", "fsync:error=EIO:when=1"},
      {fresh, "rename:error=EIO:when=1"}};
  for (const auto& [path, injection] : failures) {
    SCOPED_TRACE(injection + " at " + path);
    make(path_, kBytes);
    std::filesystem::remove(original_);
    DaemonProcess daemon =
        DaemonProcess::serving({.store = path_, .wrapper = failing_at(path, injection)});
    Store store = open_served(path_);
    const auto refused = store.set("a", "2");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), errc::store_full) << refused.error().text();
    EXPECT_NE(refused.error().system_error(), 0);
    expect_as_it_was(store);
    EXPECT_EQ(file_bytes(path_), kBytes);
    expect_to_become_a_log(daemon);
  }
}

TEST_F(GoFile, that_has_another_name_by_then_ends_writing_and_the_next_daemon_goes_on) {
  const std::vector<std::pair<std::string, std::string>> failures{
      {directory_ / "", "fsync:error=EIO:when=2"}, {path_, "pwrite64:error=ENOSPC:when=1"}};
  for (const auto& [path, injection] : failures) {
    SCOPED_TRACE(injection + " at " + path);
    make(path_, kBytes);
    std::filesystem::remove(original_);
    DaemonProcess daemon =
        DaemonProcess::serving({.store = path_, .wrapper = failing_at(path, injection)});
    Store store = open_served(path_, std::chrono::seconds(2));
    // Two in one batch: the second is not taken for one that may do without the first.
    daemon.signal(SIGSTOP);
    int status = 0;
    ASSERT_EQ(::waitpid(daemon.pid(), &status, WUNTRACED), daemon.pid());
    Pending first = store.submit(Batch().set("a", "2"));
    Pending second = store.submit(Batch().set("a", "3"));
    daemon.signal(SIGCONT);
    ASSERT_FALSE(first.wait());
    ASSERT_FALSE(second.wait());
    ASSERT_EQ(daemon.exit_code(), 74);
    expect_kept_beside();
    daemon = DaemonProcess::serving({.store = path_});
    expect_to_become_a_log(daemon);
  }
}

TEST_F(GoFile, says_on_disk_with_what_it_goes_on_before_its_first_commit_is_written) {
  const std::string trace = directory_ / "trace";
  std::vector<std::string> wrapper = SystemCallTrace::command(trace, "pwrite64,fdatasync");
  wrapper.insert(wrapper.begin() + 1, {"-D", "-E", "ASAN_OPTIONS=detect_leaks=0", "-P", path_});
  DaemonProcess daemon = DaemonProcess::serving({.store = path_, .wrapper = wrapper});
  need(open_served(path_).set("a", "2"), "set");
  daemon.stop();
  std::string order;
  const SystemCallTrace calls(trace);
  for (const SystemCall& call : calls.calls()) {
    if (!call.returned) continue;
    const bool start = call.arguments.find("start") != std::string::npos;
    order += call.name == "fdatasync" ? 's' : start ? 'S' : 'w';
  }
  // The file as it was read, the start line, the commit.
  EXPECT_EQ(order.substr(0, 5), "sSsws") << order;
}

TEST_F(GoFile, whose_rewrite_was_interrupted_is_as_it_was) {
  std::filesystem::create_hard_link(path_, original_);
  make(path_ + ".new", "half of it");
  DaemonProcess daemon = DaemonProcess::serving({.store = path_});
  EXPECT_FALSE(std::filesystem::exists(original_));
  EXPECT_NE(daemon.said().find("an interrupted rewrite was undone"), std::string::npos);
  expect_untouched();
  expect_to_become_a_log(daemon);
}

TEST_F(GoFile, is_never_kept_over_something_else) {
  make(original_, "somebody's");
  DaemonProcess daemon = DaemonProcess::serving({.store = path_});
  Store store = open_served(path_);
  const auto refused = store.set("a", "2");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().nothing_was_written());
  EXPECT_EQ(file_bytes(original_), "somebody's");
  expect_untouched();
  std::filesystem::remove(original_);
  expect_to_become_a_log(daemon);
}

}  // namespace
}  // namespace dfs::test
