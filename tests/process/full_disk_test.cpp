// A disk that is full, too small or failing: what cannot be written is refused or stops all
// writing, and nothing that was refused is ever seen again.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/os/proc.hpp"
#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/failing_disk.hpp"
#include "tests/process/loop_file_system.hpp"
#include "tests/process/system_call_trace.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

TEST(FullDisk, commits_are_refused_reads_go_on_and_writing_resumes_with_room) {
  if (!LoopFileSystem::permitted()) GTEST_SKIP() << "a full file system needs root, for its mount";
  const Watchdog watchdog("a full disk");
  LoopFileSystem disk(std::uint64_t{8} << 20);
  const std::string path = disk / "users.db";
  Told told;
  {
    DaemonProcess daemon = DaemonProcess::serving({.store = path});
    Store store = open_served(path);
    write_until(store, told, 200, [&] { return told.accepted.size() >= 20; });
    for (int round = 0; round < 3; ++round) {
      disk.fill();
      const std::size_t before = told.refused.size();
      // Large and small: what no longer fits is cut back each time.
      write_until(store, told, 300'000, [&] { return told.refused.size() >= before + 5; });
      write_until(store, told, 10'000, [&] { return told.refused.size() >= before + 10; });
      expect_all_readable(store, told);
      disk.make_room();
      const std::size_t accepted = told.accepted.size();
      write_until(store, told, 300, [&] { return told.accepted.size() >= accepted + 10; });
    }
    disk.fill();
    const std::size_t before = told.refused.size();
    write_until(store, told, 100'000, [&] { return told.refused.size() >= before + 3; });
    expect_all_readable(store, told);
    // The power goes right after the last refusal: it stays refused.
    disk.cut_power();
  }
  disk.unmount();
  disk.mount();
  disk.make_room();
  DaemonProcess daemon = DaemonProcess::serving({.store = path});
  Store store = open_served(path);
  expect_all_readable(store, told);
  const std::size_t accepted = told.accepted.size();
  write_until(store, told, 100, [&] { return told.accepted.size() >= accepted + 3; });
  daemon.stop();
  told.expect_in(path);
  std::printf("%zu accepted, %zu refused\n", told.accepted.size(), told.refused.size());
}

TEST(FullDisk, a_limit_of_file_size_is_a_refusal_and_no_signal) {
  const Watchdog watchdog("a limit of file size");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  DaemonProcess daemon = DaemonProcess::serving({.store = path});
  Store store = open_served(path);
  Told told;
  write_until(store, told, 5000, [&] { return told.accepted.size() >= 5; });
  const ::rlim_t limit = std::filesystem::file_size(path) + 8000;
  const ::rlimit less{limit, RLIM_INFINITY};
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &less, nullptr), 0);
  write_until(store, told, 5000, [&] { return told.refused.size() >= 5; });
  EXPECT_LE(std::filesystem::file_size(path), limit);
  expect_all_readable(store, told);
  // Something smaller still fits.
  const std::size_t small = told.accepted.size();
  write_until(store, told, 10, [&] { return told.accepted.size() >= small + 2; });

  const ::rlimit more{RLIM_INFINITY, RLIM_INFINITY};
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &more, nullptr), 0);
  const std::size_t accepted = told.accepted.size();
  write_until(store, told, 5000, [&] { return told.accepted.size() >= accepted + 10; });
  daemon.stop();
  told.expect_in(path);
}

TEST(FullDisk, a_batch_whose_append_fails_is_refused_whole_and_its_sequences_are_burnt) {
  const Watchdog watchdog("a failing append");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  // A batch is one pwrite of the writer's thread; the fourth, the seventh... of them fails.
  DaemonProcess daemon =
      DaemonProcess::serving({.store = path, .wrapper = failing("pwrite64:error=ENOSPC:when=4+3")});
  Store store = open_served(path);
  Told told;
  std::set<std::uint64_t> sequences;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> keys;
    std::vector<Pending> pending;
    for (int i = 0; i < 100; ++i) {
      keys.push_back("key" + std::to_string(round) + "." + std::to_string(i));
      pending.push_back(store.submit(Batch().set(keys.back(), "1").set("count", "2")));
    }
    for (std::size_t i = 0; i < pending.size(); ++i) {
      const auto done = pending[i].wait();
      if (done) {
        told.accepted.insert(keys[i]);
        EXPECT_TRUE(sequences.insert(done->sequence).second) << "given twice: " << done->sequence;
      } else {
        EXPECT_EQ(done.error(), errc::store_full) << done.error().text();
        told.refused.insert(keys[i]);
      }
    }
  }
  expect_all_readable(store, told);
  EXPECT_GT(told.accepted.size(), 0U);
  EXPECT_GT(told.refused.size(), 0U);
  // Whoever holds the id of a commit that was refused is told so.
  const auto id = store.snapshot().position().store();
  for (std::uint64_t sequence = *sequences.begin(); sequence <= *sequences.rbegin(); ++sequence) {
    const Resolution fate = need(store.resolve(Position(id, sequence).text()), "resolve");
    EXPECT_EQ(fate == Resolution::committed, sequences.contains(sequence)) << sequence;
  }
  daemon.stop();
  told.accepted.insert("count");
  told.expect_in(path);
  std::printf("%zu accepted, %zu refused\n", told.accepted.size() - 1, told.refused.size());
}

TEST(FullDisk, what_was_refused_for_what_a_refused_batch_would_have_made_is_refused_with_it) {
  const Watchdog watchdog("a failing append");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  const DaemonProcess daemon = DaemonProcess::serving({.store = path});
  Store store = open_served(path);
  EXPECT_EQ(need(store.set("k", "1"), "set").version, 1U);
  Transaction reads = store.begin();
  EXPECT_TRUE(reads.get("k"));
  // There is room for a start line, and for a part of a commit that it had room for when it came.
  ::rlimit limit{};
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
  limit.rlim_cur = std::filesystem::file_size(path) + 4096;
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  // One batch: they are all there before the daemon looks.
  daemon.signal(SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(daemon.pid(), &status, WUNTRACED), daemon.pid());
  Pending refused = store.submit(Batch().set("k", '"' + std::string(10'000, 'v') + '"'));
  Pending mismatch = store.submit(Batch().set("k", "2", expect_version(1)));
  Pending wrong = store.submit(Batch().check("never", expect_present).set("k", "not JSON"));
  daemon.signal(SIGCONT);
  EXPECT_EQ(refused.wait().error(), errc::store_full);
  EXPECT_EQ(mismatch.wait().error(), errc::store_full) << "version 2 never was";
  EXPECT_EQ(wrong.wait().error(), errc::bad_value) << "and that is wrong whatever the disk says";
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  EXPECT_TRUE(reads.set("other", "1").commit()) << "nothing has changed";
  EXPECT_EQ(need(store.set("k", "2", expect_version(1)), "set").version, 2U);
}

TEST(FullDisk, a_refused_batch_is_cut_off_and_skipped_on_disk_before_the_next_is_written) {
  const Watchdog watchdog("a failing append");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  {
    DaemonProcess daemon = DaemonProcess::serving(
        {.store = path, .wrapper = failing("pwrite64:error=ENOSPC:when=4+3", directory / "trace")});
    Store store = open_served(path);
    int refused = 0;
    for (int i = 0; i < 40; ++i) refused += store.set("a", std::to_string(i)) ? 0 : 1;
    EXPECT_GT(refused, 3);
    daemon.stop();
  }
  // What each failed append is followed by, up to the next batch. A new log has the name under
  // which it was opened.
  constexpr std::array<std::string_view, 4> kSteps{"ftruncate", "fdatasync", "pwrite64",
                                                   "fdatasync"};
  std::size_t step = kSteps.size();
  int failures = 0;
  const SystemCallTrace trace(directory / "trace");
  for (const SystemCall& call : trace.calls()) {
    if (call.arguments.find("/users.db.new>") == std::string::npos) continue;
    if (call.name == "pwrite64" && call.arguments.find("(INJECTED)") != std::string::npos) {
      EXPECT_EQ(step, kSteps.size()) << "a batch before the refused one was done with";
      step = 0;
      ++failures;
    } else if (call.returned && step < kSteps.size()) {
      EXPECT_EQ(call.name, kSteps.at(step)) << "step " << step;
      ++step;
    }
  }
  EXPECT_GT(failures, 3);
  EXPECT_EQ(step, kSteps.size());
}

TEST(FullDisk, is_kept_from_filling_by_compacting_while_a_copy_fits) {
  if (!LoopFileSystem::permitted()) GTEST_SKIP() << "needs root, to mount a file system";
  const Watchdog watchdog("a small disk and many updates");
  const LoopFileSystem disk(std::uint64_t{48} << 20U);
  const std::string path = disk / "users.db";
  // As much garbage as the setting wants never fits this disk.
  DaemonProcess daemon = DaemonProcess::serving(
      {.store = path, .arguments = {"--compaction-interval", "2ms", "--feed-retention", "0s"}});
  Store store = open_served(path);
  const std::string value = '"' + std::string(std::size_t{50} << 10U, 'v') + '"';
  constexpr int kUpdates = 4000;  // four times the disk
  for (int i = 0; i < kUpdates; ++i) {
    const auto done = store.set("key" + std::to_string(i % 20), value);
    ASSERT_TRUE(done) << "update " << i << ": " << done.error().text();
  }
  daemon.stop();
  EXPECT_LT(std::filesystem::file_size(path), std::uint64_t{48} << 20U);
}

TEST(StuckDisk, a_writer_that_a_disk_holds_up_is_named_with_its_call) {
  if (!LoopFileSystem::permitted()) GTEST_SKIP() << "needs root, to mount a file system";
  const Watchdog watchdog("a frozen file system");
  const LoopFileSystem disk(std::uint64_t{16} << 20U);
  const std::string path = disk / "users.db";
  DaemonProcess daemon = DaemonProcess::serving({.store = path});
  Store store = open_served(path);
  ASSERT_TRUE(store.set("a", "1"));
  EXPECT_EQ(os::state_of_process(daemon.pid()), "running");
  const int folder = ::open(os::directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(::ioctl(folder, FIFREEZE, 0), 0);
  Pending pending = store.submit(Batch().set("a", "2"));
  std::string state;
  while ((state = os::state_of_process(daemon.pid())) == "running") {
    std::this_thread::yield();
  }
  const auto info = Admin(store).info();
  ASSERT_EQ(::ioctl(folder, FITHAW, 0), 0);
  ::close(folder);
  EXPECT_TRUE(state.starts_with("waiting for a disk (dfs-writer in ")) << state;
  EXPECT_EQ(state.find("system call"), std::string::npos) << "a call without its name: " << state;
  ASSERT_TRUE(info) << "the daemon answers meanwhile";
  EXPECT_NE(info->find(R"("writer":{"doing":"in_kernel")"), std::string::npos) << *info;
  EXPECT_TRUE(pending.wait());
  daemon.stop();
}

}  // namespace
}  // namespace dfs::test
