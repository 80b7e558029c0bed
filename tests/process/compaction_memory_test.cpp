// Compaction where memory is short: what is held too long is taken back, what is young never is,
// and whatever clients hold, the limit is kept and writing goes on.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/shared_memory.hpp"

namespace dfs::test {
namespace {

class CompactionMemory : public Compaction {};

TEST_F(CompactionMemory,
       a_snapshot_held_too_long_is_too_old_when_memory_is_short_and_never_absent) {
  daemon_->stop();
  std::vector<std::string> arguments = always_compacting("written");
  arguments.insert(arguments.end(), {"--snapshot-ttl", "1ms", "--memory-limit", "16M"});
  serve(arguments);
  Store store = need(Store::open(path_, patient()), "open");
  const std::string large = "\"" + std::string(20'000, 'x') + "\"";
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(need(store.set("k" + std::to_string(i), large), "set"));
  }
  const Snapshot held = store.snapshot();
  Error end = errc::absent;
  // Far more than the limit, and every commit comes through.
  for (int n = 0; n < 5000; ++n) {
    static_cast<void>(need(store.set("k" + std::to_string(n % 100), large), "set"));
    const auto entry = held.get("k5");
    if (entry) {
      EXPECT_EQ(entry->version, 1U);
      EXPECT_TRUE(entry->value == large || !held.check()) << "right, or said to be gone";
      continue;
    }
    end = entry.error();
    EXPECT_EQ(end, errc::snapshot_too_old);
  }
  EXPECT_EQ(end, errc::snapshot_too_old) << "5,000 values of 20 kB do not fit 16 MiB beside it";
  EXPECT_EQ(held.check().error(), errc::snapshot_too_old);
  EXPECT_EQ(store.get("k5")->version, 51U);
}

TEST_F(CompactionMemory, a_young_snapshot_is_never_revoked) {
  daemon_->stop();
  std::vector<std::string> arguments = always_compacting("written");
  arguments.insert(arguments.end(), {"--memory-limit", "16M"});
  serve(arguments);
  Store store = need(Store::open(path_, patient()), "open");
  const std::string large = "\"" + std::string(20'000, 'x') + "\"";
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(need(store.set("k" + std::to_string(i), large), "set"));
  }
  const Snapshot held = store.snapshot();
  Result<Committed> last = errc::absent;
  int sets = 0;
  do {
    last = store.set("k" + std::to_string(sets % 100), large);
  } while (last && ++sets < 5000);
  EXPECT_EQ(last.error(), errc::store_full) << "rather than take back what is held";
  EXPECT_GT(sets, 100);
  for (int i = 0; i < 100; ++i) {
    const auto entry = held.get("k" + std::to_string(i));
    ASSERT_TRUE(entry.has_value()) << entry.error().text();
    EXPECT_EQ(entry->version, 1U);
    EXPECT_EQ(entry->value, large);
  }
  EXPECT_TRUE(store.erase("k0").has_value()) << "erasing goes on";
}

struct Board {
  std::atomic<bool> stopping;
  std::atomic<std::uint64_t> holding{0};
};

/// Of the daemon, in shared memory.
std::uint64_t shared_bytes(::pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssShmem:")) return std::stoull(line.substr(9)) << 10;
  }
  return 0;
}

/// In a client: one snapshot of now, and whether it is what it was, or too old, once it is told.
void hold(const std::string& path, Board& board, std::uint64_t number) {
  const Store store = need(Store::open(path, patient()), "open");
  const Snapshot held = store.snapshot();
  const std::uint64_t version = need(held.get("k5"), "get").version;
  board.holding.fetch_add(1);
  while (!board.stopping) ::poll(nullptr, 0, 1);
  const auto entry = held.get("k5");
  require(entry ? entry->version == version : entry.error() == errc::snapshot_too_old,
          "holder " + std::to_string(number) + " reads what was there, or that it is too old");
}

TEST_F(CompactionMemory, whatever_clients_hold_memory_stays_below_its_limit_and_writing_goes_on) {
  daemon_->stop();
  std::vector<std::string> arguments = always_compacting("written");
  arguments.insert(arguments.end(), {"--snapshot-ttl", "50ms", "--memory-limit", "24M"});
  serve(arguments);
  Store store = need(Store::open(path_, patient()), "open");
  const std::string large = "\"" + std::string(20'000, 'x') + "\"";
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(need(store.set("k" + std::to_string(i), large), "set"));
  }
  const SharedMemory<Board> board;
  const auto held = [&](std::uint64_t holders) {
    while (board->holding < holders) ::poll(nullptr, 0, 1);
  };
  std::vector<ClientProcess> clients;
  // For ever; stopped; forked and dead, with a child that lives on; a hundred handles.
  clients.emplace_back("holder", [&] { hold(path_, *board, 1); });
  clients.emplace_back("stopped", [&] { hold(path_, *board, 2); });
  held(2);
  clients[1].signal(SIGSTOP);
  ClientProcess parent("parent", [&] {
    const Store own = need(Store::open(path_, patient()), "open");
    const Snapshot snapshot = own.snapshot();
    board->holding.fetch_add(1);
    if (::fork() == 0) {
      while (!board->stopping) ::poll(nullptr, 0, 1);
      ::_exit(0);
    }
    while (!board->stopping) ::poll(nullptr, 0, 1);
  });
  held(3);
  parent.kill();
  clients.emplace_back("hundred", [&] {
    std::vector<Store> stores;
    std::vector<Snapshot> snapshots;
    for (int i = 0; i < 100; ++i) {
      stores.push_back(need(Store::open(path_, patient()), "open"));
      snapshots.push_back(stores.back().snapshot());
    }
    board->holding.fetch_add(1);
    while (!board->stopping) ::poll(nullptr, 0, 1);
    for (const Snapshot& snapshot : snapshots) {
      const auto entry = snapshot.get("k5");
      require(entry || entry.error() == errc::snapshot_too_old, "what was there, or too old");
    }
  });
  held(4);

  const std::uint64_t before = shared_bytes(daemon_->pid());
  std::uint64_t most = 0;
  std::uint64_t refused = 0;
  for (int n = 0; n < 5000;) {
    const auto done = store.set("k" + std::to_string(n % 100), large);
    most = std::max(most, shared_bytes(daemon_->pid()));
    if (done) {
      ++n;
      continue;
    }
    // While what is held is young, and only then.
    ASSERT_EQ(done.error(), errc::store_full) << done.error().text();
    ++refused;
  }
  clients[1].signal(SIGCONT);
  board->stopping = true;
  for (ClientProcess& client : clients) client.expect_done();
  std::printf("100 MB in 24 MiB: %lu MiB at the most (%lu before), %lu refused for a moment\n",
              most >> 20, before >> 20, refused);
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, (24U << 20) + (16U << 20)) << "the limit, and the rings of a hundred clients";
}

TEST_F(CompactionMemory, what_does_not_fit_beside_the_index_is_said) {
  Store store = need(Store::open(path_, patient()), "open");
  const std::string large = "\"" + std::string(100'000, 'x') + "\"";
  for (int i = 0; i < 30; ++i) {
    static_cast<void>(need(store.set("k" + std::to_string(i), large), "set"));
  }
  daemon_->stop();
  serve({"--durability", "written", "--memory-limit", "5M"});
  const auto compacted = Admin(store).compact(std::chrono::minutes(2));
  ASSERT_FALSE(compacted.has_value());
  EXPECT_EQ(compacted.error(), errc::store_full) << compacted.error().text();
  EXPECT_EQ(store.get("k7")->value, large);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

}  // namespace
}  // namespace dfs::test
