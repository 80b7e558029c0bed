// A compaction that a disk fails: until the new log has the name everything is as it was and it is
// tried again, and from then on it is as with any sync that failed.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/failing_disk.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr int kKeys = 50;

/// A call that fails once, and at which file.
struct Failure {
  std::string path;
  std::string injection;
};

class FailingCompaction : public ::testing::Test {
 protected:
  /// A store in which each key has a past, and one was erased; as a stopped daemon left it.
  FailingCompaction() {
    DaemonProcess daemon = DaemonProcess::serving({.store = path_, .arguments = kOptions});
    Store store = open_served(path_);
    for (int i = 0; i < 3 * kKeys; ++i) {
      need(store.set("k" + std::to_string(i % kKeys), std::to_string(i)), "set");
    }
    need(store.erase("k0"), "erase");
    daemon.stop();
    std::filesystem::copy_file(path_, kept_);
  }
  [[nodiscard]] DaemonProcess serve_failing(const Failure& failure) const {
    std::filesystem::copy_file(kept_, path_, std::filesystem::copy_options::overwrite_existing);
    return DaemonProcess::serving({.store = path_,
                                   .arguments = kOptions,
                                   .wrapper = failing_at(failure.path, failure.injection)});
  }
  static void expect_all(const Store& store) {
    EXPECT_EQ(store.get("k0").error(), errc::absent);
    for (int i = 1; i < kKeys; ++i) {
      const Value value = need(store.get("k" + std::to_string(i)), "get");
      EXPECT_EQ(value.value, std::to_string(2 * kKeys + i));
      EXPECT_EQ(value.version, 3U);
    }
  }

  const std::vector<std::string> kOptions{"--feed-retention", "0s"};
  const Watchdog watchdog_{"a failing compaction"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
  const std::string fresh_ = path_ + ".new";
  const std::string kept_ = directory_ / "kept";
};

TEST_F(FailingCompaction, leaves_everything_as_it_was_and_the_next_one_comes_through) {
  for (const Failure& failure :
       {Failure{fresh_, "pwrite64:error=ENOSPC:when=1"},
        Failure{fresh_, "sync_file_range:error=EIO:when=1"},
        Failure{fresh_, "fdatasync:error=EIO:when=1"},
        Failure{fresh_, "fdatasync:error=EIO:when=2"}, Failure{fresh_, "fsync:error=EIO:when=1"}}) {
    SCOPED_TRACE(failure.injection);
    DaemonProcess daemon = serve_failing(failure);
    Store store = open_served(path_);
    const auto failed = Admin(store).compact(std::chrono::minutes(2));
    ASSERT_FALSE(failed);
    EXPECT_FALSE(std::filesystem::exists(fresh_));
    EXPECT_EQ(generation_of(store), 1U);
    EXPECT_EQ(figure_of(store, "failures"), 1U);
    expect_all(store);
    need(store.set("behind", "1"), "set");
    const auto before = std::filesystem::file_size(path_);
    need(Admin(store).compact(std::chrono::minutes(2)), "compact");
    EXPECT_LT(std::filesystem::file_size(path_), before);
    EXPECT_EQ(generation_of(store), 2U);
    expect_all(store);
    EXPECT_EQ(need(store.set("k0", "1"), "set").version, 5U) << "it had four";
    daemon.stop();
    EXPECT_EQ(LogContents::at(path_).recovery().kind, log::RecoveryKind::whole);
    EXPECT_EQ(LogContents::at(path_).recovery().base_records, static_cast<unsigned>(kKeys));
  }
}

TEST_F(FailingCompaction, whose_log_has_the_name_or_may_have_it_ends_all_writing) {
  for (const Failure& failure :
       {Failure{fresh_, "rename:error=EIO:when=1"},
        // The compactor syncs no directory; of the writer's syncs it is the first.
        Failure{directory_ / "", "fsync:error=EIO:when=1"}}) {
    SCOPED_TRACE(failure.injection);
    DaemonProcess daemon = serve_failing(failure);
    {
      Store store = open_served(path_, std::chrono::seconds(2));
      ASSERT_FALSE(Admin(store).compact(std::chrono::minutes(2)));
    }
    ASSERT_EQ(daemon.exit_code(), 74);
    daemon = DaemonProcess::serving({.store = path_, .arguments = kOptions});
    EXPECT_FALSE(std::filesystem::exists(fresh_));
    Store store = open_served(path_);
    expect_all(store);
    EXPECT_EQ(need(store.set("k0", "1"), "set").version, 5U);
    daemon.stop();
  }
}

}  // namespace
}  // namespace dfs::test
