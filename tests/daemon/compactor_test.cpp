// The real compactor with a writer and readers as threads of one process, so that ThreadSanitizer
// sees what each touches: compactions without end, snapshots in every generation, and a log that
// holds it all afterwards.
#include "daemon/compactor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "common/index/lookup.hpp"
#include "common/index/snapshot.hpp"
#include "common/log/encode.hpp"
#include "common/wire/client_page.hpp"
#include "daemon/opening.hpp"
#include "tests/daemon/scratch_directory.hpp"

namespace dfs::daemon {
namespace {

constexpr std::uint64_t kCommits = 3000;
constexpr std::uint64_t kLeastSwitches = 5;

class CompactorTest : public testing::Test {
 protected:
  CompactorTest() {
    options_.store = scratch_.file("store.db");
    store_ = open_store({options_, mark_, pulse_}).value();
    generations_.emplace(store_.control->page(), std::move(store_.budget),
                         std::move(store_.generation), mark_);
    ledger_.emplace(store_.gaps, store_.start.last);
    syncer_.emplace(
        *store_.log, store_.control->page(), counters_, Syncer::Settings{}, [] {},
        [](const Error&) {});
    compactor_.emplace(
        Compactor::Parts{journal_, *generations_, *store_.log, *ledger_, counters_, *syncer_,
                         store_.store_id, store_.start.floors},
        Compactor::Settings{std::chrono::milliseconds(1), 1, std::chrono::milliseconds(0),
                            std::chrono::minutes(1)},
        [] {}, [] {});
  }

  std::shared_ptr<Session> add_client(std::uint64_t connection) {
    auto pair = os::make_pair().value();
    ClientIdentity identity;
    identity.connection = connection;
    auto session = Session::make(identity, std::move(pair.ours), mark_).value();
    generations_->add_holder(session);
    return session;
  }

  Checkpoint checkpoint(std::uint64_t sequence) {
    return {sequence, sequence + 1, store_.log->end(), generations_->current().index().used(),
            os::Monotonic::now()};
  }

  /// Both keys to the commit's number.
  void commit(std::uint64_t sequence) {
    const std::string value = std::to_string(sequence);
    std::string lines;
    index::IndexWriter& index = generations_->current().index();
    ASSERT_TRUE(index.reserve(2, 2 * index::record_bytes(1, value.size(), true)));
    for (const char* key : {"a", "b"}) {
      log::Record line;
      line.key = key;
      line.value = value;
      line.version = line.sequence = sequence;
      line.commit_records = 2;
      if (lines.empty()) line.watermark = line.time_ms = sequence - 1;
      log::append_record(lines, line);
    }
    ASSERT_TRUE(store_.log->append(lines));
    for (const char* key : {"a", "b"}) {
      index::NewRecord made;
      made.key = key;
      made.value = value;
      made.version = made.sequence = sequence;
      made.last_of_commit = *key == 'b';
      index.add(made);
    }
    index.publish(sequence);
    ledger_->prepared(sequence);
    ledger_->published(sequence);
    counters_.live_keys.store(index.live_keys());
    counters_.live_bytes.store(index.live_bytes());
    counters_.used_bytes.store(index.used());
    compactor_->note(checkpoint(sequence));
  }

  /// What the writer does between two batches.
  void meet_compactor(std::uint64_t sequence) {
    do {
      if (compactor_->wants_turn()) {
        const auto handed = compactor_->turn(checkpoint(sequence));
        ASSERT_TRUE(handed.has_value()) << handed.error().text();
        ASSERT_TRUE(handed->done) << handed->why.text();
        ++switches_;
        compactor_->note(checkpoint(sequence));
      }
      if (store_.log->end() >= compactor_->pause_at()) std::this_thread::yield();
    } while (store_.log->end() >= compactor_->pause_at());
  }

  void read(const Session& session) {
    const auto memory = os::Mapping::map(session.handover().descriptors.at(0),
                                         {kClientPageBytes, os::Mapping::Access::write}, mark_);
    auto& holds =
        wire::client_page_at({(*memory)->data(), static_cast<std::size_t>((*memory)->size())})
            .holds;
    std::uint64_t last = 0;
    while (!done_.load(std::memory_order_acquire)) {
      const index::Taken taken = index::take(store_.control->page(), index::Holds(holds));
      const auto generation = generations_->find(taken.generation);
      ASSERT_TRUE(generation) << "what is held is not given back";
      const index::View view = generation->index().view();
      EXPECT_GE(taken.sequence, last);
      last = taken.sequence;
      const index::Lookup a = index::find(view, "a", taken.sequence);
      const index::Lookup b = index::find(view, "b", taken.sequence);
      ASSERT_EQ(a.outcome, taken.sequence == 0 ? index::Outcome::absent : index::Outcome::found);
      if (taken.sequence > 0) {
        ASSERT_EQ(b.outcome, index::Outcome::found);
        EXPECT_EQ(a.record->version, taken.sequence) << "the snapshot's own";
        EXPECT_EQ(a.record->value(), b.record->value());
      }
      EXPECT_TRUE(index::look(view));
      index::release(index::Holds(holds), taken.generation);
      ++snapshots_;
    }
  }

  const ScratchDirectory scratch_;
  const os::ForkMark mark_;
  Pulse pulse_;
  Journal journal_;
  Options options_;
  Counters counters_;
  OpenedStore store_;
  std::optional<Generations> generations_;
  std::optional<Ledger> ledger_;
  std::optional<Syncer> syncer_;
  std::optional<Compactor> compactor_;
  std::uint64_t switches_ = 0;
  std::atomic<bool> done_{false};
  std::atomic<std::uint64_t> snapshots_{0};
};

TEST_F(CompactorTest, readers_and_writer_go_on_while_generations_come_and_go) {
  const auto one = add_client(1);
  const auto other = add_client(2);
  compactor_->start();
  std::thread reader([&] { read(*one); });
  std::thread another([&] { read(*other); });
  std::uint64_t sequence = 0;
  while (sequence < kCommits || switches_ < kLeastSwitches) {
    commit(++sequence);
    meet_compactor(sequence);
    if (HasFatalFailure()) break;
  }
  done_.store(true, std::memory_order_release);
  reader.join();
  another.join();
  compactor_->stop();
  EXPECT_GT(snapshots_.load(), 0U);
  EXPECT_EQ(generations_->give_back_unheld(), 0U) << "nobody holds any";
  EXPECT_EQ(generations_->superseded().size(), 0U);

  // What the last log holds is the last state.
  store_.log.reset();
  const auto again = open_store({options_, mark_, pulse_}).value();
  const index::RecordHeader* a = again.generation->index().newest("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->version, sequence);
  EXPECT_EQ(a->value(), std::to_string(sequence));
  EXPECT_GT(again.start.last, 0U);
}

TEST_F(CompactorTest, a_compaction_that_is_asked_for_ends_with_its_number) {
  commit(1);
  commit(2);
  compactor_->set(
      {std::chrono::hours(1), 1, std::chrono::milliseconds(0), std::chrono::minutes(1)});
  compactor_->start();
  const std::uint64_t number = compactor_->ask();
  EXPECT_FALSE(compactor_->ended(number).over);
  while (!compactor_->ended(number).over) meet_compactor(2);
  EXPECT_FALSE(compactor_->ended(number).failure);
  EXPECT_EQ(switches_, 1U);
  EXPECT_GT(compactor_->ask(), number);
  compactor_->stop();
}

}  // namespace
}  // namespace dfs::daemon
