// Long runs: updates without end in bounded memory, and a log as large as one may become. A
// hundredth of each by default; tests/nightly.sh runs them whole.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>
#include <dfs/watch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <fstream>
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

using Clock = std::chrono::steady_clock;

constexpr std::size_t kInFlight = 256;

std::string key_of(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return "user" + std::string(12 - std::min<std::size_t>(12, digits.size()), '0') + digits;
}

std::string value_of(std::uint64_t number) {
  return R"({"name":"somebody","visits":)" + std::to_string(number) +
         R"(,"text":"about as long as values of this kind mostly are"})";
}

/// Bytes of shared memory that a process has in its page tables, or of anything else in its
/// /proc/PID/status.
std::uint64_t status_bytes(::pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1)) << 10;
  }
  throw std::runtime_error("no " + name);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Board {
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> too_old{0};
};

/// Holds a snapshot for a while, and reads it all the time: exact, or too old.
void run_reader(const std::string& path, std::uint64_t keys, Board& board) {
  Options options = patient();
  options.read_only = true;
  const Store store = need(Store::open(path, options), "open");
  std::mt19937_64 random(keys);
  while (!board.stopping) {
    const Snapshot snapshot = store.snapshot();
    for (int i = 0; i < 1000; ++i) {
      const auto entry = snapshot.get(key_of(random() % keys));
      const bool right = entry && entry->value == value_of(entry->version);
      if (!right) {  // a view counts once the snapshot has said so behind it
        if (const auto good = snapshot.check(); !good && good.error() == errc::snapshot_too_old) {
          ++board.too_old;
          break;
        }
      }
      require(entry.has_value(), "get: " + (entry ? "" : std::string(entry.error().text())));
      require(right, "a value of its version");
      ++board.reads;
    }
  }
}

TEST(Endurance, updates_without_end_stay_in_bounded_memory_and_lose_nothing) {
  const Watchdog watchdog("updates", 3600);
  const std::uint64_t updates = nightly("updates", 10'000'000);
  const std::uint64_t keys = std::max<std::uint64_t>(updates / 100, 100);
  // Four times the live data at the least, and not much more.
  const std::uint64_t limit = std::max<std::uint64_t>(keys * 2500, 24 << 20);
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  DaemonProcess daemon = DaemonProcess::serving(
      {.store = path,
       .arguments = {"--durability", "written", "--memory-limit", std::to_string(limit),
                     "--compaction-garbage", "1M", "--compaction-interval", "100ms",
                     "--snapshot-ttl", "1s", "--feed-retention", "0s"}});
  Store store = need(Store::open(path, patient()), "open");
  std::vector<std::uint64_t> versions(keys, 0);
  for (std::uint64_t i = 0; i < keys; ++i) {
    versions[i] = need(store.set(key_of(i), value_of(1)), "set").version;
    ASSERT_EQ(versions[i], 1U);
  }
  const SharedMemory<Board> board;
  std::vector<ClientProcess> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back("reader", [&] { run_reader(path, keys, *board); });
  }
  while (board->reads < 4000) ASSERT_FALSE(readers[0].ended());
  readers[3].signal(SIGSTOP);  // for the whole run, with whatever it holds

  struct Update {
    std::uint64_t key;
    Pending pending;
    Clock::time_point begun;
  };
  std::deque<Update> flying;
  std::mt19937_64 random(7);
  std::uint64_t most_memory = 0;
  std::uint64_t most_file = 0;
  std::uint64_t refused = 0;
  double longest = 0;
  std::vector<double> waits;
  const auto begin = Clock::now();
  const auto land = [&] {
    Update one = std::move(flying.front());
    flying.pop_front();
    const auto done = one.pending.wait();
    waits.push_back(seconds_since(one.begun));
    longest = std::max(longest, waits.back());
    if (!done) {
      // While what the stopped reader holds is young, and everything else is taken.
      ASSERT_EQ(done.error(), errc::store_full) << done.error().text();
      ++refused;
      return;
    }
    ASSERT_EQ(done->version, versions[one.key] + 1) << "every acknowledged version";
    versions[one.key] = done->version;
  };
  for (std::uint64_t i = 0; i < updates && !HasFatalFailure(); ++i) {
    // One at a time for each key, so that the value tells its version.
    std::uint64_t key = random() % keys;
    while (std::any_of(flying.begin(), flying.end(),
                       [key](const Update& one) { return one.key == key; })) {
      key = random() % keys;
    }
    flying.push_back(
        {key, store.submit(Batch().set(key_of(key), value_of(versions[key] + 1))), Clock::now()});
    if (flying.size() >= std::min<std::size_t>(kInFlight, keys / 4)) land();
    if (i % 4096 != 0) continue;
    most_memory = std::max(most_memory, status_bytes(daemon.pid(), "RssShmem"));
    most_file = std::max<std::uint64_t>(most_file, std::filesystem::file_size(path));
  }
  while (!flying.empty() && !HasFatalFailure()) land();
  const double took = seconds_since(begin);
  readers[3].signal(SIGCONT);
  board->stopping = true;
  for (ClientProcess& reader : readers) reader.expect_done();

  for (std::uint64_t i = 0; i < keys; ++i) {
    const auto value = store.get(key_of(i));
    ASSERT_TRUE(value.has_value()) << value.error().text();
    ASSERT_EQ(value->version, versions[i]);
    ASSERT_EQ(value->value, value_of(versions[i]));
  }
  std::sort(waits.begin(), waits.end());
  std::printf(
      "%.0f updates a second, %llu refused for a while; p99.9 %.2f ms, longest %.2f ms; "
      "memory %llu MiB of %llu, file %llu MiB; %llu reads, %llu snapshots too old, "
      "generation %llu\n",
      static_cast<double>(updates) / took, static_cast<unsigned long long>(refused),
      waits[waits.size() - 1 - waits.size() / 1000] * 1e3, longest * 1e3,
      static_cast<unsigned long long>(most_memory >> 20),
      static_cast<unsigned long long>(limit >> 20),
      static_cast<unsigned long long>(most_file >> 20),
      static_cast<unsigned long long>(board->reads.load()),
      static_cast<unsigned long long>(board->too_old.load()),
      static_cast<unsigned long long>(generation_of(store)));
  EXPECT_GT(most_memory, 0U);
  EXPECT_LE(most_memory, limit + (8U << 20)) << "the limit, and the rings of five clients";
  EXPECT_LE(most_file, 2 * limit);
  EXPECT_GT(generation_of(store), 1U);
}

TEST(Endurance, a_large_log_is_opened_served_watched_and_compacted) {
  const Watchdog watchdog("a large log", 3600);
  const std::uint64_t records = nightly("records", 10'000'000);
  const TemporaryDirectory directory;
  const std::string path = directory / "store.db";
  const DaemonSettings settings{
      .store = path,
      .arguments = {"--durability", "written", "--memory-limit", "16G", "--compaction-interval",
                    "1h", "--feed-retention", "0s"}};
  DaemonProcess daemon = DaemonProcess::serving(settings);
  auto begin = Clock::now();
  {
    Store store = need(Store::open(path, patient()), "open");
    std::deque<Pending> flying;
    for (std::uint64_t i = 0; i < records; ++i) {
      flying.push_back(store.submit(Batch().set(key_of(i), value_of(i))));
      if (flying.size() < kInFlight) continue;
      need(flying.front().wait(), "set");
      flying.pop_front();
    }
    for (Pending& one : flying) need(one.wait(), "set");
  }
  const double filled = seconds_since(begin);
  daemon.stop();
  const std::uint64_t bytes = std::filesystem::file_size(path);
  begin = Clock::now();
  daemon = DaemonProcess::serving(settings);
  const double opened = seconds_since(begin);

  Store store = need(Store::open(path, patient()), "open");
  begin = Clock::now();
  Watch watch = need(store.watch("", Position(store.snapshot().position().store(), 0)), "watch");
  for (std::uint64_t i = 0; i < records; ++i) {
    const auto change = watch.next(std::chrono::minutes(2));
    ASSERT_TRUE(change.has_value()) << change.error().text();
    ASSERT_EQ(change->key, key_of(i));
  }
  const double watched = seconds_since(begin);
  begin = Clock::now();
  need(Admin(store).compact(std::chrono::minutes(30)), "compact");
  const double compacted = seconds_since(begin);
  const Snapshot snapshot = store.snapshot();
  std::uint64_t counted = 0;
  const Range all = snapshot.all();
  for (const Entry& entry : all) {
    ASSERT_EQ(entry.value, value_of(counted));
    ++counted;
  }
  ASSERT_TRUE(all.status().has_value());
  EXPECT_EQ(counted, records);
  std::printf(
      "%llu MiB filled in %.2f s, opened in %.2f s, watched in %.2f s, compacted in %.2f s\n",
      static_cast<unsigned long long>(bytes >> 20), filled, opened, watched, compacted);
}

}  // namespace
}  // namespace dfs::test
