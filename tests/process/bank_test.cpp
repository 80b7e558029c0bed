// Many processes and one store: money moves between accounts and is never made or lost, to any
// snapshot.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <sched.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/shared_memory.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr int kMovers = 8;
constexpr int kAccounts = 12;
constexpr std::int64_t kEach = 1000;

Store open_served(const std::string& path) {
  Options options;
  options.autostart = Autostart::never;
  options.timeout = std::chrono::seconds(60);
  return need(Store::open(path, options), "open");
}

std::string account(int number) { return "account/" + std::to_string(100 + number); }

std::int64_t amount_of(std::string_view value) {
  std::int64_t amount = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), amount);
  require(error == std::errc() && end == value.data() + value.size(), "an amount is a number");
  return amount;
}

struct Bank {
  std::atomic<bool> closing;
  std::atomic<int> readers_ready;
  std::array<std::atomic<std::uint64_t>, kMovers> moved;
  std::array<std::atomic<std::uint64_t>, kMovers> conflicts;
  std::atomic<std::uint64_t> sums_taken;
  std::atomic<std::uint64_t> long_looks;
};

/// Moves some money from one account to another, or nothing where there is too little.
Result<bool> move_money(Transaction& tx, std::mt19937& random) {
  const int from = static_cast<int>(random() % kAccounts);
  const int to = (from + 1 + static_cast<int>(random() % (kAccounts - 1))) % kAccounts;
  const auto amount = static_cast<std::int64_t>(1 + random() % 50);
  const auto source = tx.get(account(from));
  if (!source) return source.error();
  const auto target = tx.get(account(to));
  if (!target) return target.error();
  const std::int64_t left = amount_of(source->value) - amount;
  if (left < 0) return false;
  tx.set(account(from), std::to_string(left));
  tx.set(account(to), std::to_string(amount_of(target->value) + amount));
  return true;
}

void run_mover(const std::string& path, Bank& bank, int number, int moves) {
  Store store = open_served(path);
  std::mt19937 random(static_cast<unsigned>(number) + 1);
  const auto mine = static_cast<std::size_t>(number);
  for (int done = 0; done < moves;) {
    if (number % 2 == 0) {
      // The loop that transact() is, with every conflict seen.
      Transaction tx = store.begin();
      if (!need(move_money(tx, random), "read")) continue;
      const auto committed = tx.commit();
      if (!committed && committed.error() == errc::transaction_conflict) {
        ++bank.conflicts[mine];
        continue;
      }
      require(need(committed, "commit").versions.size() == 2, "two accounts were changed");
    } else {
      int tries = 0;
      const auto committed = store.transact([&](Transaction& tx) {
        ++tries;
        return move_money(tx, random);
      });
      bank.conflicts[mine] += static_cast<std::uint64_t>(tries - 1);
      if (need(committed, "transact").sequence == 0) continue;
    }
    ++done;
    ++bank.moved[mine];
  }
}

void run_auditor(const std::string& path, Bank& bank) {
  const Store store = open_served(path);
  std::uint64_t last = 0;
  ++bank.readers_ready;
  while (!bank.closing) {
    const Snapshot snapshot = store.snapshot();
    require(!snapshot.stale(), "its daemon lives");
    require(snapshot.sequence() >= last, "time does not go back");
    last = snapshot.sequence();
    std::int64_t in_order = 0;
    int seen = 0;
    const Range range = snapshot.prefix("account/");
    for (const Entry& entry : range) {
      in_order += amount_of(entry.value);
      ++seen;
    }
    need(range.status(), "walk");
    require(seen == kAccounts, "every account is there: " + std::to_string(seen));
    std::int64_t by_key = 0;
    for (int i = 0; i < kAccounts; ++i) {
      by_key += amount_of(need(snapshot.get(account(i)), "get").value);
    }
    require(in_order == kAccounts * kEach && by_key == in_order,
            "the sum at " + std::to_string(last) + " is " + std::to_string(in_order) +
                " in order and " + std::to_string(by_key) + " by key");
    ++bank.sums_taken;
  }
}

/// A number for all that a snapshot holds: keys, values, versions, sequences, in both directions.
std::size_t digest(const Snapshot& snapshot) {
  std::size_t sum = 0;
  const auto add = [&sum](std::size_t part) {
    sum ^= part + 0x9e3779b97f4a7c15U + (sum << 6U) + (sum >> 2U);
  };
  const Range all = snapshot.all();
  for (const Range& range : {all, all.reversed()}) {
    for (const Entry& entry : range) {
      add(std::hash<std::string_view>()(entry.key));
      add(std::hash<std::string_view>()(entry.value));
      add(entry.version);
      add(entry.sequence);
      const Entry found = need(snapshot.get(entry.key), "get");
      require(found.value == entry.value && found.version == entry.version,
              "by key and in order the same is found");
    }
    need(range.status(), "walk");
  }
  return sum;
}

void run_long_reader(const std::string& path, Bank& bank) {
  const Store store = open_served(path);
  const Snapshot held = store.snapshot();
  const std::uint64_t sequence = held.sequence();
  const std::size_t first = digest(held);
  ++bank.readers_ready;
  while (!bank.closing) {
    require(digest(held) == first, "a snapshot that is held never changes");
    ++bank.long_looks;
  }
  require(digest(held) == first && held.sequence() == sequence,
          "a snapshot that is held never changes");
  need(held.check(), "check");
  require(digest(store.snapshot()) != first, "a new one has what was written meanwhile");
}

TEST(bank, eight_processes_move_money_and_no_snapshot_sees_another_sum) {
  const Watchdog watchdog("the bank");
  const int moves = scaled("moves of each process", 1500, 100);
  const TemporaryDirectory directory;
  const std::string path = directory / "bank.db";
  DaemonProcess daemon = DaemonProcess::serving({.store = path});
  {
    Store store = open_served(path);
    Batch deposits;
    for (int i = 0; i < kAccounts; ++i) deposits.set(account(i), std::to_string(kEach));
    ASSERT_TRUE(store.submit(deposits).wait());
  }
  const SharedMemory<Bank> bank;
  std::vector<ClientProcess> readers;
  readers.emplace_back("auditor 1", [&] { run_auditor(path, *bank); });
  readers.emplace_back("auditor 2", [&] { run_auditor(path, *bank); });
  readers.emplace_back("long reader", [&] { run_long_reader(path, *bank); });
  while (bank->readers_ready < 3) {
    for (const ClientProcess& reader : readers) ASSERT_FALSE(reader.ended());
    ::sched_yield();
  }
  std::vector<ClientProcess> movers;
  for (int i = 0; i < kMovers; ++i) {
    movers.emplace_back("mover " + std::to_string(i), [&, i] { run_mover(path, *bank, i, moves); });
  }
  for (ClientProcess& mover : movers) mover.expect_done();
  bank->closing = true;
  for (ClientProcess& reader : readers) reader.expect_done();

  std::uint64_t moved = 0;
  std::uint64_t conflicts = 0;
  for (std::size_t i = 0; i < kMovers; ++i) {
    moved += bank->moved[i];
    conflicts += bank->conflicts[i];
  }
  std::printf("moved %lu times, %lu conflicts, %lu sums taken, one snapshot looked at %lu times\n",
              moved, conflicts, bank->sums_taken.load(), bank->long_looks.load());
  EXPECT_EQ(moved, static_cast<std::uint64_t>(kMovers) * static_cast<std::uint64_t>(moves));
  EXPECT_GT(conflicts, 0U);
  EXPECT_GT(bank->sums_taken.load(), 0U);
  EXPECT_GT(bank->long_looks.load(), 0U);

  {
    // Each move changed two accounts once: no commit was lost, and none happened twice.
    const Store store = open_served(path);
    const Snapshot snapshot = store.snapshot();
    std::uint64_t versions = 0;
    for (const Entry& entry : snapshot.prefix("account/")) versions += entry.version;
    EXPECT_EQ(versions, kAccounts + 2 * moved);
  }
  daemon.stop();
  const LogContents log = LogContents::at(path);
  if (!options_for_all_daemons().empty()) {
    EXPECT_GT(log.recovery().first.base, 0U) << "it was compacted all the time";
    return;
  }
  EXPECT_EQ(log.commits().size(), 1 + moved);
  log.expect_versions_rise_by_one();
}

}  // namespace
}  // namespace dfs::test
