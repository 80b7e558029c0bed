// Many processes and one store: what a transaction promises, seen from outside.
//
// Money moves between accounts and is never made or lost, to any snapshot; of two transactions that
// would break a rule together, one is refused, whether they read keys or ranges.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/message_pipe.hpp"
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

/// Two processes that run transactions side by side: both have read before either commits.
class Pair {
 public:
  using Body = std::function<Result<Committed>(Store&, int, const std::function<void()>&)>;

  /// Runs `body` once in each process; it calls the function given when it has read, which waits
  /// for the other. What came of the two.
  std::array<errc, 2> run(const std::string& path, const Body& body) {
    std::vector<ClientProcess> processes;
    for (int i = 0; i < 2; ++i) {
      processes.emplace_back("transaction " + std::to_string(i), [&, i] {
        Store store = open_served(path);
        const auto result = body(store, i, [&] {
          arrived_[1 - i].send(1);
          static_cast<void>(arrived_[i].receive());
        });
        outcomes_[i].send(result ? kCommitted : result.error().code());
      });
    }
    for (ClientProcess& process : processes) process.expect_done();
    return {outcomes_[0].receive(), outcomes_[1].receive()};
  }

  static constexpr errc kCommitted{};

 private:
  MessagePipe<int> arrived_[2];
  MessagePipe<errc> outcomes_[2];
};

int count(const std::array<errc, 2>& outcomes, errc code) {
  return static_cast<int>(std::count(outcomes.begin(), outcomes.end(), code));
}

class Rules : public ::testing::Test {
 protected:
  void SetUp() override { daemon_.emplace(DaemonProcess::serving({.store = path_})); }
  void TearDown() override {
    if (daemon_) daemon_->stop();
  }
  /// What the store holds is what `contents` says; nothing else is there.
  void fill(const std::vector<std::pair<std::string, std::string>>& contents) const {
    Store store = open_served(path_);
    Batch batch;
    const Snapshot before = store.snapshot();
    for (const Entry& entry : before.all()) batch.erase(entry.key);
    for (const auto& [key, value] : contents) batch.set(key, value);
    ASSERT_TRUE(store.submit(batch).wait());
  }
  [[nodiscard]] std::string value(const std::string& key) const {
    const auto found = open_served(path_).get(key);
    return found ? found->value : "";
  }

  const Watchdog watchdog_{"a pair of transactions"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "rules.db";
  std::optional<DaemonProcess> daemon_;
  Pair pair_;
};

/// Goes off call if another doctor stays.
Result<Committed> go_off_call(Store& store, int number, bool snapshot_isolation,
                              const std::function<void()>& meet) {
  TransactionOptions options;
  options.snapshot_isolation = snapshot_isolation;
  Transaction tx = store.begin(options);
  const bool first = need(tx.get("doctor/alice"), "get").value == "true";
  const bool second = need(tx.get("doctor/bob"), "get").value == "true";
  meet();
  require(first && second, "both are on call when both have read");
  tx.set(number == 0 ? "doctor/alice" : "doctor/bob", "false");
  return tx.commit();
}

TEST_F(Rules, of_two_doctors_who_go_off_call_together_one_is_refused) {
  for (int round = 0; round < scaled("rounds of write skew", 30, 5); ++round) {
    fill({{"doctor/alice", "true"}, {"doctor/bob", "true"}});
    const auto outcomes = pair_.run(path_, [](Store& store, int number, const auto& meet) {
      return go_off_call(store, number, false, meet);
    });
    EXPECT_EQ(count(outcomes, Pair::kCommitted), 1);
    EXPECT_EQ(count(outcomes, errc::transaction_conflict), 1);
    EXPECT_NE(value("doctor/alice"), value("doctor/bob"));
  }
}

TEST_F(Rules, snapshot_isolation_lets_write_skew_through) {
  fill({{"doctor/alice", "true"}, {"doctor/bob", "true"}});
  const auto outcomes = pair_.run(path_, [](Store& store, int number, const auto& meet) {
    return go_off_call(store, number, true, meet);
  });
  EXPECT_EQ(count(outcomes, Pair::kCommitted), 2);
  EXPECT_EQ(value("doctor/alice"), "false");
  EXPECT_EQ(value("doctor/bob"), "false");
}

TEST_F(Rules, of_two_who_count_a_range_and_insert_into_it_one_is_refused) {
  for (int round = 0; round < scaled("rounds of phantoms", 30, 5); ++round) {
    // At most two shifts for the same day: each sees one, and adds its own.
    fill({{"shift/monday/1", "{}"}, {"shift/tuesday/1", "{}"}});
    const auto outcomes = pair_.run(path_, [](Store& store, int number, const auto& meet) {
      Transaction tx = store.begin();
      int shifts = 0;
      for (const Entry& entry : tx.prefix("shift/monday/")) {
        require(!entry.key.empty(), "a key");
        ++shifts;
      }
      meet();
      require(shifts == 1, "one shift is there when both have read");
      tx.set("shift/monday/" + std::to_string(2 + number), "{}");
      return tx.commit();
    });
    EXPECT_EQ(count(outcomes, Pair::kCommitted), 1);
    EXPECT_EQ(count(outcomes, errc::transaction_conflict), 1);
  }
}

/// What another process commits between the reading and the commit of a transaction.
struct Interference {
  const char* what;
  std::function<void(Batch&)> change;
  bool conflicts;
};

/// How the transaction reads the range [b, f) of a, b, c, e, f, g: how many keys it steps over, and
/// from which side.
struct Reading {
  bool backwards;
  int steps;
};

class RangeRules : public Rules {
 protected:
  /// The outcome of a transaction that reads so, while somebody else commits that.
  errc commit_after(const Reading& reading, const Interference& other) {
    fill({{"a", "1"}, {"b", "1"}, {"c", "1"}, {"e", "1"}, {"f", "1"}, {"g", "1"}});
    const auto outcomes =
        pair_.run(path_, [&](Store& store, int number, const auto& meet) -> Result<Committed> {
          if (number == 1) {
            meet();
            Batch batch;
            other.change(batch);
            auto committed = store.submit(batch).wait();
            meet();
            return committed;
          }
          Transaction tx = store.begin();
          int left = reading.steps;
          const Range range = tx.range("b", "f");
          for (const Entry& entry : reading.backwards ? range.reversed() : range) {
            tx.set("read/" + std::string(entry.key), "1");
            if (--left == 0) break;
          }
          meet();
          meet();
          return tx.commit();
        });
    EXPECT_EQ(outcomes[1], Pair::kCommitted);
    return outcomes[0];
  }
};

TEST_F(RangeRules, a_range_read_to_its_end_is_kept_to_its_ends_and_no_further) {
  const std::vector<Interference> table{
      {"elsewhere", [](Batch& b) { b.set("z", "1"); }, false},
      {"a key inserted", [](Batch& b) { b.set("d", "1"); }, true},
      {"a key inserted behind the first", [](Batch& b) { b.set("bb", "1"); }, true},
      {"a key inserted right before the end", [](Batch& b) { b.set("ezzz", "1"); }, true},
      {"a key erased", [](Batch& b) { b.erase("c"); }, true},
      {"a key changed", [](Batch& b) { b.set("c", "2"); }, true},
      {"one erased and one inserted", [](Batch& b) { b.erase("c").set("d", "1"); }, true},
      {"the end itself changed", [](Batch& b) { b.set("f", "2"); }, false},
      {"keys before the beginning", [](Batch& b) { b.set("a", "2").set("aa", "1"); }, false},
      {"keys behind the end", [](Batch& b) { b.erase("g").set("h", "1"); }, false},
  };
  for (const Interference& other : table) {
    for (const bool backwards : {false, true}) {
      SCOPED_TRACE(std::string(other.what) + (backwards ? ", read backwards" : ""));
      EXPECT_EQ(commit_after({backwards, -1}, other),
                other.conflicts ? errc::transaction_conflict : Pair::kCommitted);
    }
  }
}

TEST_F(RangeRules, a_range_left_early_is_kept_as_far_as_it_was_read) {
  // Forwards over b and c; backwards over e and c.
  const std::vector<std::pair<Interference, bool>> table{
      {{"before the last key shown", [](Batch& b) { b.set("bb", "1"); }, true}, false},
      {{"the last key shown", [](Batch& b) { b.erase("c"); }, true}, false},
      {{"behind the last key shown", [](Batch& b) { b.set("d", "1"); }, false}, false},
      {{"a key that was not shown", [](Batch& b) { b.erase("e"); }, false}, false},
      {{"behind the last key shown", [](Batch& b) { b.set("d", "1"); }, true}, true},
      {{"the last key shown", [](Batch& b) { b.erase("c"); }, true}, true},
      {{"before the last key shown", [](Batch& b) { b.set("bb", "1"); }, false}, true},
      {{"a key that was not shown", [](Batch& b) { b.erase("b"); }, false}, true},
  };
  for (const auto& [other, backwards] : table) {
    SCOPED_TRACE(std::string(other.what) + (backwards ? ", read backwards" : ""));
    EXPECT_EQ(commit_after({backwards, 2}, other),
              other.conflicts ? errc::transaction_conflict : Pair::kCommitted);
  }
}

}  // namespace
}  // namespace dfs::test
