// What the Go library's own tests cover: the same behaviour where it was right, said where this
// store is stricter on purpose.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/process/scale.hpp"
#include "tests/process/seed_store.hpp"

namespace dfs::test {
namespace {

// --- Basic CRUD ---

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

}  // namespace
}  // namespace dfs::test
