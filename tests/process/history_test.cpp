// Transactions of several processes, and a check afterwards that they could have happened one after
// the other: lists that are appended to, sets that are read whole and inserted into.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <cstdlib>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/history.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr int kProcesses = 6;
constexpr int kLists = 6;
constexpr int kSets = 3;

// The checker first: it must find what it is there for.

HistoryEntry entry(std::uint64_t begin, std::uint64_t end) {
  HistoryEntry made;
  made.committed = true;
  made.begin_ns = begin;
  made.end_ns = end;
  return made;
}

/// The entry that has read everything at the end.
HistoryEntry final_entry(std::map<int, Ids> lists, std::map<int, Ids> sets) {
  HistoryEntry made = entry(1000, 1001);
  made.lists_read = std::move(lists);
  made.sets_read = std::move(sets);
  return made;
}

TEST(history_check, accepts_what_happened_one_after_the_other) {
  HistoryEntry first = entry(1, 10);
  first.lists_read[0] = {};
  first.appended[0] = 1;
  first.inserted[0] = 11;
  HistoryEntry second = entry(5, 12);
  second.lists_read[0] = {1};
  second.appended[0] = 2;
  second.sets_read[0] = {11};
  EXPECT_EQ(HistoryCheck({first, second, final_entry({{0, {1, 2}}}, {{0, {11}}})}).anomaly(),
            std::nullopt);
}

TEST(history_check, finds_a_lost_update) {
  HistoryEntry first = entry(1, 10);
  first.lists_read[0] = {};
  first.appended[0] = 1;
  HistoryEntry second = first;
  second.appended[0] = 2;
  EXPECT_NE(HistoryCheck({first, second, final_entry({{0, {2}}}, {})}).anomaly(), std::nullopt);
}

TEST(history_check, finds_write_skew) {
  HistoryEntry first = entry(1, 10);
  first.lists_read[0] = {};
  first.lists_read[1] = {};
  HistoryEntry second = first;
  first.appended[0] = 1;
  second.appended[1] = 2;
  EXPECT_NE(HistoryCheck({first, second, final_entry({{0, {1}}, {1, {2}}}, {})}).anomaly(),
            std::nullopt);
}

TEST(history_check, finds_a_phantom) {
  HistoryEntry first = entry(1, 10);
  first.sets_read[0] = {};
  HistoryEntry second = first;
  first.inserted[0] = 1;
  second.inserted[0] = 2;
  EXPECT_NE(HistoryCheck({first, second, final_entry({}, {{0, {1, 2}}})}).anomaly(), std::nullopt);
}

TEST(history_check, finds_what_was_read_and_never_committed) {
  HistoryEntry aborted = entry(1, 10);
  aborted.committed = false;
  aborted.inserted[0] = 1;
  HistoryEntry reader = entry(2, 11);
  reader.sets_read[0] = {1};
  EXPECT_NE(HistoryCheck({aborted, reader, final_entry({}, {{0, {}}})}).anomaly(), std::nullopt);
}

TEST(history_check, finds_a_reader_that_is_behind_the_clock) {
  HistoryEntry writer = entry(1, 10);
  writer.lists_read[0] = {};
  writer.appended[0] = 1;
  HistoryEntry reader = entry(11, 12);
  reader.lists_read[0] = {};
  EXPECT_NE(HistoryCheck({writer, reader, final_entry({{0, {1}}}, {})}).anomaly(), std::nullopt);
  reader.begin_ns = 9;  // side by side it may be
  EXPECT_EQ(HistoryCheck({writer, reader, final_entry({{0, {1}}}, {})}).anomaly(), std::nullopt);
}

// The real thing.

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

std::string list_key(int list) { return "list/" + std::to_string(list); }
std::string set_prefix(int set) { return "set/" + std::to_string(set) + "/"; }

Ids parse_ids(std::string_view array) {
  Ids ids;
  while (array.size() > 2) {
    array.remove_prefix(1);
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(array.data(), array.data() + array.size(), id);
    require(error == std::errc(), "a list is an array of numbers");
    ids.push_back(id);
    array.remove_prefix(static_cast<std::size_t>(end - array.data()));
  }
  return ids;
}

Result<Ids> read_list(Transaction& tx, int list) {
  const auto found = tx.get(list_key(list));
  if (!found && found.error() == errc::absent) return Ids{};
  if (!found) return found.error();
  return parse_ids(found->value);
}

Result<Ids> read_set(Transaction& tx, int set) {
  Ids ids;
  const Range range = tx.prefix(set_prefix(set));
  for (const Entry& member : range) {
    ids.push_back(parse_ids("[" + std::string(member.key.substr(6)) + "]").front());
  }
  if (const auto good = range.status(); !good) return good.error();
  std::sort(ids.begin(), ids.end());
  return ids;
}

struct Workload {
  std::string path{};
  int transactions = 0;
  bool snapshot_isolation = false;
};

struct HistoryBoard {
  std::atomic<std::uint64_t> committed;
  std::atomic<std::uint64_t> conflicts;
  std::atomic<std::uint64_t> ring_at;
};

Store open_patiently(const std::string& path) {
  Options options;
  options.autostart = Autostart::never;
  options.timeout = std::chrono::seconds(120);
  options.wait_for_daemon = options.timeout;
  return need(Store::open(path, options), "open");
}

/// Reads, appends and inserts in one transaction; what it saw and did goes into `seen`.
Result<Committed> transact_once(Store& store, const Workload& work, std::mt19937& random,
                                std::uint64_t& next_id, HistoryEntry& seen) {
  seen.begin_ns = now_ns();
  TransactionOptions options;
  options.snapshot_isolation = work.snapshot_isolation;
  Transaction tx = store.begin(options);
  const int steps = 1 + static_cast<int>(random() % 3);
  for (int step = 0; step < steps; ++step) {
    const bool writes = random() % 3 != 0;
    if (random() % 3 != 0) {
      const int list = static_cast<int>(random() % kLists);
      if (seen.lists_read.contains(list)) continue;
      const auto ids = read_list(tx, list);
      if (!ids) return ids.error();
      seen.lists_read[list] = *ids;
      if (!writes) continue;
      seen.appended[list] = ++next_id;
      std::string array = "[";
      for (const std::uint64_t id : *ids) array += std::to_string(id) + ",";
      tx.set(list_key(list), array + std::to_string(next_id) + "]");
    } else {
      const int set = static_cast<int>(random() % kSets);
      if (seen.sets_read.contains(set)) continue;
      const auto ids = read_set(tx, set);
      if (!ids) return ids.error();
      seen.sets_read[set] = *ids;
      if (!writes) continue;
      seen.inserted[set] = ++next_id;
      tx.set(set_prefix(set) + std::to_string(next_id), "1");
    }
  }
  auto committed = tx.commit();
  seen.end_ns = now_ns();
  seen.committed = committed.has_value();
  return committed;
}

void run_transactions(const Workload& work, int number, HistoryBoard& board,
                      const MessagePipe<int>& reached) {
  Store store = open_patiently(work.path);
  std::mt19937 random(static_cast<unsigned>(number) + 100);
  std::uint64_t next_id = static_cast<std::uint64_t>(number + 1) * 1'000'000;
  std::ofstream file(work.path + ".history-" + std::to_string(number));
  for (int done = 0; done < work.transactions;) {
    HistoryEntry seen;
    const auto committed = transact_once(store, work, random, next_id, seen);
    print(file, seen);
    if (committed) {
      ++done;
      if (++board.committed == board.ring_at) reached.send(1);
    } else {
      // daemon_gone: it died with a generation that this process had not seen, and what it had seen
      // was given back.
      require(
          committed.error() == errc::transaction_conflict || committed.error() == errc::daemon_gone,
          "transaction: " + std::string(committed.error().text()));
      ++board.conflicts;
    }
  }
}

std::vector<HistoryEntry> collect_history(const Workload& work) {
  std::vector<HistoryEntry> history;
  for (int i = 0; i < kProcesses; ++i) {
    std::ifstream file(work.path + ".history-" + std::to_string(i));
    for (std::string line; std::getline(file, line);) history.push_back(parse_history_entry(line));
  }
  HistoryEntry last;
  last.begin_ns = now_ns();
  Store store = open_patiently(work.path);
  Transaction tx = store.begin();
  for (int list = 0; list < kLists; ++list)
    last.lists_read[list] = need(read_list(tx, list), "get");
  for (int set = 0; set < kSets; ++set) last.sets_read[set] = need(read_set(tx, set), "walk");
  last.end_ns = now_ns();
  last.committed = true;
  history.push_back(last);
  return history;
}

/// Runs the processes, killing the daemon now and then, and checks.
std::optional<std::string> anomaly_of(Workload work, int kills) {
  const TemporaryDirectory directory;
  work.path = directory / "history.db";
  DaemonProcess daemon = DaemonProcess::serving({.store = work.path});
  const SharedMemory<HistoryBoard> board;
  const MessagePipe<int> reached;
  const auto whole = static_cast<std::uint64_t>(work.transactions) * kProcesses;
  const auto share = whole / static_cast<std::uint64_t>(kills + 1);
  board->ring_at = kills > 0 ? share : UINT64_MAX;
  std::vector<ClientProcess> processes;
  for (int i = 0; i < kProcesses; ++i) {
    processes.emplace_back("process " + std::to_string(i),
                           [&, i] { run_transactions(work, i, *board, reached); });
  }
  for (int kill = 1; kill <= kills; ++kill) {
    while (!reached.readable(1000)) {
      for (const ClientProcess& process : processes) require(!process.ended(), "a process ended");
    }
    static_cast<void>(reached.receive());
    board->ring_at = static_cast<std::uint64_t>(kill + 1) * share;
    daemon.kill();
    daemon = DaemonProcess::serving({.store = work.path});
  }
  for (ClientProcess& process : processes) process.expect_done();
  EXPECT_EQ(board->committed, whole);
  EXPECT_GT(board->conflicts, 0U);

  const std::vector<HistoryEntry> history = collect_history(work);
  HistoryCheck check(history);
  auto anomaly = check.anomaly();
  std::printf("%lu transactions, %lu conflicts, %d kills, %zu edges: %s\n", whole,
              board->conflicts.load(), kills, check.edges(), anomaly ? anomaly->c_str() : "sound");
  daemon.stop();
  return anomaly;
}

TEST(history, transactions_of_several_processes_could_have_happened_one_after_the_other) {
  const Watchdog watchdog("the history");
  EXPECT_EQ(anomaly_of({.transactions = scaled("transactions of each process", 500, 60)}, 0),
            std::nullopt);
}

TEST(history, it_stays_so_when_daemons_die) {
  const Watchdog watchdog("the history");
  const int kills = scaled("kills", 10, 3);
  EXPECT_EQ(anomaly_of({.transactions = scaled("transactions of each process", 500, 60)}, kills),
            std::nullopt);
}

TEST(history, without_the_check_of_what_was_read_the_checker_finds_the_anomaly) {
  const Watchdog watchdog("the history");
  // Snapshot isolation alone checks nothing here, so updates are lost: a history that is refused.
  const TemporaryDirectory directory;
  Workload work{.path = directory / "history.db", .transactions = 100, .snapshot_isolation = true};
  DaemonProcess daemon = DaemonProcess::serving({.store = work.path});
  const SharedMemory<HistoryBoard> board;
  const MessagePipe<int> reached;
  board->ring_at = UINT64_MAX;
  std::vector<ClientProcess> processes;
  for (int i = 0; i < kProcesses; ++i) {
    processes.emplace_back("process " + std::to_string(i),
                           [&, i] { run_transactions(work, i, *board, reached); });
  }
  for (ClientProcess& process : processes) process.expect_done();
  const std::vector<HistoryEntry> history = collect_history(work);
  EXPECT_NE(HistoryCheck(history).anomaly(), std::nullopt);
  daemon.stop();
}

}  // namespace
}  // namespace dfs::test
