// Watchers while daemons and clients die and everything is compacted all the time: the feed,
// applied to an empty map from the start or from a snapshot, is the store.
#include <dfs/store.hpp>
#include <dfs/watch.hpp>

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr int kWriters = 3;
constexpr int kKeys = 20;
constexpr std::chrono::minutes kPatience{2};

struct Board {
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> changes{0};  // that watchers have seen
  std::atomic<std::uint64_t> restarts{0};
  std::atomic<std::uint64_t> kills{0};
};

/// Pairs of keys, always set or erased together, by all writers.
void run_writer(const std::string& path, unsigned seed, Board& board) {
  Store store = need(Store::open(path, patient()), "open");
  std::mt19937 random(seed);
  while (!board.stopping) {
    const std::string name = "p" + std::to_string(random() % kKeys);
    Batch batch;
    if (random() % 4 == 0) {
      batch.erase(name + "/a").erase(name + "/b");
    } else {
      const std::string value = std::to_string(random());
      batch.set(name + "/a", value).set(name + "/b", value);
    }
    static_cast<void>(need(store.submit(batch).wait(), "commit"));
    ++board.commits;
  }
}

/// What a watcher makes of the changes.
class Replica {
 public:
  void begin(const Snapshot& snapshot) {
    entries_.clear();
    const Range all = snapshot.all();
    for (const Entry& entry : all) {
      entries_[std::string(entry.key)] = {std::string(entry.value), entry.version};
    }
    need(all.status(), "list");
  }
  void apply(const Change& change) {
    const std::string key(change.key);
    require(change.sequence > sequence_, "a commit came again");
    std::uint64_t& version = versions_[key];
    require(change.version > version, key + " came with a version it had");
    version = change.version;
    change.erased ? static_cast<void>(entries_.erase(key))
                  : static_cast<void>(entries_[key] = {std::string(change.value), version});
    commit_.emplace_back(key.substr(0, key.find('/')), std::string(change.value));
    if (!change.last_of_commit) return;
    sequence_ = change.sequence;
    if (key != "end" && commit_.size() % 2 == 0) {
      require(commit_.front() == commit_.back(), "both of a pair, with one value");
    }
    commit_.clear();
  }
  [[nodiscard]] bool has_end() const { return entries_.contains("end"); }
  void expect_equal(const Snapshot& snapshot) const {
    std::size_t count = 0;
    const Range all = snapshot.all();
    for (const Entry& entry : all) {
      const auto found = entries_.find(std::string(entry.key));
      require(found != entries_.end(), std::string(entry.key) + " never came");
      require(found->second == std::pair(std::string(entry.value), entry.version),
              std::string(entry.key) + " is another in the feed");
      ++count;
    }
    need(all.status(), "list");
    require(count == entries_.size(), "what was erased stayed");
  }

 private:
  std::map<std::string, std::pair<std::string, std::uint64_t>> entries_;
  std::map<std::string, std::uint64_t> versions_;
  std::vector<std::pair<std::string, std::string>> commit_;
  std::uint64_t sequence_ = 0;
};

/// Nothing can be read: the last daemon died with a generation that was not mapped here yet.
bool between_daemons(const Snapshot& snapshot) {
  const auto good = snapshot.check();
  return !good && good.error() == errc::daemon_gone;
}

void run_watcher(const std::string& path, bool from_start, Board& board) {
  Options options = patient();
  options.read_only = from_start;  // both kinds of clients
  const Store store = need(Store::open(path, options), "open");
  Replica replica;
  const auto begin = [&] {
    if (from_start) {
      const Position start(store.snapshot().position().store(), 0);
      auto watch = store.watch("", start);
      if (watch || watch.error() != errc::compacted) return need(std::move(watch), "watch");
    }
    for (;;) {
      const std::uint64_t kills = board.kills;
      const Snapshot snapshot = store.snapshot();
      if (between_daemons(snapshot)) continue;
      replica.begin(snapshot);
      auto watch = store.watch("", snapshot.position());
      // The next daemon knows nothing of what was held at the last one.
      const bool another = board.kills != kills || snapshot.stale();
      if (!watch && watch.error() == errc::compacted && another) continue;
      return need(std::move(watch), "watch from a held snapshot");
    }
  };
  Watch watch = begin();
  while (!replica.has_end()) {
    auto change = watch.next(kPatience);
    if (change) {
      replica.apply(*change);
      ++board.changes;
      continue;
    }
    require(change.error() == errc::compacted, "next: " + std::string(change.error().text()));
    const Snapshot snapshot = watch.restart();
    if (between_daemons(snapshot)) continue;
    replica.begin(snapshot);
    ++board.restarts;
  }
  replica.expect_equal(store.snapshot());
}

TEST(watch_killed, the_feed_is_the_store_in_every_run) {
  const Watchdog watchdog("watching while everything dies", 500);
  const int runs = scaled("runs", 200, 20);
  const SharedMemory<Board> board;
  std::mt19937 random(20231119);
  for (int run = 0; run < runs; ++run) {
    const TemporaryDirectory directory;
    const std::string path = directory / "store.db";
    const DaemonSettings settings{.store = path,
                                  .arguments = always_compacting(run % 2 ? "durable" : "written")};
    board->stopping = false;
    DaemonProcess daemon = DaemonProcess::serving(settings);
    std::vector<ClientProcess> watchers;
    for (int i = 0; i < 3; ++i) {
      watchers.emplace_back("watcher", [&, i] { run_watcher(path, i % 2 == 0, *board); });
    }
    ClientProcess victim("victim", [&] { run_watcher(path, true, *board); });
    std::vector<ClientProcess> writers;
    for (int i = 0; i < kWriters; ++i) {
      const auto seed = static_cast<unsigned>(random());
      writers.emplace_back("writer", [&, seed] { run_writer(path, seed, *board); });
    }
    const auto let_them_commit = [&](std::uint64_t some) {
      for (const std::uint64_t until = board->commits + some; board->commits < until;) {
        for (const ClientProcess& client : writers) ASSERT_FALSE(client.ended());
        ::poll(nullptr, 0, 1);
      }
    };
    for (int kill = 0; kill < 2; ++kill) {
      let_them_commit(random() % 100);
      if (HasFatalFailure()) return;
      ++board->kills;
      daemon.kill();
      ++board->kills;
      daemon = DaemonProcess::serving(settings);
    }
    let_them_commit(random() % 100);
    if (HasFatalFailure()) return;
    victim.kill();
    board->stopping = true;
    for (ClientProcess& writer : writers) writer.expect_done();
    {
      Store store = need(Store::open(path, patient()), "open");
      static_cast<void>(need(store.set("end", "true"), "set"));
    }
    for (ClientProcess& watcher : watchers) watcher.expect_done();
    if (testing::Test::HasFailure()) FAIL() << "run " << run << "\n" << daemon.said();
  }
  std::printf("%d runs: %lu commits, %lu changes seen, %lu times begun anew\n", runs,
              board->commits.load(), board->changes.load(), board->restarts.load());
  EXPECT_GT(board->changes.load(), board->commits.load());
}

}  // namespace
}  // namespace dfs::test
