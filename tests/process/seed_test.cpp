// What the Go library's own tests cover, and the opposite of each of its defects: the same
// behaviour where it was right, said where this store is stricter on purpose.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/scale.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

class Seed : public ::testing::Test {
 protected:
  Seed() : daemon_(DaemonProcess::serving({.store = path_})) {}

  [[nodiscard]] Store open() const {
    Options options;
    options.autostart = Autostart::never;
    options.timeout = std::chrono::minutes(1);
    return need(Store::open(path_, options), "open");
  }
  void restart() {
    daemon_.stop();
    daemon_ = DaemonProcess::serving({.store = path_});
  }
  void kill_and_restart() {
    daemon_.kill();
    daemon_ = DaemonProcess::serving({.store = path_});
  }
  [[nodiscard]] static std::string user(const std::string& name) {
    return R"({"id":"u","name":")" + name + R"("})";
  }

  const Watchdog watchdog_{"a store"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
  DaemonProcess daemon_;
};

// --- What the Go library's tests cover: basic CRUD ---

class SeedCrud : public Seed {};

TEST_F(SeedCrud, what_is_set_is_got_and_what_is_deleted_is_gone) {
  Store store = open();
  EXPECT_EQ(need(store.set("user1", user("Alice")), "set").version, 1U);
  EXPECT_EQ(need(store.get("user1"), "get").value, user("Alice"));
  EXPECT_EQ(need(store.set("user1", user("Bob")), "set").version, 2U);
  EXPECT_EQ(need(store.get("user1"), "get").value, user("Bob"));
  EXPECT_EQ(need(store.erase("user1"), "erase").version, 3U);
  EXPECT_EQ(store.get("user1").error(), errc::absent);
}

TEST_F(SeedCrud, listing_filters_and_is_stricter_about_order) {
  Store store = open();
  for (int i = 9; i >= 0; --i)
    need(store.set("user" + std::to_string(i), std::to_string(i)), "set");
  need(store.erase("user5"), "erase");
  const Snapshot snapshot = store.snapshot();
  const auto odd =
      need(snapshot.list([](const Entry& e) { return e.value.back() % 2 == 1; }), "list");
  ASSERT_EQ(odd.size(), 4U);
  // There in any order; here in the order of the keys.
  EXPECT_EQ(odd[0].key, "user1");
  EXPECT_EQ(odd[3].key, "user9");
  EXPECT_EQ(need(snapshot.list([](const Entry&) { return true; }), "list").size(), 9U);
}

TEST_F(SeedCrud, everything_is_there_after_closing_and_opening) {
  {
    Store store = open();
    for (int i = 0; i < 100; ++i)
      need(store.set("k" + std::to_string(i), std::to_string(i)), "set");
    for (int i = 0; i < 100; i += 3) need(store.erase("k" + std::to_string(i)), "erase");
  }
  restart();
  Store store = open();
  for (int i = 0; i < 100; ++i) {
    const auto value = store.get("k" + std::to_string(i));
    ASSERT_EQ(value.has_value(), i % 3 != 0) << i;
    if (value) {
      EXPECT_EQ(value->value, std::to_string(i));
    }
  }
}

TEST_F(SeedCrud, versions_guard_updates_and_the_real_one_is_named) {
  Store store = open();
  const Committed first = need(store.set("user1", user("Alice")), "set");
  EXPECT_EQ(need(store.set("user1", user("Bob"), expect_version(first.version)), "set").version,
            2U);
  const auto stale = store.set("user1", user("Eve"), expect_version(first.version));
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error(), errc::version_mismatch);
  EXPECT_EQ(stale.error().key(), "user1");
  EXPECT_EQ(stale.error().version(), 2U);
  EXPECT_EQ(need(store.get("user1"), "get").value, user("Bob"));
  EXPECT_EQ(need(store.get("user1"), "get").version, 2U) << "every entry carries its version";
}

// --- Transactions ---

class SeedTransaction : public Seed {};

TEST_F(SeedTransaction, a_commit_happens_whole_and_a_rollback_not_at_all) {
  Store store = open();
  need(store.set("gone", "1"), "set");
  Transaction tx = store.begin();
  tx.set("user1", user("Alice")).set("user2", user("Bob")).erase("gone");
  EXPECT_EQ(store.get("user1").error(), errc::absent) << "seen before its commit";
  EXPECT_EQ(need(tx.get("user1"), "own write").value, user("Alice"));
  const Committed done = need(tx.commit(), "commit");
  EXPECT_EQ(done.versions, (std::vector<std::uint64_t>{1, 1, 2}));
  EXPECT_EQ(need(store.get("user1"), "get").sequence, need(store.get("user2"), "get").sequence);
  EXPECT_EQ(store.get("gone").error(), errc::absent);

  Transaction back = store.begin();
  back.set("user3", user("Eve")).erase("user1");
  back.rollback();
  EXPECT_EQ(store.get("user3").error(), errc::absent);
  EXPECT_TRUE(store.get("user1"));
}

TEST_F(SeedTransaction, one_that_is_over_is_finished) {
  Store store = open();
  Transaction committed = store.begin();
  committed.set("a", "1");
  need(committed.commit(), "commit");
  EXPECT_EQ(committed.commit().error(), errc::finished);
  EXPECT_EQ(committed.get("a").error(), errc::finished);
  Transaction rolled_back = store.begin();
  rolled_back.rollback();
  EXPECT_EQ(rolled_back.commit().error(), errc::finished);
}

TEST_F(SeedTransaction, of_two_that_read_and_write_one_key_the_second_conflicts) {
  Store store = open();
  need(store.set("counter", "1"), "set");
  Transaction first = store.begin();
  Transaction second = store.begin();
  need(first.get("counter"), "get");
  need(second.get("counter"), "get");
  first.set("counter", "2");
  second.set("counter", "2");
  need(first.commit(), "commit");
  const auto conflict = second.commit();
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error(), errc::transaction_conflict);
  EXPECT_EQ(conflict.error().key(), "counter");
}

// --- Concurrency ---

class SeedConcurrency : public Seed {};

TEST_F(SeedConcurrency, many_threads_lose_no_increment) {
  Store store = open();
  need(store.set("counter", "0"), "set");
  constexpr int kThreads = 8;
  const int each = scaled("increments", 50, 10);
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        const auto committed = store.transact([](Transaction& tx) -> Result<bool> {
          const auto counter = tx.get("counter");
          if (!counter) return counter.error();
          tx.set("counter", std::to_string(std::stoi(std::string(counter->value)) + 1));
          return true;
        });
        if (committed) ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done.load(), kThreads * each);
  EXPECT_EQ(need(store.get("counter"), "get").value, std::to_string(kThreads * each));
  EXPECT_EQ(need(store.get("counter"), "get").version, 1U + kThreads * static_cast<unsigned>(each));
}

TEST_F(SeedConcurrency, readers_among_writers_see_whole_commits) {
  Store store = open();
  need(store.submit(Batch().set("left", "0").set("right", "0")).wait(), "submit");
  std::atomic<bool> ending{false};
  std::atomic<int> looked{0};
  std::thread reader([&] {
    while (!ending.load()) {
      const Snapshot snapshot = store.snapshot();
      const auto left = snapshot.get("left");
      const auto right = snapshot.get("right");
      ASSERT_TRUE(left && right);
      EXPECT_EQ(left->value, right->value);
      ++looked;
    }
  });
  for (int i = 1; i <= 500 || looked.load() == 0; ++i) {
    const std::string value = std::to_string(i);
    need(store.submit(Batch().set("left", value).set("right", value)).wait(), "submit");
  }
  ending.store(true);
  reader.join();
}

// --- Edge cases ---

class SeedEdges : public Seed {};

TEST_F(SeedEdges, an_absent_key_is_no_error_to_erase_and_writes_nothing) {
  Store store = open();
  const Committed nothing = need(store.erase("never"), "erase");
  EXPECT_EQ(nothing.version, 0U);
  EXPECT_EQ(nothing.sequence, 0U);
}

TEST_F(SeedEdges, after_closing_every_call_says_closed) {
  Store store = open();
  need(store.set("a", "1"), "set");
  const Snapshot held = store.snapshot();
  store.close();
  EXPECT_EQ(store.get("a").error(), errc::closed);
  EXPECT_EQ(store.set("a", "2").error(), errc::closed);
  EXPECT_EQ(store.begin().commit().error(), errc::closed);
  EXPECT_EQ(store.state(), StoreState::closed);
  EXPECT_TRUE(held.get("a")) << "snapshots stay good";
  store.close();
}

TEST_F(SeedEdges, strange_keys_and_values_come_back_as_they_were) {
  Store store = open();
  // Stricter: keys are UTF-8 without NUL and not empty, values are JSON.
  const std::vector<std::string> keys{
      " ", "\n", "\"", "\\", "\x7F", "\xF0\x9F\x98\x80", "a/b/../c", std::string(4096, 'x')};
  const std::vector<std::string> values{"null",        "\"\"",        "19.99",
                                        "1E400",       "-0",          "[]",
                                        "{}",          "\"\\u0000\"", "12345678901234567890123",
                                        "\"\xC3\xA9\""};
  for (const std::string& key : keys) {
    for (const std::string& value : values) need(store.set(key, value), "set");
    EXPECT_EQ(need(store.get(key), "get").value, values.back());
  }
  for (const std::string& value : values) {
    need(store.set("v", value), "set");
    EXPECT_EQ(need(store.get("v"), "get").value, value);
  }
  restart();
  Store again = open();
  for (const std::string& key : keys) EXPECT_EQ(need(again.get(key), "get").value, values.back());
  EXPECT_EQ(again.set("", "1").error(), errc::bad_key);
  EXPECT_EQ(again.set(std::string("a\0b", 3), "1").error(), errc::bad_key);
  EXPECT_EQ(again.set("\xFF", "1").error(), errc::bad_key);
  EXPECT_EQ(again.set("a", "hello").error(), errc::bad_value);
  EXPECT_EQ(again.set("a", "").error(), errc::bad_value);
}

// --- Fuzzy random inputs ---

class SeedFuzz : public Seed {};

TEST_F(SeedFuzz, random_bytes_are_refused_or_come_back_the_same) {
  Store store = open();
  std::mt19937 random(11);
  std::map<std::string, std::string> accepted;
  int refused = 0;
  const int rounds = scaled("random inputs", 3000, 300);
  for (int i = 0; i < rounds; ++i) {
    std::string key(random() % 12, '\0');
    const bool text = random() % 2 == 0;
    for (char& c : key) c = static_cast<char>(text ? 'a' + random() % 26 : random());
    std::string value(random() % 12, '\0');
    for (char& c : value) c = "0123456789[]{}\",:.eE-+ntfu\\l sar"[random() % 32];
    if (random() % 2 == 0) value = std::to_string(random());
    const auto done = store.set(key, value);
    if (done) {
      // Kept without the white space between its tokens; everything else stays.
      if (value.find(' ') == std::string::npos)
        accepted[key] = value;
      else
        accepted.erase(key);
    } else {
      ++refused;
      EXPECT_TRUE(done.error() == errc::bad_key || done.error() == errc::bad_value)
          << done.error().text();
    }
  }
  EXPECT_GT(refused, rounds / 10);
  EXPECT_GT(accepted.size(), static_cast<std::size_t>(rounds) / 10);
  for (int life = 0; life < 2; ++life) {
    for (const auto& [key, value] : accepted) EXPECT_EQ(need(store.get(key), "get").value, value);
    kill_and_restart();
    store = open();
  }
}

// --- Its defects, by their numbers in docs/design.md; each asserts the opposite ---

class SeedDefect : public Seed {};

TEST_F(SeedDefect, n1_a_commit_touches_only_what_it_wrote) {
  Store store = open();
  need(store.submit(Batch().set("a", "1").set("b", "1")).wait(), "submit");
  Transaction tx = store.begin();
  tx.set("a", "2");
  need(store.set("b", "\"newer\""), "set");
  need(tx.commit(), "commit");
  EXPECT_EQ(need(store.get("b"), "get").value, "\"newer\"");
  EXPECT_EQ(need(store.get("b"), "get").version, 2U);
}

TEST_F(SeedDefect, n2_what_was_acknowledged_survives_a_kill_without_closing) {
  {
    Store store = open();
    need(store.set("a", "1"), "set");
    EXPECT_NE(file_bytes(path_).find("\"k\":\"a\""), std::string::npos) << "in the log by then";
    daemon_.kill();
  }
  daemon_ = DaemonProcess::serving({.store = path_});
  EXPECT_EQ(need(open().get("a"), "get").value, "1");
}

TEST_F(SeedDefect, n3_half_a_transaction_is_none_after_a_crash) {
  Store store = open();
  need(store.set("before", "1"), "set");
  need(store.submit(Batch().set("a", "1").set("b", "2").set("c", "3")).wait(), "submit");
  daemon_.kill();
  const std::string whole = file_bytes(path_);
  const std::size_t begin = whole.find("{\"k\":\"a\"");
  ASSERT_NE(begin, std::string::npos);
  // The power goes while its three lines are written: at every line end, and within each line.
  for (std::size_t cut = begin + 1; cut < whole.size(); cut += 37) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << whole.substr(0, cut);
    daemon_ = DaemonProcess::serving({.store = path_});
    const Snapshot snapshot = open().snapshot();
    EXPECT_TRUE(snapshot.get("before"));
    for (const char* key : {"a", "b", "c"}) EXPECT_EQ(snapshot.get(key).error(), errc::absent);
    daemon_.kill();
  }
  daemon_ = DaemonProcess::serving({.store = path_});
}

TEST_F(SeedDefect, n4_a_torn_last_line_is_cut_and_kept_and_swallows_nothing) {
  Store store = open();
  need(store.set("a", "1"), "set");
  daemon_.kill();
  const std::string torn = R"({"k":"torn","v":1,"d":fal)";
  std::ofstream(path_, std::ios::binary | std::ios::app) << torn;
  daemon_ = DaemonProcess::serving({.store = path_});
  EXPECT_NE(daemon_.said().find("bytes kept in"), std::string::npos) << daemon_.said();
  need(store.set("next", "2"), "set");
  kill_and_restart();
  EXPECT_EQ(need(open().get("a"), "get").value, "1");
  EXPECT_EQ(need(open().get("next"), "get").value, "2");
  bool kept = false;
  for (const auto& file : std::filesystem::directory_iterator(directory_.path())) {
    if (file.path().string().find(".torn-") == std::string::npos) continue;
    kept = kept || file_bytes(file.path().string()) == torn;
  }
  EXPECT_TRUE(kept) << "the bytes that were cut";
}

TEST_F(SeedDefect, n4_a_bad_line_in_the_middle_is_refused_and_nothing_is_erased) {
  Store store = open();
  need(store.set("a", "1"), "set");
  need(store.set("b", "2"), "set");
  daemon_.stop();
  std::string bytes = file_bytes(path_);
  bytes.replace(bytes.find("\"k\":\"a\""), 7, "\"k\";\"a\"");
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  DaemonProcess refused({.store = path_});
  EXPECT_NE(refused.ready().find("error damaged"), std::string::npos);
  EXPECT_EQ(refused.exit_code(), exit_code(errc::damaged));
  EXPECT_EQ(file_bytes(path_), bytes);
  bytes.replace(bytes.find("\"k\";\"a\""), 7, "\"k\":\"a\"");
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  daemon_ = DaemonProcess::serving({.store = path_});
  EXPECT_EQ(need(open().get("b"), "get").value, "2");
}

TEST_F(SeedDefect, n5_a_line_of_64_kib_and_more_is_read_again) {
  Store store = open();
  for (const std::size_t bytes : {65'000U, 65'536U, 70'000U, 1'000'000U}) {
    const std::string key = std::to_string(bytes);
    need(store.set(key, '"' + std::string(bytes, 'v') + '"'), "set");
  }
  restart();
  for (const std::size_t bytes : {65'000U, 65'536U, 70'000U, 1'000'000U}) {
    EXPECT_EQ(need(open().get(std::to_string(bytes)), "get").value.size(), bytes + 2);
  }
}

TEST_F(SeedDefect, n7_begin_copies_no_keys) {
  Store store = open();
  for (int part = 0; part < 2; ++part) {
    Batch batch;
    for (int i = 0; i < 50'000; ++i) batch.set("k" + std::to_string(part * 50'000 + i), "1");
    need(store.submit(batch).wait(), "submit");
  }
  const auto allocated = [] { return ::mallinfo2().uordblks; };
  const std::size_t before = allocated();
  std::vector<Transaction> open_ones;
  open_ones.reserve(100);
  for (int i = 0; i < 100; ++i) open_ones.push_back(store.begin());
  // One copy of a hundred thousand keys would be megabytes, and here are a hundred.
  EXPECT_LT(allocated() - before, std::size_t{1} << 20);
  EXPECT_TRUE(open_ones.back().get("k99999"));
}

TEST_F(SeedDefect, n8_versions_go_on_after_an_erase_and_a_restart) {
  {
    Store store = open();
    need(store.set("a", "1"), "set");
    need(store.set("a", "2"), "set");
    EXPECT_EQ(need(store.erase("a"), "erase").version, 3U);
  }
  restart();
  Store store = open();
  const auto wrong = store.set("a", "4", expect_version(1));
  ASSERT_FALSE(wrong) << "any version was accepted for an absent key";
  EXPECT_EQ(wrong.error(), errc::version_mismatch);
  EXPECT_EQ(wrong.error().version(), 0U);
  EXPECT_EQ(need(store.set("a", "4", expect_absent), "set").version, 4U);
}

TEST_F(SeedDefect, n9_write_skew_is_refused) {
  Store store = open();
  need(store.submit(Batch().set("alice", "\"on call\"").set("bob", "\"on call\"")).wait(),
       "submit");
  Transaction one = store.begin();
  Transaction two = store.begin();
  for (Transaction* tx : {&one, &two}) {
    need(tx->get("alice"), "get");
    need(tx->get("bob"), "get");
  }
  one.set("alice", "\"off\"");
  two.set("bob", "\"off\"");
  need(one.commit(), "commit");
  EXPECT_EQ(two.commit().error(), errc::transaction_conflict);
}

TEST_F(SeedDefect, n9_a_phantom_and_an_absent_key_that_was_read_are_refused) {
  Store store = open();
  need(store.set("user/1", "1"), "set");
  Transaction counts = store.begin();
  int seen = 0;
  for (const Entry& entry : counts.prefix("user/")) seen += entry.key.empty() ? 0 : 1;
  Transaction misses = store.begin();
  EXPECT_EQ(misses.get("user/2").error(), errc::absent);
  need(store.set("user/2", "2"), "set");
  counts.set("count", std::to_string(seen));
  EXPECT_EQ(counts.commit().error(), errc::transaction_conflict);
  misses.set("missing", "true");
  EXPECT_EQ(misses.commit().error(), errc::transaction_conflict);
}

TEST_F(SeedDefect, n10_two_processes_share_one_file) {
  const MessagePipe<int> turn;
  ClientProcess other("the other process", [&] {
    Store store = open();
    for (int i = 0; i < 100; ++i) need(store.set("other" + std::to_string(i), "1"), "set");
    turn.send(1);
  });
  Store store = open();
  for (int i = 0; i < 100; ++i) need(store.set("one" + std::to_string(i), "1"), "set");
  static_cast<void>(turn.receive());
  other.expect_done();
  restart();
  const Snapshot snapshot = open().snapshot();
  EXPECT_EQ(need(snapshot.list([](const Entry&) { return true; }), "list").size(), 200U);
  DaemonProcess second({.store = path_});
  const std::string words = second.ready();
  EXPECT_NE(words.find(std::to_string(daemon_.pid())), std::string::npos) << words;
  EXPECT_NE(second.exit_code(), 0);
}

TEST_F(SeedDefect, n11_an_erase_that_was_overtaken_by_a_set_stays_as_it_was_answered) {
  Store store = open();
  std::optional<std::string> last;
  for (int i = 0; i < 50; ++i) {
    Pending set = store.submit(Batch().set("a", std::to_string(i)));
    Pending erase = store.submit(Batch().erase("a"));
    const Committed first = need(set.wait(), "set");
    const Committed second = need(erase.wait(), "erase");
    EXPECT_LT(first.sequence, second.sequence);
    if (i % 2 == 0) {
      need(store.set("a", std::to_string(1000 + i)), "set");
      last = std::to_string(1000 + i);
    } else {
      last.reset();
    }
  }
  kill_and_restart();
  const auto found = open().get("a");
  EXPECT_EQ(found.has_value(), last.has_value());
}

TEST_F(SeedDefect, n11_closing_under_way_loses_no_acknowledged_write) {
  Store store = open();
  std::atomic<int> acknowledged{0};
  std::thread writer([&] {
    for (int i = 0;; ++i) {
      if (!store.set("k" + std::to_string(i), "1")) return;
      acknowledged.store(i + 1);
    }
  });
  while (acknowledged.load() < 100) std::this_thread::yield();
  store.close();
  writer.join();
  kill_and_restart();
  Store again = open();
  for (int i = 0; i < acknowledged.load(); ++i)
    EXPECT_TRUE(again.get("k" + std::to_string(i))) << i;
}

TEST_F(SeedDefect, n11_a_filter_may_write) {
  Store store = open();
  for (int i = 0; i < 10; ++i) need(store.set("k" + std::to_string(i), "1"), "set");
  const Snapshot snapshot = store.snapshot();
  const auto found = snapshot.list([&store](const Entry& entry) {
    need(store.set(std::string(entry.key) + "/seen", "true"), "set in a filter");
    return true;
  });
  EXPECT_EQ(need(found, "list").size(), 10U);
  EXPECT_TRUE(store.get("k3/seen"));
}

}  // namespace
}  // namespace dfs::test
