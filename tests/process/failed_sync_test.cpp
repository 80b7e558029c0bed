// A sync that failed: nothing is written or acknowledged any more, and what was before is there.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/failing_disk.hpp"
#include "tests/process/system_call_trace.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

/// Commits until an answer is none; how many were acknowledged.
std::size_t write_until_it_fails(Store& store, Told& told, const std::string& prefix = "key") {
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = prefix + std::to_string(i);
    const auto done = store.set(key, "1");
    if (!done) {
      EXPECT_NE(done.error(), errc::store_full);
      return told.accepted.size();
    }
    told.accepted.insert(key);
  }
  ADD_FAILURE() << "nothing failed";
  return 0;
}

/// One client for each of `told`, until nobody is answered.
void write_beside_each_other(const std::string& path, std::vector<Told>& told) {
  std::vector<Store> stores;  // all before the first of them writes
  for (std::size_t i = 0; i < told.size(); ++i) {
    stores.push_back(open_served(path, std::chrono::seconds(2)));
  }
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < told.size(); ++i) {
    clients.emplace_back([&, i] {
      static_cast<void>(write_until_it_fails(stores[i], told[i], std::to_string(i) + "/"));
    });
  }
  for (std::thread& client : clients) client.join();
}

/// Fails the test unless the last state of a dead daemon, and its feed, hold what was acknowledged
/// and nothing besides.
void expect_seen(const Store& reader, Watch& watch, const std::vector<Told>& told) {
  std::set<std::string> accepted;
  for (const Told& one : told) accepted.insert(one.accepted.begin(), one.accepted.end());
  const Snapshot snapshot = reader.snapshot();
  EXPECT_TRUE(snapshot.stale());
  std::set<std::string> seen;
  for (const Entry& entry : snapshot.all()) seen.emplace(entry.key);
  EXPECT_EQ(seen, accepted);
  std::set<std::string> followed;
  auto change = watch.next(std::chrono::milliseconds(0));
  for (; change; change = watch.next(std::chrono::milliseconds(0))) {
    followed.emplace(change->key);
    EXPECT_LE(change->sequence, snapshot.sequence());
  }
  EXPECT_EQ(change.error(), errc::daemon_gone);
  EXPECT_EQ(followed, accepted);
}

TEST(FailedSync, ends_all_writing_with_exit_74_and_the_restart_reads_the_disk) {
  const Watchdog watchdog("a failed sync");
  for (const int when : {2, 3, 10}) {
    const TemporaryDirectory directory;
    const std::string path = directory / "users.db";
    // Counted for each thread: the main one syncs what it opens, once where the log is new.
    DaemonProcess daemon = DaemonProcess::serving(
        {.store = path,
         .wrapper = failing("fdatasync:error=EIO:when=" + std::to_string(when) + "+")});
    Store store = open_served(path, std::chrono::seconds(2));
    Told told;
    EXPECT_EQ(write_until_it_fails(store, told), static_cast<std::size_t>(when - 1));
    EXPECT_EQ(daemon.exit_code(), 74);
    EXPECT_NE(daemon.said().find("writing stopped"), std::string::npos) << daemon.said();

    // What the restart reads comes from the disk: synced, dropped from the cache, then read.
    const std::string trace = directory / "trace";
    DaemonProcess next = DaemonProcess::serving(
        {.store = path,
         .wrapper = {"strace", "-D", "-E", "ASAN_OPTIONS=detect_leaks=0", "-f", "-y", "-qq", "-o",
                     trace, "-e", "signal=none", "-e",
                     "trace=fdatasync,fadvise64,pread64,read,mmap,pwrite64"}});
    expect_all_readable(store, told);
    next.stop();
    std::string order;
    const SystemCallTrace calls(trace);
    for (const SystemCall& call : calls.calls()) {
      if (!call.entered || call.arguments.find("/users.db>") == std::string::npos) continue;
      if (call.name == "fdatasync") order += 's';
      if (call.name == "fadvise64") order += 'd';
      if (call.name == "pread64" || call.name == "read") order += 'r';
      if (call.name == "pwrite64") order += 'w';
    }
    EXPECT_EQ(order.substr(0, 3), "sdr") << order;
  }
}

TEST(FailedSync, ends_all_writing_where_it_cannot_be_begun_too) {
  const Watchdog watchdog("a sync that cannot be begun");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  DaemonProcess daemon = DaemonProcess::serving(
      {.store = path, .wrapper = failing("sync_file_range:error=EIO:when=3+")});
  // Several, since a sync is begun early only where somebody is to be woken beside it.
  std::vector<Told> told(4);
  write_beside_each_other(path, told);
  EXPECT_EQ(daemon.exit_code(), 74);
  EXPECT_NE(daemon.said().find("writing stopped"), std::string::npos) << daemon.said();
  const DaemonProcess next = DaemonProcess::serving({.store = path});
  const Store store = open_served(path);
  for (const Told& one : told) expect_all_readable(store, one);
}

TEST(FailedSync, was_to_make_durable_what_nobody_has_seen) {
  const Watchdog watchdog("a failed sync");
  for (const std::size_t writers : {1U, 4U}) {
    for (const std::string call : {"fdatasync", "sync_file_range"}) {
      if (writers == 1 && call == "sync_file_range") continue;  // it is made beside others only
      for (const int when : {2, 9}) {
        const TemporaryDirectory directory;
        const std::string path = directory / "users.db";
        DaemonProcess daemon = DaemonProcess::serving(
            {.store = path,
             .wrapper = failing(call + ":error=EIO:when=" + std::to_string(when) + "+")});
        const Store reader = open_served(path, std::chrono::seconds(2));
        Watch watch = need(reader.watch(), "watch");
        std::vector<Told> told(writers);
        write_beside_each_other(path, told);
        EXPECT_EQ(daemon.exit_code(), 74);
        expect_seen(reader, watch, told);
      }
    }
  }
}

TEST(FailedSync, in_the_background_ends_acknowledgements_though_writers_never_pause) {
  const Watchdog watchdog("a failed background sync under writers");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  DaemonProcess daemon =
      DaemonProcess::serving({.store = path,
                              .arguments = {"--durability", "written", "--sync-interval", "20ms"},
                              .wrapper = failing("fdatasync:error=EIO:when=2+")});
  Store store = open_served(path, std::chrono::seconds(2));
  Told told;
  write_until_it_fails(store, told);
  EXPECT_EQ(daemon.exit_code(), 74);
}

TEST(FailedSync, cannot_pass_the_syncer_by_where_a_failed_append_is_cut_back) {
  const Watchdog watchdog("a failed append");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  const DaemonProcess daemon = DaemonProcess::serving(
      {.store = path, .arguments = {"--durability", "written", "--sync-interval", "1h"}});
  Store store = open_served(path);
  const auto syncs = [&store] {
    const std::string info = need(Admin(store).info(), "info");
    const std::string name = "\"syncs\":";
    return std::stoull(info.substr(info.find(name) + name.size()));
  };
  need(store.set("first", "1"), "set");
  // Behind the mark nothing is synced by itself any more.
  while (syncs() < 2) ::sched_yield();
  const auto before = syncs();
  // There is room for a start line, and for a part of a commit that it had room for when it came.
  ::rlimit limit{};
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
  limit.rlim_cur = std::filesystem::file_size(path) + 4096;
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  const auto refused = store.set("second", '"' + std::string(10'000, 'v') + '"');
  EXPECT_EQ(refused.error(), errc::store_full);
  EXPECT_EQ(syncs(), before + 2) << "of the cut, and of the line that skips its sequence";
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  need(store.set("third", "1"), "set");
}

TEST(FailedSync, in_the_background_loses_a_stretch_that_is_never_taken_for_another) {
  const Watchdog watchdog("a failed background sync");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  Options options;
  options.autostart = Autostart::never;
  options.timeout = std::chrono::minutes(1);
  options.wait_for_daemon = std::chrono::minutes(1);
  DaemonProcess daemon =
      DaemonProcess::serving({.store = path,
                              .arguments = {"--durability", "written", "--sync-interval", "20ms"},
                              .wrapper = failing("fdatasync:error=EIO:when=2+")});
  Store store = need(Store::open(path, options), "open");
  const Store asks = open_served(path, std::chrono::seconds(2));
  // The first sync of the background thread succeeds, its second does not.
  const Committed kept = need(store.set("kept", "1"), "set");
  ASSERT_TRUE(store.sync(kept.sequence));
  const std::uint64_t durable_bytes = std::filesystem::file_size(path);
  const Committed lost = need(store.set("lost", "1"), "set");
  Transaction reads_lost = store.begin();
  ASSERT_TRUE(reads_lost.get("lost"));
  Transaction at_the_lost = store.begin();
  ASSERT_TRUE(at_the_lost.get("kept"));
  const Snapshot snapshot = store.snapshot();
  EXPECT_FALSE(asks.sync(lost.sequence)) << "it is on no disk";
  EXPECT_EQ(daemon.exit_code(), 74);

  // Of an unsynced stretch the disk may have nothing; the cache, which a test cannot lose, has it.
  std::filesystem::resize_file(path, durable_bytes);
  DaemonProcess next = DaemonProcess::serving({.store = path});
  EXPECT_EQ(store.get("lost").error(), errc::absent);
  EXPECT_TRUE(store.get("kept"));
  EXPECT_TRUE(snapshot.get("lost")) << "a snapshot that is held never changes";
  const auto conflict = reads_lost.set("other", "1").commit();
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error(), errc::transaction_conflict) << conflict.error().text();
  const std::string lost_id = Position(snapshot.position().store(), lost.sequence).text();
  EXPECT_EQ(need(store.resolve(lost_id), "resolve"), Resolution::not_committed);
  const Committed after = need(store.set("after", "1"), "set");
  EXPECT_GT(after.sequence, lost.sequence + 1);
  EXPECT_TRUE(store.sync(after.sequence));
  const auto never = store.sync(lost.sequence);
  ASSERT_FALSE(never) << "what is behind it is on disk, and it is not";
  EXPECT_EQ(never.error(), errc::compacted) << never.error().text();
  // What it read is as it was, but its snapshot is of a history that never happened.
  const auto late = at_the_lost.set("other", "2").commit();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::transaction_conflict) << late.error().text();
  // The key's version begins anew: nothing durable ever had it.
  EXPECT_EQ(need(store.set("lost", "2", expect_absent), "set").version, 1U);
}

}  // namespace
}  // namespace dfs::test
