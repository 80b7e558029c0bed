// What a transaction promises, seen from outside: of two that would break a rule together, one is
// refused, whether they read keys or ranges.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

Store open_served(const std::string& path) {
  Options options;
  options.autostart = Autostart::never;
  options.timeout = std::chrono::seconds(60);
  return need(Store::open(path, options), "open");
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
