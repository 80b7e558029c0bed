// The real index with one writer and several readers as threads over one memory: snapshots,
// lookups, cursors, the feed, switches and giving back. ThreadSanitizer sees every byte that a
// reader could touch without the order that the protocol promises; memory is cleared for real when
// it is given back.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include "common/index/cursor.hpp"
#include "common/index/feed.hpp"
#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

constexpr std::uint64_t kAccounts = 40;
constexpr std::uint64_t kSum = kAccounts * 100;
constexpr int kReaders = 3;

std::string account(std::uint64_t i) { return "account" + std::to_string(i); }
std::string serial(std::uint64_t sequence) {
  const std::string digits = std::to_string(sequence);
  return "serial" + std::string(8 - digits.size(), '0') + digits;
}

/// The later, the lower: each lies in the tree until the next compaction, then in a run.
std::string countdown(std::uint64_t sequence) { return "down" + serial(99'999'999 - sequence); }

/// A client's page of holds.
struct Client {
  std::array<std::atomic<std::uint64_t>, kGenerationSlots> holds{};
};

/// The writer's side: every commit moves money between two accounts, counts itself, and adds two
/// keys.
class Bank {
 public:
  Bank() : page_(std::make_unique<ControlPage>()) {
    open_control_page(*page_, {});
    open(1);
    for (std::uint64_t i = 0; i < kAccounts; ++i) {
      balances_[i] = 100;
      add(account(i), "100", 1, false);
    }
    add("count", "1", 1, true);
    writer_->publish(1);
    sequence_ = 1;
    make_current(*page_, 1);
  }

  void commit() {
    const std::uint64_t sequence = ++sequence_;
    const std::uint64_t from = sequence * 7 % kAccounts;
    const std::uint64_t to = sequence * 13 % kAccounts;
    const std::int64_t amount = static_cast<std::int64_t>(sequence % 5);
    balances_[from] -= amount;
    balances_[to] += amount;
    add(account(from), std::to_string(balances_[from]), sequence, false);
    add(account(to), std::to_string(balances_[to]), sequence, false);
    add(serial(sequence), "x", sequence, false);
    add(countdown(sequence), "x", sequence, false);
    if (sequence % 3 == 0) erase(serial(sequence - 1), sequence);
    add("count", std::to_string(sequence), sequence, true);
    writer_->publish(sequence);
  }

  /// A new generation of all that is live, and the old one superseded.
  void compact() {
    const std::uint64_t number = writer_->number();
    const View old = writer_->view();
    superseded_.push_back(std::move(held_[number % kGenerationSlots]));
    superseded_numbers_.push_back(number);
    open(number + 1);
    Cursor cursor(old, sequence_);
    for (cursor.seek_first(); cursor.valid(); cursor.next()) {
      const RecordHeader& record = cursor.record();
      ASSERT_TRUE(writer_->reserve(1, record_bytes(record.key_size(), record.value_size, true)));
      writer_->add({.key = record.key(),
                    .value = record.value(),
                    .version = record.version,
                    .sequence = record.sequence});
    }
    writer_->begin_feed(sequence_);
    writer_->publish(sequence_);
    make_current(*page_, number + 1);
  }

  /// Gives the superseded generations back that nobody holds. How many that were.
  int give_back_unheld(std::vector<std::unique_ptr<Client>>& clients) {
    int given = 0;
    for (std::size_t i = 0; i < superseded_.size(); ++i) {
      if (superseded_[i] == nullptr) continue;
      const std::uint64_t number = superseded_numbers_[i];
      std::uint64_t holds = 0;
      for (const auto& client : clients) {
        // seq_cst, after the switch: see make_current.
        holds += client->holds[number % kGenerationSlots].load(std::memory_order_seq_cst);
      }
      if (holds != 0) continue;
      give_back(slot_of(*page_, number));
      std::memset(superseded_[i]->space->base(), 0, superseded_[i]->space->allocated());
      superseded_[i] = nullptr;
      ++given;
    }
    return given;
  }

  [[nodiscard]] bool room_for_another() const {
    return state_of(slot_of(std::as_const(*page_), writer_->number() + 1).identity.load()) ==
               GenerationState::free ||
           state_of(slot_of(std::as_const(*page_), writer_->number() + 1).identity.load()) ==
               GenerationState::given_back;
  }
  [[nodiscard]] const ControlPage& page() const { return *page_; }
  [[nodiscard]] const std::byte* base_of(std::uint64_t number) const {
    // Acquire: as a descriptor that came over a socket.
    return bases_[number % kGenerationSlots].load(std::memory_order_acquire);
  }

 private:
  struct Generation {
    std::unique_ptr<BufferSpace> space;
    std::unique_ptr<IndexWriter> writer;
  };

  void open(std::uint64_t number) {
    open_generation(*page_, number);
    auto generation = std::make_unique<Generation>();
    generation->space =
        std::make_unique<BufferSpace>(slot_of(*page_, number), std::uint64_t{32} << 20, 65536);
    generation->writer =
        std::make_unique<IndexWriter>(*generation->space, slot_of(*page_, number),
                                      NewGeneration{.number = number, .seed = number});
    writer_ = generation->writer.get();
    bases_[number % kGenerationSlots].store(generation->space->base(), std::memory_order_release);
    held_[number % kGenerationSlots] = std::move(generation);
  }
  void add(std::string_view key, std::string_view value, std::uint64_t sequence, bool last) {
    ASSERT_TRUE(writer_->reserve(1, record_bytes(key.size(), value.size(), true)));
    writer_->add(
        {.key = key, .value = value, .version = 1, .sequence = sequence, .last_of_commit = last});
  }
  void erase(std::string_view key, std::uint64_t sequence) {
    ASSERT_TRUE(writer_->reserve(1, record_bytes(key.size(), 0, true)));
    writer_->add({.key = key,
                  .value = {},
                  .version = 2,
                  .sequence = sequence,
                  .erased = true,
                  .last_of_commit = false});
  }

  std::unique_ptr<ControlPage> page_;
  std::array<std::unique_ptr<Generation>, kGenerationSlots> held_;
  std::array<std::atomic<const std::byte*>, kGenerationSlots> bases_{};
  std::vector<std::unique_ptr<Generation>> superseded_;
  std::vector<std::uint64_t> superseded_numbers_;
  IndexWriter* writer_ = nullptr;
  std::array<std::int64_t, kAccounts> balances_{};
  std::uint64_t sequence_ = 0;
};

/// One reader's checks of one snapshot.
class Reader {
 public:
  Reader(const Bank& bank, Client& client) : bank_(bank), client_(client) {}

  void check_one_snapshot() {
    const Taken taken = take(bank_.page(), client_.holds);
    ASSERT_GE(taken.sequence, last_sequence_) << "snapshots never go back (I2)";
    last_sequence_ = taken.sequence;
    const std::byte* base = bank_.base_of(taken.generation);
    const auto view = open_view(base, std::uint64_t{32} << 20, bank_.page(), taken.generation);
    ASSERT_TRUE(view.has_value());
    expect_sum(*view, taken.sequence);
    expect_serials(*view, taken.sequence);
    expect_countdowns(*view, taken.sequence);
    expect_feed(*view, taken.sequence);
    ASSERT_TRUE(look(*view)) << "a held generation stays (I6)";
    release(client_.holds, taken.generation);
    ++snapshots;
  }

  std::uint64_t snapshots = 0;

 private:
  static void expect_sum(const View& view, std::uint64_t sequence) {
    std::vector<std::string> names;
    for (std::uint64_t i = 0; i < kAccounts; ++i) names.push_back(account(i));
    const std::vector<std::string_view> keys(names.begin(), names.end());
    std::vector<Lookup> found(kAccounts);
    find_many(view, keys, sequence, found);
    std::int64_t sum = 0;
    for (const Lookup& lookup : found) {
      ASSERT_EQ(lookup.outcome, Outcome::found);
      ASSERT_LE(lookup.record->sequence, sequence);
      sum += std::stoll(std::string(lookup.record->value()));
    }
    ASSERT_EQ(sum, static_cast<std::int64_t>(kSum)) << "a commit is whole or absent (I3)";
    const Lookup count = find(view, "count", sequence);
    ASSERT_EQ(count.outcome, Outcome::found);
    ASSERT_EQ(count.record->value(), std::to_string(sequence));
  }

  /// All serials up to the sequence, without those that were erased; both ways.
  static void expect_serials(const View& view, std::uint64_t sequence) {
    Cursor cursor(view, sequence);
    std::uint64_t expected = 2;
    const auto erased = [sequence](std::uint64_t n) { return n % 3 == 2 && n + 1 <= sequence; };
    for (cursor.seek("serial"); cursor.valid(); cursor.next()) {
      while (erased(expected)) ++expected;
      ASSERT_EQ(cursor.record().key(), serial(expected));
      ++expected;
    }
    ASSERT_EQ(cursor.outcome(), Outcome::absent);
    while (erased(expected)) ++expected;
    ASSERT_EQ(expected, sequence + 1);
    cursor.seek_last();
    for (int i = 0; i < 20 && expected > 2; ++i) {
      do --expected;
      while (erased(expected));
      if (expected < 2) break;
      ASSERT_TRUE(cursor.valid());
      ASSERT_EQ(cursor.record().key(), serial(expected));
      cursor.prev();
    }
  }

  /// The newest 300, and some of the way back.
  static void expect_countdowns(const View& view, std::uint64_t sequence) {
    Cursor cursor(view, sequence);
    std::uint64_t expected = sequence;
    for (cursor.seek("down"); expected > 1 && sequence - expected < 300; cursor.next()) {
      ASSERT_TRUE(cursor.valid());
      ASSERT_EQ(cursor.record().key(), countdown(expected));
      --expected;
    }
    for (int i = 0; i < 20 && expected < sequence && cursor.valid(); ++i) {
      cursor.prev();
      ++expected;
      ASSERT_TRUE(cursor.valid());
      ASSERT_EQ(cursor.record().key(), countdown(expected));
    }
  }

  static void expect_feed(const View& view, std::uint64_t sequence) {
    std::uint64_t last = std::max(feed_base(view), sequence > 300 ? sequence - 300 : 0);
    FeedStep step = first_after(view, last);
    ASSERT_EQ(step.outcome, Outcome::found);
    bool inside = false;
    for (step = feed_step(view, step.next, sequence); step.outcome == Outcome::found;
         step = feed_step(view, step.next, sequence)) {
      ASSERT_EQ(step.record->sequence, inside ? last : last + 1);
      last = step.record->sequence;
      inside = !step.record->last_of_commit();
    }
    ASSERT_EQ(step.outcome, Outcome::absent);
    ASSERT_FALSE(inside) << "the feed ends between commits (I3)";
    ASSERT_EQ(last, sequence);
  }

  const Bank& bank_;
  Client& client_;
  std::uint64_t last_sequence_ = 0;
};

TEST(Threads, readers_see_whole_commits_while_the_writer_goes_on) {
  Bank bank;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kReaders; ++i) clients.push_back(std::make_unique<Client>());
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> snapshots{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([&, i] {
      Reader reader(bank, *clients[static_cast<std::size_t>(i)]);
      while (!done.load() && !testing::Test::HasFatalFailure()) {
        reader.check_one_snapshot();
        snapshots.fetch_add(1);
      }
      reader.check_one_snapshot();
    });
  }
  int given_back = 0;
  int compactions = 0;
  for (int i = 0; i < 4000; ++i) {
    bank.commit();
    if (i % 50 == 0 && bank.room_for_another()) {
      bank.compact();
      ++compactions;
    }
    if (i % 10 == 0) given_back += bank.give_back_unheld(clients);
  }
  // Until the readers have seen enough of it, and every slot was used again.
  while ((snapshots.load() < 200 || compactions < 20) && !testing::Test::HasFatalFailure()) {
    bank.commit();
    if (bank.room_for_another()) {
      bank.compact();
      ++compactions;
    }
    given_back += bank.give_back_unheld(clients);
  }
  done.store(true);
  for (std::thread& thread : threads) thread.join();
  given_back += bank.give_back_unheld(clients);
  EXPECT_EQ(given_back, compactions);  // nothing is held any more
}

}  // namespace
}  // namespace dfs::index
