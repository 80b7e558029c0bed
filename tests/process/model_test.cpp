// Random commits, transactions, crashes and reopenings of the daemon's own parts against a plain
// map with versions: what is answered, what every snapshot holds, what recovery finds.
//
// The counts at the end say what was reached.
#include <gtest/gtest.h>

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/limits.hpp"
#include "common/index/cursor.hpp"
#include "common/index/feed.hpp"
#include "common/index/lookup.hpp"
#include "tests/process/bare_store.hpp"
#include "tests/process/invented_commit.hpp"
#include "tests/process/plain_store.hpp"
#include "tests/process/scale.hpp"

#include <rapidcheck.h>

namespace dfs::test {
namespace {

constexpr const char* kStoreId = "0123456789abcdef0123456789abcdef";

/// What a run of the model reached; counted over all cases.
struct Reached {
  std::uint64_t commits = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t phantoms = 0;
  std::uint64_t lost_snapshots = 0;
  std::uint64_t mismatches = 0;
  std::uint64_t stops = 0;
  std::uint64_t kills = 0;
  std::uint64_t power_cuts = 0;
  std::uint64_t torn = 0;            ///< recoveries that cut something off
  std::uint64_t lost_commits = 0;    ///< published, not durable, and not there after a power cut
  std::uint64_t unacknowledged = 0;  ///< never acknowledged, and found by recovery
  std::uint64_t burnt = 0;
  std::uint64_t snapshots_read = 0;
};

/// One step of a case: what, and where its choices come from.
struct Step {
  std::uint8_t kind = 0;
  std::uint64_t seed = 0;
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << '{' << int{step.kind} << ',' << step.seed << '}';
}

/// The pair under test, and the steps that both take.
class Pair {
 public:
  Pair(std::uint64_t seed, Reached& reached) : reached_(reached) {
    Choices choices(seed);
    durable_store_ = choices.one_in(2);
    open(first_log(choices));
    store_->sync(store_->published());
  }

  void take(const Step& step) {
    Choices choices(step.seed);
    switch (step.kind) {
      case 0:
        return commit_batch(choices);
      case 1:
        return look_at_snapshot(choices);
      case 2:
        if (choices.one_in(2)) return store_->mark();
        return store_->sync(store_->published());
      case 3:
        return end_and_open_again(choices);
      default:
        return;
    }
  }
  void finish() {
    Choices choices(1);
    end_and_open_again(choices);
  }

 private:
  /// A new log, or one with a base: keys that compaction carried over, and version floors.
  std::string first_log(Choices& choices) {
    std::string image;
    log::First first;
    first.store = kStoreId;
    first.dfs = "1.0.0";
    PlainContent content;
    PlainStore::Floors floors;
    if (choices.one_in(2)) first.base = 100;
    log::append_first(image, first);
    if (first.base > 0) {
      floors.floor = choices.below(5);
      floors.restored = choices.one_in(2) ? choices.below(12) : 0;
      for (const char* key : {"a", "b", "c"}) {
        if (choices.one_in(3)) continue;
        PlainKey& made = content[key];
        made = {true, 1 + choices.below(9), 20 + 10 * content.size(), "\"base\""};
        log::Record record;
        record.key = key;
        record.version = made.version;
        record.value = made.value;
        record.sequence = made.sequence;
        record.time_ms = 1790000000000;
        record.in_base = true;
        log::append_record(image, record);
      }
      log::append_base(
          image, {content.size(), first.base, floors.floor, floors.restored, {}, 1790000000000});
    }
    plain_.begin(std::move(content), first.base, floors);
    highest_given_ = first.base;
    return image;
  }

  void open(std::string log) {
    store_ = BareStore::open(std::move(log), ++time_ms_);
    const log::Recovery& found = store_->recovery();
    if (!found.usable()) RC_FAIL("recovery refuses: " + found.reason);
    // I4: a prefix of the commit order, with every durable commit in it.
    if (!plain_.has(found.last())) RC_FAIL("recovery found commits that never were");
    RC_ASSERT(found.last() >= promised_);
    reached_.torn += store_->was_cut() ? 1U : 0U;
    reached_.lost_commits += published_ > found.last() ? 1U : 0U;
    reached_.unacknowledged += published_ < found.last() ? 1U : 0U;
    plain_.go_back_to(found.last());
    // I5: no sequence that anybody was given, or could have found prepared, is given again.
    RC_ASSERT(found.next > highest_given_);
    promised_ = found.last();
    published_ = found.last();
    compare();
  }

  void commit_batch(Choices& choices) {
    store_->begin_batch(++time_ms_);
    const PlainContent before = plain_.now();
    const std::uint64_t published = store_->published();
    const std::uint64_t count = 1 + choices.below(3);
    for (std::uint64_t i = 0; i < count; ++i) submit(choices);
    if (store_->batched() == 0) return;
    store_->prepare();
    const std::uint64_t last = store_->last_given();
    highest_given_ = std::max(highest_given_, last);
    if (choices.one_in(12)) {
      store_->refuse_batch();
      plain_.go_back_to(published);
      promised_ = published;
      ++reached_.burnt;
      return;
    }
    if (choices.one_in(16)) return crash_in_append(choices);
    store_->append();
    if (choices.one_in(16)) return crash(choices);
    if (durable_store_ || store_->batch_wants_sync()) {
      store_->sync(last);
      promised_ = last;
    }
    if (choices.one_in(16)) return crash(choices);
    store_->publish();
    published_ = last;
    if (!durable_store_) promised_ = store_->durable();
  }

  /// One random request, put to both.
  void submit(Choices& choices) {
    const PlainCommit commit = Inventor(choices, plain_, given_, store_->published()).commit();
    const PlainAnswer expected = plain_.judge(commit);
    const Taken taken = store_->take(request_for(commit, plain_, *store_));
    if (expected.refused) {
      RC_ASSERT(taken.refusal.has_value());
      RC_ASSERT(taken.refusal->code == *expected.refused);
      RC_ASSERT(std::string(taken.refusal->key) == expected.key);
      RC_ASSERT(taken.refusal->version == expected.version);
      count(expected);
      return;
    }
    if (taken.refusal) RC_FAIL("refused: " + std::string(name(taken.refusal->code)));
    RC_ASSERT(taken.versions == expected.versions);
    RC_ASSERT((taken.sequence != 0) == expected.wrote);
    ++reached_.commits;
    if (!expected.wrote) return;
    RC_ASSERT(given_.insert(taken.sequence).second);
    plain_.apply(commit, expected, taken.sequence);
  }
  void count(const PlainAnswer& expected) {
    if (*expected.refused == errc::version_mismatch) {
      ++reached_.mismatches;
    } else if (expected.lost_snapshot) {
      ++reached_.lost_snapshots;
    } else {
      ++(expected.phantom ? reached_.phantoms : reached_.conflicts);
    }
  }

  void look_at_snapshot(Choices& choices) {
    auto at = plain_.history().find(store_->published());
    for (std::uint64_t back = choices.below(8); back > 0 && at->first > plain_.oldest(); --back)
      --at;
    expect_snapshot(at->first, at->second);
  }
  /// Everything that a reader can ask of a snapshot, both ways round.
  void expect_snapshot(std::uint64_t sequence, const PlainContent& content) {
    ++reached_.snapshots_read;
    const index::View view = store_->view();
    for (const char* key : kKeys) {
      const index::Lookup found = index::find(view, key, sequence);
      const auto expected = content.find(key);
      const bool live = expected != content.end() && expected->second.live;
      RC_ASSERT(found.outcome == (live ? index::Outcome::found : index::Outcome::absent));
      if (live) expect_record(*found.record, expected->first, expected->second);
    }
    const PlainContent live = PlainStore::live(content);
    index::Cursor cursor(view, sequence);
    cursor.seek_first();
    for (auto it = live.begin(); it != live.end(); ++it, cursor.next()) {
      RC_ASSERT(cursor.valid());
      expect_record(cursor.record(), it->first, it->second);
    }
    RC_ASSERT(cursor.outcome() == index::Outcome::absent);
    cursor.seek_last();
    for (auto it = live.rbegin(); it != live.rend(); ++it, cursor.prev()) {
      RC_ASSERT(cursor.valid());
      expect_record(cursor.record(), it->first, it->second);
    }
    RC_ASSERT(cursor.outcome() == index::Outcome::absent);
  }
  static void expect_record(const index::RecordHeader& record, const std::string& key,
                            const PlainKey& what) {
    RC_ASSERT(std::string(record.key()) == key);
    RC_ASSERT(std::string(record.value()) == what.value);
    RC_ASSERT(record.version == what.version);
    RC_ASSERT(record.sequence == what.sequence);
  }

  /// After an opening: every snapshot of the history, the feed, and what became of each sequence.
  void compare() {
    for (const auto& [sequence, content] : plain_.history()) {
      if (sequence >= plain_.oldest()) expect_snapshot(sequence, content);
    }
    const daemon::Ledger& ledger = store_->ledger();
    for (const std::uint64_t sequence : given_) {
      const bool there = plain_.has(sequence);
      RC_ASSERT(ledger.fate(sequence) ==
                (there ? daemon::Fate::committed : daemon::Fate::not_committed));
      RC_ASSERT(ledger.lost(sequence) == !there);
    }
    index::FeedStep step = index::first_after(store_->view(), plain_.oldest());
    std::uint64_t whole = plain_.oldest();
    for (;;) {
      step = index::feed_step(store_->view(), step.next, plain_.last());
      if (step.outcome != index::Outcome::found) break;
      const PlainContent& after = plain_.history().at(step.record->sequence);
      const PlainKey& what = after.at(std::string(step.record->key()));
      RC_ASSERT(what.sequence == step.record->sequence);
      RC_ASSERT(what.live == !step.record->erased());
      if (!step.record->last_of_commit()) continue;
      const auto previous = plain_.history().find(whole);
      RC_ASSERT(std::next(previous)->first == step.record->sequence);  // I3, in order
      whole = step.record->sequence;
    }
    RC_ASSERT(step.outcome == index::Outcome::absent);
    RC_ASSERT(whole == plain_.last());
  }

  void end_and_open_again(Choices& choices) {
    if (!choices.one_in(3)) return crash(choices);
    store_->stop();
    ++reached_.stops;
    promised_ = store_->published();
    open(store_->log());
    RC_ASSERT(store_->recovery().clean_stop);
    store_->sync(store_->published());
  }
  /// The daemon dies while the batch is being written: any part of it is in the file.
  void crash_in_append(Choices& choices) {
    std::string log = store_->log();
    const std::string_view lines = store_->batch_lines();
    log += lines.substr(0, choices.below(lines.size() + 1));
    open_after_crash(std::move(log), choices);
  }
  void crash(Choices& choices) { open_after_crash(store_->log(), choices); }

  void open_after_crash(std::string log, Choices& choices) {
    if (choices.one_in(2)) {
      ++reached_.kills;  // the kernel still has everything that was written
      promised_ = std::max(promised_, published_);
    } else {
      ++reached_.power_cuts;
      lose_what_was_not_synced(log, choices);
    }
    open(std::move(log));
    if (choices.one_in(2)) return store_->sync(store_->published());
    // Again, before the start line is on disk: nothing was served in between.
    std::string again = store_->log();
    lose_what_was_not_synced(again, choices);
    open(std::move(again));
    store_->sync(store_->published());
  }
  /// Whatever lies behind the last sync is there or not, in any order, in pieces of 32 bytes.
  void lose_what_was_not_synced(std::string& log, Choices& choices) {
    const std::size_t synced = store_->synced_bytes();
    log.resize(synced + choices.below(log.size() - synced + 1));
    for (std::size_t at = synced; at < log.size(); at += 32) {
      const std::size_t bytes = std::min<std::size_t>(32, log.size() - at);
      if (choices.one_in(6)) log.replace(at, bytes, bytes, '\0');
    }
  }

  Reached& reached_;
  PlainStore plain_;
  std::unique_ptr<BareStore> store_;
  bool durable_store_ = true;
  std::uint64_t time_ms_ = 1790000000001;
  std::uint64_t highest_given_ = 0;
  std::uint64_t promised_ = 0;   ///< durable: no crash may take it
  std::uint64_t published_ = 0;  ///< acknowledged as the store promises
  std::set<std::uint64_t> given_;
};

unsigned long long n(std::uint64_t number) { return number; }

rc::Gen<Step> step() {
  return rc::gen::construct<Step>(
      rc::gen::weightedElement<std::uint8_t>({{16, 0}, {4, 1}, {2, 2}, {3, 3}}),
      rc::gen::arbitrary<std::uint64_t>());
}

TEST(Model, answers_snapshots_and_recoveries_are_those_of_a_plain_map_with_versions) {
  const int cases = scaled("cases", 4000);
  std::string parameters = "max_success=" + std::to_string(cases);
  if (const char* given = std::getenv("RC_PARAMS")) parameters += std::string(" ") + given;
  ::setenv("RC_PARAMS", parameters.c_str(), 1);
  // Each opening takes and gives back the same few MiB: not from the kernel each time.
  ::mallopt(M_MMAP_THRESHOLD, 64 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  Reached reached;
  const bool holds = rc::check([&reached] {
    Pair pair(*rc::gen::arbitrary<std::uint64_t>(), reached);
    for (const Step& taken : *rc::gen::container<std::vector<Step>>(step())) pair.take(taken);
    pair.finish();
  });
  EXPECT_TRUE(holds);
  std::printf(
      "%llu commits, %llu conflicts, %llu phantoms, %llu lost snapshots refused, %llu mismatches\n"
      "%llu stops, %llu kills, %llu power cuts, %llu torn logs, %llu recoveries without a "
      "published "
      "commit, %llu with an unacknowledged one, %llu refused batches, %llu snapshots read\n",
      n(reached.commits), n(reached.conflicts), n(reached.phantoms), n(reached.lost_snapshots),
      n(reached.mismatches), n(reached.stops), n(reached.kills), n(reached.power_cuts),
      n(reached.torn), n(reached.lost_commits), n(reached.unacknowledged), n(reached.burnt),
      n(reached.snapshots_read));
  const auto least = static_cast<std::uint64_t>(cases / 20);
  for (const std::uint64_t counted :
       {reached.commits, reached.conflicts, reached.phantoms, reached.lost_snapshots,
        reached.mismatches, reached.stops, reached.kills, reached.power_cuts, reached.torn,
        reached.lost_commits, reached.unacknowledged, reached.burnt}) {
    EXPECT_GT(counted, least);
  }
}

}  // namespace
}  // namespace dfs::test
