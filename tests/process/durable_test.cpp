// Durable means durable: no commit is acknowledged before an fdatasync that covers its bytes.
//
// kill -9 keeps the page cache, so it cannot show a missing sync; the system calls do. Client and
// daemon run under one strace, and the trace is compared with the log.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/limits.hpp"
#include "common/log/line.hpp"
#include "common/log/lines.hpp"
#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/idle_mark.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/program.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/system_call_trace.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

/// Where each commit's bytes end in a log.
std::map<std::uint64_t, std::uint64_t> ends_of_commits(const std::string& bytes) {
  std::map<std::uint64_t, std::uint64_t> ends;
  log::Line line;
  for (log::Lines lines(bytes); !lines.at_end();) {
    lines.next();
    log::decode(lines.text(), line);
    if (line.kind == log::LineKind::record) ends[line.record.sequence] = lines.end_offset();
  }
  return ends;
}

/// How far a log is certainly on disk, as its daemon's system calls go by.
class SyncedExtent {
 public:
  explicit SyncedExtent(std::uint64_t begin) : written_(begin), synced_(begin) {}

  void see(const SystemCall& call) {
    if (call.name == "pwrite64" && call.returned && call.result > 0) {
      // pwrite64(FD, BYTES, COUNT, OFFSET): bytes may hold anything, so the offset from behind.
      const std::size_t comma = call.arguments.rfind(", ");
      std::uint64_t offset = 0;
      const char* text = call.arguments.data() + comma + 2;
      std::from_chars(text, call.arguments.data() + call.arguments.size(), offset);
      ASSERT_LE(offset, written_) << "a log is written without holes";
      written_ = std::max(written_, offset + static_cast<std::uint64_t>(call.result));
    }
    if (call.name == "fdatasync" || call.name == "fsync") {
      // What is written while it runs is not promised by it.
      if (call.entered) under_way_[call.thread] = written_;
      if (call.returned && call.result == 0) {
        synced_ = std::max(synced_, under_way_[call.thread]);
      }
    }
  }
  [[nodiscard]] std::uint64_t synced() const { return synced_; }

 private:
  std::uint64_t written_;
  std::uint64_t synced_;
  std::map<int, std::uint64_t> under_way_;
};

struct Outcome {
  int acknowledged = 0;  ///< as durable
  int too_early = 0;     ///< before an fdatasync that covers them
};

/// Runs `count` commits of one client under strace and compares.
Outcome trace_commits(const std::string& dfsd, int count, const std::vector<std::string>& more,
                      const std::map<std::string, std::string>& environment) {
  const TemporaryDirectory directory;
  const std::string store = directory / "users.db";
  // The log is there already: under its own name from the beginning.
  EXPECT_EQ(Program({SEQUENCE_WRITER, store, DFSD, "1"}).run(), 0);
  const std::uint64_t begin = file_bytes(store).size();

  std::vector<std::string> words =
      SystemCallTrace::command(directory / "trace", "pwrite64,fdatasync,fsync,write");
  words.insert(words.end(), {SEQUENCE_WRITER, store, dfsd, std::to_string(count)});
  words.insert(words.end(), more.begin(), more.end());
  Program writer(words);
  for (const auto& [name, value] : environment) writer.set(name, value);
  EXPECT_EQ(writer.run(), 0) << writer.output();

  const auto ends = ends_of_commits(file_bytes(store));
  SyncedExtent extent(begin);
  Outcome outcome;
  const SystemCallTrace trace(directory / "trace");
  for (const SystemCall& call : trace.calls()) {
    if (call.arguments.find("/users.db>") != std::string::npos) {
      extent.see(call);
      continue;
    }
    constexpr std::string_view kSays = "\"durable ";
    const std::size_t says = call.arguments.find(kSays);
    if (call.name != "write" || !call.entered || says == std::string::npos) continue;
    std::uint64_t sequence = 0;
    const char* text = call.arguments.data() + says + kSays.size();
    std::from_chars(text, call.arguments.data() + call.arguments.size(), sequence);
    ++outcome.acknowledged;
    const auto end = ends.find(sequence);
    if (end == ends.end()) {
      ADD_FAILURE() << "sequence " << sequence << " was acknowledged and is not in the log";
    } else if (end->second > extent.synced()) {
      ++outcome.too_early;
    }
  }
  return outcome;
}

std::uint64_t figure_of(const Store& store, const std::string& name) {
  const std::string info = need(Admin(store).info(), "info");
  const std::string member = "\"" + name + "\":";
  const auto at = info.find(member);
  return at == std::string::npos ? 0 : std::stoull(info.substr(at + member.size()));
}

TEST(Durable, each_acknowledgement_comes_after_a_sync_that_covers_its_bytes) {
  const Watchdog watchdog("a traced writer");
  const int count = scaled("commits", 1000, 100);
  const Outcome outcome = trace_commits(DFSD, count, {}, {});
  EXPECT_EQ(outcome.acknowledged, count);
  EXPECT_EQ(outcome.too_early, 0);
}

TEST(Durable, a_commit_may_ask_for_more_than_its_store_promises) {
  const Watchdog watchdog("a traced writer");
  const int count = scaled("commits", 200, 50);
  const Outcome outcome = trace_commits(DFSD, count, {"written"}, {});
  EXPECT_EQ(outcome.acknowledged, count / 2);
  EXPECT_EQ(outcome.too_early, 0);
}

TEST(Durable, a_commit_that_writes_nothing_may_ask_that_what_it_saw_is_on_disk) {
  const Watchdog watchdog("a store that syncs in the background");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  const DaemonProcess daemon = DaemonProcess::serving(
      {.store = path, .arguments = {"--durability", "written", "--sync-interval", "1h"}});
  Store store = need(Store::open(path), "open");
  for (int i = 0; i < 20; ++i) {
    const Committed seen = need(store.set("a", std::to_string(i)), "set");
    Batch looks;
    looks.check("a", expect_present);
    need(store.submit(looks, {.durability = Durability::durable}).wait(), "check");
    EXPECT_GE(figure_of(store, "durable_sequence"), seen.sequence);
  }
}

TEST(Durable, what_is_written_becomes_durable_by_itself_and_after_idleness_too) {
  const Watchdog watchdog("a store that syncs in the background");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  const DaemonProcess daemon = DaemonProcess::serving(
      {.store = path, .arguments = {"--durability", "written", "--sync-interval", "1ms"}});
  Store store = need(Store::open(path), "open");
  for (int round = 0; round < 3; ++round) {
    // Without a second's rest, behind which the writer syncs by itself; and long before it must,
    // since so many commits are unsynced.
    const std::uint64_t from = need(store.set("a", "0"), "set").sequence;
    std::uint64_t commits = 0;
    while (figure_of(store, "durable_sequence") < from && commits < 100'000) {
      for (int i = 0; i < 100; ++i, ++commits) {
        static_cast<void>(need(store.set("a", std::to_string(i)), "set"));
      }
    }
    EXPECT_GE(figure_of(store, "durable_sequence"), from) << "nobody asked for a sync";
    // Idle from here on, until the next round's first commit.
    const std::uint64_t last = store.snapshot().sequence();
    while (figure_of(store, "durable_sequence") < last) ::sched_yield();
  }
}

TEST(Durable, no_more_commits_are_unsynced_than_a_successor_skips) {
  const Watchdog watchdog("a store that syncs in the background");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  const DaemonProcess daemon = DaemonProcess::serving(
      {.store = path, .arguments = {"--durability", "written", "--sync-interval", "1h"}});
  Store store = need(Store::open(path), "open");
  std::deque<Pending> flying;
  for (std::uint64_t i = 0; i < kMaxUnsyncedCommits + 10'000; ++i) {
    flying.push_back(store.submit(Batch().set("a", "1")));
    if (flying.size() < 1'000) continue;
    static_cast<void>(need(flying.front().wait(), "set"));
    flying.pop_front();
  }
  for (Pending& one : flying) static_cast<void>(need(one.wait(), "set"));
  const std::uint64_t last = store.snapshot().sequence();
  EXPECT_GE(figure_of(store, "durable_sequence") + kMaxUnsyncedCommits, last);
}

TEST(Durable, of_lines_by_hand_too_no_more_are_unsynced_than_a_successor_skips) {
  const Watchdog watchdog("many lines by hand", 300);
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  DaemonProcess::serving({.store = path}).stop();
  {
    std::ofstream log(path, std::ios::binary | std::ios::app);
    for (std::uint64_t i = 0; i < kMaxUnsyncedCommits + 10'000; ++i)
      log << R"({"k":"a","val":1})"
             "\n";
  }
  DaemonProcess daemon = DaemonProcess::serving(
      {.store = path, .arguments = {"--durability", "written", "--sync-interval", "1h"}});
  daemon.stop();
  // What each of them says was synced when it was written.
  std::uint64_t most = 0;
  log::Line line;
  const std::string bytes = file_bytes(path);
  for (log::Lines lines(bytes); !lines.at_end();) {
    lines.next();
    log::decode(lines.text(), line);
    if (line.kind != log::LineKind::record) continue;
    most = std::max(most, line.record.sequence - line.record.watermark.value());
  }
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, kMaxUnsyncedCommits);
}

TEST(Durable, what_a_mark_or_a_stop_line_says_to_be_synced_is_and_so_is_the_line) {
  const Watchdog watchdog("a traced daemon");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  std::vector<std::string> wrapper =
      SystemCallTrace::command(directory / "trace", "pwrite64,fdatasync,epoll_wait");
  wrapper.insert(wrapper.begin() + 1, {"-D", "-E", "ASAN_OPTIONS=detect_leaks=0"});
  DaemonProcess daemon =
      DaemonProcess::serving({.store = path,
                              .arguments = {"--durability", "written", "--sync-interval", "1h"},
                              .wrapper = wrapper});
  commit_one(path);
  wait_for_mark(path);
  commit_one(path);
  daemon.stop();
  std::string order;
  int waits = 0;
  const SystemCallTrace trace(directory / "trace");
  for (const SystemCall& call : trace.calls()) {
    if (call.name == "epoll_wait" && call.entered) ++waits;
    if (!call.returned || call.arguments.find("/users.db") == std::string::npos) continue;
    const auto writes = [&call](const char* kind) {
      return call.arguments.find(kind) != std::string::npos;
    };
    if (call.name == "fdatasync") order += 's';
    if (call.name == "pwrite64") order += writes("mark") ? 'M' : writes("stop") ? 'S' : 'w';
  }
  ASSERT_GE(order.size(), 8U);
  EXPECT_EQ(order.substr(order.size() - 8), "wsMswsSs") << order;
  EXPECT_LT(waits, 500) << "who has nothing to do sleeps";
}

// On ext4 no power cut shows this: what syncs the new log afterwards takes the rename along.
TEST(Durable, a_compaction_syncs_the_directory_before_anything_is_acknowledged_in_the_new_log) {
  const Watchdog watchdog("a traced compaction");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  {
    DaemonProcess daemon = DaemonProcess::serving(
        {.store = path,
         .wrapper = SystemCallTrace::command(
             directory / "trace", "pwrite64,fdatasync,fsync,rename,renameat,renameat2")});
    Store store = need(Store::open(path), "open");
    for (int i = 0; i < 3; ++i) {
      static_cast<void>(need(store.set("a", std::to_string(i)), "set"));
      need(Admin(store).compact(std::chrono::minutes(2)), "compact");
    }
    static_cast<void>(need(store.set("a", "\"end\""), "set"));
    need(Admin(store).stop(), "stop");
    daemon.wait();
  }
  int renames = 0;
  bool owed = false;
  const SystemCallTrace trace(directory / "trace");
  for (const SystemCall& call : trace.calls()) {
    if (call.name.starts_with("rename") && call.returned &&
        call.arguments.find("users.db.new") != std::string::npos) {
      EXPECT_EQ(call.result, 0);
      ++renames;
      owed = true;
    } else if (call.name == "fsync" && call.returned && call.result == 0 &&
               call.arguments.find("users.db") == std::string::npos) {
      owed = false;
    } else if (call.name == "pwrite64" && call.entered) {
      EXPECT_FALSE(owed) << "written to the new log before its name was on disk";
    }
  }
  EXPECT_EQ(renames, 3);
  EXPECT_FALSE(owed);
}

TEST(Durable, a_daemon_without_its_syncs_is_found_out) {
  const Watchdog watchdog("a traced writer");
  const int count = 50;
  const Outcome outcome = trace_commits(DFSD_FAULTS, count, {}, {{"DFS_FAULT", "no-sync"}});
  EXPECT_EQ(outcome.acknowledged, count);
  EXPECT_GT(outcome.too_early, count / 2);
  std::printf("without fdatasync: %d of %d acknowledged too early\n", outcome.too_early, count);
}

TEST(DurableWrites, of_what_was_never_synced_anything_may_be_missing_and_the_store_is_good) {
  const Watchdog watchdog("a power cut within an unsynced stretch");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  DaemonProcess daemon = DaemonProcess::serving(
      {.store = path, .arguments = {"--durability", "written", "--sync-interval", "1h"}});
  Options options;
  options.autostart = Autostart::never;
  {
    Store store = need(Store::open(path, options), "open");
    ASSERT_TRUE(store.sync(need(store.set("synced", "1"), "set").sequence));
    for (int i = 0; i < 10; ++i) need(store.set("key" + std::to_string(i), "1"), "set");
  }
  daemon.kill();

  // A page that the disk never had, between others that it had.
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto missing = bytes.find("key5");
  ASSERT_NE(missing, std::string::npos);
  file.seekp(static_cast<std::streamoff>(missing));
  file.write("\0\0\0\0", 4);
  file.close();

  daemon = DaemonProcess::serving({.store = path});
  const Store store = need(Store::open(path, options), "open");
  EXPECT_TRUE(store.get("synced"));
  EXPECT_TRUE(store.get("key4"));
  EXPECT_EQ(store.get("key5").error(), errc::absent);
  EXPECT_EQ(store.get("key9").error(), errc::absent) << "a prefix";
}

}  // namespace
}  // namespace dfs::test
