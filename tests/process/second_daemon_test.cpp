// One store, one daemon: a second is refused. And what is left of a daemon opens again: a copy of a
// log that is being written, and a log whose recovery was killed at each of its steps.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/tagged_log.hpp"
#include "tests/process/tagged_writer.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

// As dfsctl ends for no_daemon.
constexpr int kRefused = 4;

Store open_served(const std::string& path) {
  Options options;
  options.autostart = Autostart::never;
  options.timeout = std::chrono::seconds(60);
  return need(Store::open(path, options), "open");
}

void append_to(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file << bytes;
}

TEST(second_daemon, is_refused_with_the_pid_of_the_first) {
  const Watchdog watchdog("a second daemon");
  const TemporaryDirectory directory;
  const std::string path = directory / "one.db";
  DaemonProcess first = DaemonProcess::serving({.store = path});
  const std::string pid = "pid " + std::to_string(first.pid()) + " ";

  DaemonProcess second({.store = path});
  const std::string words = second.ready();
  EXPECT_TRUE(words.starts_with("error no_daemon ")) << words;
  EXPECT_NE(words.find(pid), std::string::npos) << words;
  EXPECT_EQ(second.exit_code(), kRefused);

  // Elsewhere to meet makes it no other store; nor does another way to the same file.
  DaemonProcess elsewhere({.store = path, .arguments = {"--socket", directory / "other"}});
  EXPECT_NE(elsewhere.ready(), "ok\n");
  EXPECT_EQ(elsewhere.exit_code(), kRefused);
  std::filesystem::create_symlink("one.db", directory / "link.db");
  DaemonProcess by_link({.store = directory / "link.db"});
  EXPECT_NE(by_link.ready().find(pid), std::string::npos);
  EXPECT_EQ(by_link.exit_code(), kRefused);

  // The first serves on, and the store can still be reached.
  EXPECT_TRUE(open_served(path).set("a", "1"));
  first.stop();
  DaemonProcess next = DaemonProcess::serving({.store = path});
  EXPECT_EQ(open_served(path).get("a").value().value, "1");
  next.stop();
}

TEST(second_daemon, is_refused_when_the_lock_file_was_taken_away) {
  const Watchdog watchdog("a second daemon");
  const TemporaryDirectory directory;
  const std::string path = directory / "one.db";
  DaemonProcess first = DaemonProcess::serving({.store = path});
  std::filesystem::remove(path + ".lock");
  DaemonProcess second({.store = path});
  EXPECT_TRUE(second.ready().starts_with("error no_daemon "));  // the log itself is locked too
  EXPECT_EQ(second.exit_code(), kRefused);
  EXPECT_TRUE(open_served(path).set("a", "1"));
  first.stop();
}

TEST(second_daemon, of_many_that_start_at_once_one_serves) {
  const Watchdog watchdog("daemons at once");
  for (int round = 0; round < scaled("rounds", 20, 3); ++round) {
    const TemporaryDirectory directory;
    const std::string path = directory / "one.db";
    std::vector<DaemonProcess> daemons;
    for (int i = 0; i < 6; ++i) daemons.emplace_back(DaemonSettings{.store = path});
    int serving = 0;
    for (DaemonProcess& daemon : daemons) {
      if (daemon.ready() == "ok\n") {
        ++serving;
        EXPECT_TRUE(open_served(path).set("a", "1"));
      } else {
        EXPECT_EQ(daemon.exit_code(), kRefused);
      }
    }
    EXPECT_EQ(serving, 1);
  }
}

TEST(live_copy, recovers_to_a_prefix) {
  const Watchdog watchdog("copies of a live log");
  const TemporaryDirectory directory;
  const std::string path = directory / "live.db";
  DaemonProcess daemon = DaemonProcess::serving({.store = path});
  const SharedMemory<TaggedBoard> board;
  board->ring_at = UINT64_MAX;
  const TaggedPipes pipes;
  std::vector<ClientProcess> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back("writer " + std::to_string(i), [&, i] {
      TaggedSettings settings;
      settings.path = path;
      settings.number = i;
      settings.depth = 2;
      settings.large_bytes = 40'000;
      TaggedWriter(settings, *board, pipes).run();
    });
  }
  static_cast<void>(pipes.first.receive());

  const int copies = scaled("copies", 60, 6);
  std::vector<std::string> paths;
  std::vector<std::uint64_t> acknowledged;  // before each copy was begun
  for (int i = 0; i < copies; ++i) {
    acknowledged.push_back(board->announced);
    paths.push_back(directory / ("copy-" + std::to_string(i) + ".db"));
    ASSERT_EQ(std::system(("cp " + path + " " + paths.back()).c_str()), 0);
  }
  board->stopping = true;
  for (ClientProcess& writer : writers) writer.expect_done();
  daemon.stop();

  const LogContents whole = LogContents::at(path);
  int cut = 0;
  for (int i = 0; i < copies; ++i) {
    const auto n = static_cast<std::size_t>(i);
    const LogContents copy = LogContents::at(paths[n]);
    ASSERT_TRUE(copy.recovery().usable()) << copy.recovery().reason;
    ASSERT_TRUE(whole.good().starts_with(copy.good()));
    ASSERT_GE(copy.recovery().last(), acknowledged[n]);
    static_cast<void>(TaggedLog(copy));  // nothing is half there
    if (copy.recovery().kind == log::RecoveryKind::cut) ++cut;
  }
  std::printf("%d copies, %d of them in the middle of a batch\n", copies, cut);

  // A daemon opens one as well: it is the same store as of then.
  const std::string chosen = paths.at(paths.size() / 2);
  const LogContents copy = LogContents::at(chosen);
  DaemonProcess other = DaemonProcess::serving({.store = chosen});
  const Store store = open_served(chosen);
  const Snapshot snapshot = store.snapshot();
  EXPECT_EQ(snapshot.sequence(), copy.recovery().last());
  for (const LogRecord& record : copy.commits().back().records) {
    EXPECT_EQ(snapshot.get(record.key).value().version, record.version);
  }
  other.stop();
}

/// A log of some commits whose daemon was killed, with the beginning of one more line behind it.
class TornLog {
 public:
  explicit TornLog(std::string path) : path_(std::move(path)) {
    DaemonProcess daemon = DaemonProcess::serving({.store = path_});
    Store store = open_served(path_);
    for (int i = 0; i < 20; ++i) {
      need(store.submit(Batch().set("a", std::to_string(i)).set("b", std::to_string(i))).wait(),
           "commit");
    }
    daemon.kill();
    good_ = file_bytes(path_);
    append_to(path_, kTail);
  }
  /// Starts a daemon that dies at that step.
  void die_at(const std::string& step) const {
    SCOPED_TRACE(step);
    DaemonProcess daemon({.program = DFSD_FAULTS, .store = path_, .fault = "kill@" + step + ":1"});
    EXPECT_TRUE(daemon.killed_itself()) << daemon.said();
  }
  /// A daemon serves all of it, the tail stands in one side file, and writing goes on.
  void expect_recovered() const {
    const std::string before = file_bytes(path_);
    DaemonProcess daemon = DaemonProcess::serving({.store = path_});
    {
      Store store = open_served(path_);
      const Snapshot snapshot = store.snapshot();
      EXPECT_EQ(snapshot.get("a").value().value, "19");
      EXPECT_EQ(snapshot.get("b").value().value, "19");
      EXPECT_EQ(snapshot.get("a").value().version, 20U);
      EXPECT_EQ(store.set("a", "20").value().version, 21U);
    }
    daemon.stop();
    const LogContents log = LogContents::at(path_);
    EXPECT_EQ(log.recovery().kind, log::RecoveryKind::whole) << log.recovery().reason;
    EXPECT_TRUE(log.good().starts_with(good_));
    EXPECT_EQ(log.commits().size(), 21U);
    log.expect_versions_rise_by_one();

    std::vector<std::string> aside;
    const std::filesystem::path file(path_);
    for (const auto& found : std::filesystem::directory_iterator(file.parent_path())) {
      if (found.path().string().starts_with(path_ + ".torn-")) aside.push_back(found.path());
    }
    ASSERT_EQ(aside.size(), 1U);
    EXPECT_EQ(file_bytes(aside.front()), kTail);
  }

 private:
  static constexpr std::string_view kTail = "{\"k\":\"a\",\"v\":21,\"d\":false,\"val\":\"to";
  const std::string path_;
  std::string good_;
};

TEST(recovery, killed_at_each_of_its_steps_it_can_be_repeated) {
  const Watchdog watchdog("killed recoveries");
  const std::vector<std::vector<std::string>> lives{
      {},
      {"kept_aside"},
      {"cut"},
      {"reread"},
      {"kept_aside", "kept_aside"},
      {"kept_aside", "cut", "reread"},
      {"cut", "reread", "reread"},
      {"kept_aside", "kept_aside", "cut", "reread"},
  };
  for (const auto& steps : lives) {
    const TemporaryDirectory directory;
    const TornLog log(directory / "torn.db");
    std::string names;
    for (const std::string& step : steps) {
      names += step + " ";
      log.die_at(step);
    }
    SCOPED_TRACE("died at: " + names);
    log.expect_recovered();
  }
}

TEST(recovery, a_sequence_that_a_dead_daemon_may_have_given_is_not_given_again) {
  const Watchdog watchdog("sequences");
  const TemporaryDirectory directory;
  const std::string path = directory / "gaps.db";
  std::uint64_t last = 0;
  for (const char* step : {"", "kept_aside", "cut", "reread", "prepared"}) {
    DaemonProcess daemon = DaemonProcess::serving({.store = path});
    {
      Store store = open_served(path);
      const std::uint64_t sequence = store.set("a", "1").value().sequence;
      EXPECT_GT(sequence, last);
      if (last != 0) {
        EXPECT_GE(sequence, last + (std::uint64_t{1} << 20U));
      }
      last = sequence;
    }
    daemon.kill();
    append_to(path, "{\"torn");
    if (*step == '\0') continue;
    DaemonProcess dying(
        {.program = DFSD_FAULTS, .store = path, .fault = "kill@" + std::string(step) + ":1"});
    if (dying.ready() == "ok\n") {
      Options options;
      options.autostart = Autostart::never;
      Store store = need(Store::open(path, options), "open");
      EXPECT_FALSE(store.set("a", "2"));
    }
    EXPECT_TRUE(dying.killed_itself());
  }
}

TEST(daemon, ends_with_0_however_often_it_is_told_to) {
  const Watchdog watchdog("two signals");
  const TemporaryDirectory directory;
  const std::string path = directory / "end.db";
  for (int round = 0; round < 10; ++round) {
    DaemonProcess daemon({.store = path});
    // Half of them are told while they start.
    if (round % 2 == 0) {
      EXPECT_EQ(daemon.ready(), "ok\n");
    }
    daemon.signal(SIGTERM);
    daemon.signal(SIGTERM);
    const int code = daemon.exit_code();
    if (round % 2 == 0) {
      EXPECT_EQ(code, 0) << daemon.said();
      EXPECT_TRUE(LogContents::at(path).recovery().clean_stop);
    } else {
      // Before it listens to signals it simply dies, which every start must bear.
      EXPECT_TRUE(code == 0 || code == 128 + SIGTERM) << code;
    }
  }
}

}  // namespace
}  // namespace dfs::test
