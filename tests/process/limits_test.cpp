// Limits: what is at one is taken, what is one beyond is refused with the limit, and nothing of it
// is written.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

class LimitsOfAStore : public ::testing::Test {
 protected:
  LimitsOfAStore() : daemon_(DaemonProcess::serving({.store = directory_ / "users.db"})) {}

  [[nodiscard]] Store open() const {
    Options options;
    options.autostart = Autostart::never;
    options.timeout = std::chrono::minutes(4);
    return need(Store::open(directory_ / "users.db", options), "open");
  }
  template <class T>
  static void expect_too_large(const Result<T>& done, std::uint64_t limit) {
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error(), errc::too_large) << done.error().text();
    EXPECT_EQ(done.error().limit(), limit) << done.error().text();
    EXPECT_TRUE(done.error().nothing_was_written());
  }
  /// JSON text of so many bytes.
  static std::string text_of(std::size_t bytes) { return '"' + std::string(bytes - 2, 'v') + '"'; }

  const Watchdog watchdog_{"something large", 500};
  const TemporaryDirectory directory_;
  DaemonProcess daemon_;
};

TEST_F(LimitsOfAStore, a_key_has_4096_bytes_at_the_most) {
  Store store = open();
  const std::string longest(kMaxKeyBytes, 'k');
  EXPECT_EQ(need(store.set(longest, "1"), "set").version, 1U);
  EXPECT_EQ(need(store.get(longest), "get").value, "1");
  const auto done = store.set(longest + "k", "1");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().limit(), kMaxKeyBytes);
  EXPECT_TRUE(done.error() == errc::too_large || done.error() == errc::bad_key)
      << done.error().text();
  EXPECT_EQ(store.set("", "1").error(), errc::bad_key);
}

TEST_F(LimitsOfAStore, a_value_has_16_mib_at_the_most) {
  Store store = open();
  const std::string largest = text_of(kMaxValueBytes);
  EXPECT_EQ(need(store.set("key", largest), "set").version, 1U);
  EXPECT_TRUE(need(store.get("key"), "get").value == largest);
  expect_too_large(store.set("key", text_of(kMaxValueBytes + 1)), kMaxValueBytes);
  EXPECT_EQ(need(store.get("key"), "get").version, 1U);
  daemon_.stop();
  daemon_ = DaemonProcess::serving({.store = directory_ / "users.db"});
  EXPECT_TRUE(need(open().get("key"), "get").value == largest) << "read again from the log";
}

TEST_F(LimitsOfAStore, a_value_is_64_deep_at_the_most) {
  Store store = open();
  const auto deep = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  need(store.set("key", deep(kMaxValueDepth)), "set");
  expect_too_large(store.set("key", deep(kMaxValueDepth + 1)), kMaxValueDepth);
}

TEST_F(LimitsOfAStore, a_commit_has_100000_records_at_the_most) {
  Store store = open();
  Batch batch;
  for (std::size_t i = 0; i < kMaxCommitRecords; ++i) batch.set("k" + std::to_string(i), "1");
  const Committed done = need(store.submit(batch).wait(), "the largest commit");
  batch.set("one more", "1");
  expect_too_large(store.submit(batch).wait(), kMaxCommitRecords);
  const Snapshot snapshot = store.snapshot();
  std::size_t keys = 0;
  for (const Entry& entry : snapshot.all()) {
    keys += entry.sequence == done.sequence && entry.version == 1 ? 1U : 0U;
  }
  EXPECT_EQ(keys, kMaxCommitRecords);
  EXPECT_EQ(snapshot.get("one more").error(), errc::absent);
}

TEST_F(LimitsOfAStore, a_commit_has_64_mib_at_the_most) {
  Store store = open();
  // Five values of at most 16 MiB: keys of one byte count as well.
  const auto commit_of = [](std::size_t bytes) {
    Batch batch;
    for (char key = 'a'; bytes > 0; ++key) {
      const std::size_t value = std::min(bytes - 1, kMaxValueBytes - (1 << 20));
      batch.set(std::string(1, key), text_of(value));
      bytes -= value + 1;
    }
    return batch;
  };
  need(store.submit(commit_of(kMaxCommitBytes)).wait(), "the largest commit");
  expect_too_large(store.submit(commit_of(kMaxCommitBytes + 1)).wait(), kMaxCommitBytes);
  const Snapshot snapshot = store.snapshot();
  for (const Entry& entry : snapshot.all()) EXPECT_EQ(entry.version, 1U);
}

TEST_F(LimitsOfAStore, a_client_has_4096_commits_in_flight_at_the_most) {
  Store store = open();
  need(store.set("key", "0"), "set");
  // Nothing is taken while the daemon is stopped.
  daemon_.signal(SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(daemon_.pid(), &status, WUNTRACED), daemon_.pid());
  ASSERT_TRUE(WIFSTOPPED(status));
  std::vector<Pending> pending;
  for (std::size_t i = 0; i < kMaxInFlight; ++i) {
    pending.push_back(store.submit(Batch().set("k" + std::to_string(i), "1")));
    ASSERT_FALSE(pending.back().ready()) << "refused before the limit, at " << i;
  }
  Pending more = store.submit(Batch().set("one more", "1"));
  ASSERT_TRUE(more.ready());
  const auto refused = more.wait();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::busy) << refused.error().text();
  EXPECT_TRUE(refused.error().nothing_was_written());
  daemon_.signal(SIGCONT);
  for (Pending& one : pending) need(one.wait(), "what was in flight");
  EXPECT_EQ(store.get("one more").error(), errc::absent);
  need(store.set("one more", "1"), "afterwards");
}

TEST_F(LimitsOfAStore, of_one_batch_as_much_is_taken_as_there_is_memory_for_together) {
  constexpr int kClients = 16;
  constexpr int kEach = 3;  // as much of one client as a batch takes
  daemon_.stop();
  daemon_ = DaemonProcess::serving(
      {.store = directory_ / "users.db", .arguments = {"--memory-limit", "4M"}});
  std::vector<Store> stores;
  for (int i = 0; i < kClients; ++i) stores.push_back(open());
  daemon_.signal(SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(daemon_.pid(), &status, WUNTRACED), daemon_.pid());
  std::vector<Pending> pending;
  for (int i = 0; i < kClients * kEach; ++i) {
    Store& store = stores.at(static_cast<std::size_t>(i % kClients));
    pending.push_back(store.submit(Batch().set("k" + std::to_string(i), text_of(80'000))));
  }
  daemon_.signal(SIGCONT);
  int refused = 0;
  for (int i = 0; i < kClients * kEach; ++i) {
    const auto outcome = pending.at(static_cast<std::size_t>(i)).wait();
    if (!outcome) {
      EXPECT_EQ(outcome.error(), errc::store_full) << outcome.error().text();
      ++refused;
    }
    const auto found = stores.front().get("k" + std::to_string(i));
    EXPECT_EQ(found.has_value(), outcome.has_value()) << i;
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, kClients * kEach);
  EXPECT_FALSE(daemon_.ended()) << daemon_.said();
}

}  // namespace
}  // namespace dfs::test
