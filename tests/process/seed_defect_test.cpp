// The defects of the Go library: each test asserts the opposite.
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/process/log_contents.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/seed_store.hpp"

namespace dfs::test {
namespace {

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
