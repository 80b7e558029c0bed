// An append that fails, of a line of the daemon's own or for another reason than a full disk: what
// it left is cut off, and the log goes on.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/failing_disk.hpp"
#include "tests/process/idle_mark.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

class FailingAppend : public ::testing::Test {
 protected:
  [[nodiscard]] std::uint64_t bytes() const { return std::filesystem::file_size(path_); }
  /// The log of `daemon` has no room beyond so many bytes.
  static void limit(const DaemonProcess& daemon, std::uint64_t bytes) {
    ::rlimit limit{};
    ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
    limit.rlim_cur = bytes;
    ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  }

  const Watchdog watchdog_{"a failing append"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
};

// Less than any line has.
constexpr std::uint64_t kPartOfALine = 10;

TEST_F(FailingAppend, of_a_mark_is_cut_off_and_the_log_goes_on_without_it) {
  DaemonProcess daemon = DaemonProcess::serving({.store = path_});
  Store store = open_served(path_);
  const std::uint64_t before = bytes();
  need(store.set("k", "1"), "set");
  wait_for_mark(path_);
  need(store.erase("never"), "erase");  // behind the sync of the mark
  // The next commit has as many bytes as the first, and behind it nothing has room.
  const std::string first = file_bytes(path_).substr(before);
  const std::uint64_t end = bytes() + first.find('\n') + 1;
  limit(daemon, end + kPartOfALine);
  const std::uint64_t synced = figure_of(store, "syncs");
  need(store.set("k", "2"), "set");
  // Its own sync, the one before the mark; then the mark is tried, before anything else is done.
  while (figure_of(store, "syncs") < synced + 2) std::this_thread::yield();
  need(store.erase("never"), "erase");
  EXPECT_EQ(bytes(), end);
  limit(daemon, RLIM_INFINITY);
  need(store.set("k", "3"), "set");
  daemon.stop();
  EXPECT_EQ(LogContents::at(path_).recovery().kind, log::RecoveryKind::whole);
}

TEST_F(FailingAppend, of_a_stop_line_is_cut_off_and_leaves_a_good_log) {
  DaemonProcess daemon = DaemonProcess::serving({.store = path_});
  need(open_served(path_).set("k", "1"), "set");
  wait_for_mark(path_);
  const std::uint64_t end = bytes();
  limit(daemon, end + kPartOfALine);
  daemon.stop();
  EXPECT_EQ(bytes(), end);
  EXPECT_EQ(LogContents::at(path_).recovery().kind, log::RecoveryKind::whole);
  daemon = DaemonProcess::serving({.store = path_});
  Store store = open_served(path_);
  EXPECT_EQ(need(store.get("k"), "get").value, "1");
  EXPECT_GT(need(store.set("k", "2"), "set").sequence, 2U) << "a stop that nobody can see is none";
}

TEST_F(FailingAppend, is_told_with_its_reason_and_the_next_one_is_tried) {
  const struct {
    const char* name;
    int number;
    errc code;
  } reasons[] = {{"EDQUOT", EDQUOT, errc::store_full},
                 {"EFBIG", EFBIG, errc::store_full},
                 {"EIO", EIO, errc::system}};
  for (const auto& reason : reasons) {
    SCOPED_TRACE(reason.name);
    const TemporaryDirectory directory;
    const std::string path = directory / "users.db";
    DaemonProcess::serving({.store = path}).stop();
    // Main's first is its start line. The writer's second, sixth...: a commit, if not a mark;
    // behind it come a start line, perhaps a mark, and a commit.
    DaemonProcess daemon = DaemonProcess::serving(
        {.store = path,
         .arguments = {"--durability", "written", "--sync-interval", "1h"},
         .wrapper = failing_at(path, std::string("pwrite64:error=") + reason.name + ":when=2+4")});
    Store store = open_served(path);
    Committed last;
    Result<Committed> refused = errc::system;
    while ((refused = store.set("k", "1"))) last = *refused;
    EXPECT_EQ(refused.error(), reason.code) << refused.error().text();
    EXPECT_EQ(refused.error().system_error(), reason.number);
    EXPECT_TRUE(refused.error().nothing_was_written());
    // What the refused one had been given is on disk nowhere, and durable for nobody.
    Batch looks;
    looks.check("k", expect_version(last.version));
    need(store.submit(looks, {.durability = Durability::durable}).wait(), "check");
    EXPECT_EQ(figure_of(store, "durable_sequence"), last.sequence);
    EXPECT_FALSE(store.sync(last.sequence + 1));
    const Committed next = need(store.set("k", "2", expect_version(last.version)), "set");
    EXPECT_EQ(next.version, last.version + 1);
    EXPECT_EQ(next.sequence, last.sequence + 2);
    daemon.stop();
    EXPECT_EQ(LogContents::at(path).recovery().kind, log::RecoveryKind::whole);
  }
}

}  // namespace
}  // namespace dfs::test
