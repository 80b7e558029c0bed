// The plain map with versions again, now against a real daemon and the library: fewer cases than in
// model_test, and everything between a caller and the disk.
//
// One client at a time asks, so every answer is known beforehand; transactions stay open over
// others' commits and over the daemon's end.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/plain_store.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr std::array<const char*, 7> kKeys{"a", "aa", "ab", "b", "ba", "c", "\xC3\xA9"};

struct Reached {
  std::uint64_t commits = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t phantoms = 0;
  std::uint64_t mismatches = 0;
  std::uint64_t reopenings = 0;
  std::uint64_t snapshots_read = 0;
};

/// A transaction that is open, and what the model says it has done.
struct OpenTransaction {
  Transaction tx;
  PlainCommit plain;
};

class ModelOfADaemon {
 public:
  explicit ModelOfADaemon(unsigned seed)
      : random_(seed), daemon_(DaemonProcess::serving({.store = path_})), store_(open()) {
    plain_.begin({}, 0, {});
  }

  void step() {
    switch (below(40)) {
      case 0:
        return reopen(true);
      case 1:
        return reopen(false);
      case 2:
      case 3:
      case 4:
      case 5:
        return hold_snapshot();
      case 6:
      case 7:
      case 8:
      case 9:
      case 10:
        return look_at_snapshots();
      case 11:
      case 12:
      case 13:
      case 14:
      case 15:
      case 16:
      case 17:
      case 18:
        return begin();
      case 19:
      case 20:
      case 21:
      case 22:
      case 23:
      case 24:
      case 25:
      case 26:
        return end_one();
      default:
        return submit();
    }
  }
  [[nodiscard]] const Reached& reached() const { return reached_; }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  std::string key() { return kKeys.at(below(kKeys.size())); }

  [[nodiscard]] Store open() const {
    Options options;
    options.autostart = Autostart::never;
    options.timeout = std::chrono::minutes(1);
    options.wait_for_daemon = std::chrono::minutes(1);
    return need(Store::open(path_, options), "open");
  }

  /// The daemon ends, cleanly or not; handles, snapshots and transactions stay.
  void reopen(bool kill) {
    if (kill) {
      daemon_.kill();
    } else {
      daemon_.stop();
    }
    daemon_ = DaemonProcess::serving({.store = path_});
    ++reached_.reopenings;
    if (below(2) == 0) store_ = open();
    expect_snapshot(store_.snapshot(), plain_.now());
  }

  void hold_snapshot() {
    snapshots_.emplace_back(store_.snapshot(), plain_.now());
    EXPECT_EQ(snapshots_.back().first.sequence(), plain_.last());
    if (snapshots_.size() > 6) {
      snapshots_.erase(snapshots_.begin() + static_cast<std::ptrdiff_t>(below(6)));
    }
  }
  void look_at_snapshots() {
    for (const auto& [snapshot, content] : snapshots_) expect_snapshot(snapshot, content);
  }
  void expect_snapshot(const Snapshot& snapshot, const PlainContent& content) {
    ++reached_.snapshots_read;
    const PlainContent live = PlainStore::live(content);
    for (const char* one : kKeys) {
      const auto entry = snapshot.get(one);
      const auto expected = live.find(one);
      ASSERT_EQ(entry.has_value(), expected != live.end()) << one;
      if (entry) expect_entry(*entry, expected->first, expected->second);
    }
    const Range all = snapshot.all();
    auto expected = live.begin();
    for (const Entry& entry : all) {
      ASSERT_NE(expected, live.end());
      expect_entry(entry, expected->first, expected->second);
      ++expected;
    }
    EXPECT_EQ(expected, live.end());
    EXPECT_TRUE(all.status());
    auto last = live.rbegin();
    for (const Entry& entry : all.reversed()) {
      ASSERT_NE(last, live.rend());
      EXPECT_EQ(entry.key, last->first);
      ++last;
    }
    EXPECT_EQ(last, live.rend());
  }
  static void expect_entry(const Entry& entry, const std::string& key, const PlainKey& what) {
    EXPECT_EQ(entry.key, key);
    EXPECT_EQ(entry.value, what.value);
    EXPECT_EQ(entry.version, what.version);
    EXPECT_EQ(entry.sequence, what.sequence);
  }

  PlainExpectation expectation(const std::string& of) {
    if (below(3) > 0) return {};
    PlainExpectation made{static_cast<PlainExpectation::Kind>(below(4)), 0};
    if (made.kind != PlainExpectation::Kind::version) return made;
    const auto found = plain_.now().find(of);
    const std::uint64_t real = found == plain_.now().end() ? 0 : found->second.version;
    made.version = below(3) == 0 ? below(real + 2) : real;
    return made;
  }
  static Expect expect_of(const PlainExpectation& expect) {
    switch (expect.kind) {
      case PlainExpectation::Kind::present:
        return expect_present;
      case PlainExpectation::Kind::absent:
        return expect_absent;
      case PlainExpectation::Kind::version:
        return expect_version(expect.version);
      case PlainExpectation::Kind::any:
        break;
    }
    return expect_any;
  }

  /// Writes and checks for `commit`, given to a batch or transaction alike.
  template <class Commit>
  void invent(Commit& commit, PlainCommit& plain) {
    if (below(6) == 0) {
      plain.checks.push_back({key(), {}});
      PlainCheck& check = plain.checks.back();
      check.expect = expectation(check.key);
      commit.check(check.key, expect_of(check.expect));
    }
    // Each key once: a key written twice has one answer here and two in the plain map.
    std::set<std::string> keys;
    for (std::uint64_t i = 1 + below(3); i > 0; --i) keys.insert(key());
    for (const std::string& one : keys) {
      PlainWrite write{one, std::nullopt, expectation(one)};
      if (below(4) > 0) write.value = std::to_string(below(100'000));
      if (write.value) {
        commit.set(one, *write.value, expect_of(write.expect));
      } else {
        commit.erase(one, expect_of(write.expect));
      }
      plain.writes.push_back(std::move(write));
    }
  }

  void submit() {
    Batch batch;
    PlainCommit plain;
    invent(batch, plain);
    compare(plain, store_.submit(batch).wait());
  }
  void begin() {
    if (open_.size() >= 4) return end_one();
    OpenTransaction one{store_.begin(), {}};
    one.plain.snapshot = plain_.last();
    const PlainContent then = PlainStore::live(plain_.now());
    for (std::uint64_t i = below(2); i > 0; --i) {
      one.plain.reads.push_back(key());
      EXPECT_EQ(one.tx.get(one.plain.reads.back()).has_value(),
                then.count(one.plain.reads.back()) != 0);
    }
    if (below(4) > 0) read_range(one, then);
    open_.push_back(std::move(one));
  }
  /// Steps over a range, to its end or only so far.
  void read_range(OpenTransaction& one, const PlainContent& then) {
    PlainRange range{key(), key(), PlainRange::End::exclusive};
    if (below(4) == 0) range.end = PlainRange::End::everything;
    if (range.end == PlainRange::End::everything) range.to.clear();
    const std::uint64_t most = 1 + below(8);
    std::uint64_t shown = 0;
    bool left_early = false;
    std::string last;
    for (const Entry& entry : one.tx.range(range.from, range.to)) {
      EXPECT_TRUE(range.holds(std::string(entry.key)));
      EXPECT_EQ(then.count(std::string(entry.key)), 1U);
      last = entry.key;
      left_early = ++shown == most;
      if (left_early) break;
    }
    if (left_early) {
      range.to = last;
      range.end = PlainRange::End::inclusive;
    }
    one.plain.ranges.push_back(range);
  }
  void end_one() {
    if (open_.empty()) return;
    const auto at = open_.begin() + static_cast<std::ptrdiff_t>(below(open_.size()));
    OpenTransaction one = std::move(*at);
    open_.erase(at);
    if (below(8) == 0) return one.tx.rollback();
    invent(one.tx, one.plain);
    compare(one.plain, one.tx.commit());
  }

  void compare(const PlainCommit& plain, const Result<Committed>& done) {
    PlainAnswer expected = plain_.judge(plain);
    if (expected.refused) {
      ASSERT_FALSE(done) << "expected " << name(*expected.refused);
      EXPECT_EQ(done.error().code(), *expected.refused) << done.error().text();
      EXPECT_EQ(done.error().version(), expected.version);
      if (*expected.refused == errc::version_mismatch) {
        EXPECT_EQ(done.error().key(), expected.key);
        ++reached_.mismatches;
      } else {
        // Of several keys that have changed the library may ask about any first.
        ++(expected.phantom ? reached_.phantoms : reached_.conflicts);
      }
      return;
    }
    ASSERT_TRUE(done) << done.error().text();
    if (compacts_) {
      ASSERT_EQ(done->versions.size(), expected.versions.size());
      for (std::size_t i = 0; i < expected.versions.size(); ++i) {
        // Behind a compaction a key that is made again begins above all that were erased.
        if (expected.versions[i] == 0 || plain_.is_live(plain.writes[i].key)) continue;
        EXPECT_GE(done->versions[i], expected.versions[i]);
        expected.versions[i] = done->versions[i];
      }
    }
    EXPECT_EQ(done->versions, expected.versions);
    EXPECT_EQ(done->sequence != 0, expected.wrote);
    ++reached_.commits;
    if (!expected.wrote) return;
    EXPECT_GT(done->sequence, plain_.last());
    plain_.apply(plain, expected, done->sequence);
  }

  std::mt19937 random_;
  const bool compacts_ = !options_for_all_daemons().empty();
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "model.db";
  DaemonProcess daemon_;
  Store store_;
  PlainStore plain_;
  std::vector<std::pair<Snapshot, PlainContent>> snapshots_;
  std::vector<OpenTransaction> open_;
  Reached reached_;
};

TEST(ModelOfADaemon, answers_and_snapshots_are_those_of_a_plain_map_over_restarts) {
  const Watchdog watchdog("a daemon and its model");
  ModelOfADaemon model(20231119);
  const int steps = scaled("steps", 4000, 800);
  for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) model.step();
  const Reached& reached = model.reached();
  const auto n = [](std::uint64_t number) { return static_cast<unsigned long long>(number); };
  std::printf(
      "%llu commits, %llu conflicts, %llu phantoms, %llu mismatches, %llu reopenings, %llu "
      "snapshots read\n",
      n(reached.commits), n(reached.conflicts), n(reached.phantoms), n(reached.mismatches),
      n(reached.reopenings), n(reached.snapshots_read));
  EXPECT_GT(reached.commits, static_cast<std::uint64_t>(steps) / 10);
  for (const std::uint64_t counted :
       {reached.conflicts, reached.phantoms, reached.mismatches, reached.reopenings}) {
    EXPECT_GT(counted, static_cast<std::uint64_t>(steps) / 200);
  }
}

}  // namespace
}  // namespace dfs::test
