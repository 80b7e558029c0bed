// What is not yet as durable as its store promises is not there (I1): with the writer held between
// any two steps of a commit, every way of reading says what it said before, and nobody is answered.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <sys/wait.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/hold.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/program.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

using Contents = std::map<std::string, std::string>;
constexpr std::array<std::string_view, 4> kKeys{"changed", "gone", "kept", "new"};

Contents contents_of(const Range& range) {
  Contents found;
  for (const Entry& entry : range) found.emplace(entry.key, entry.value);
  EXPECT_TRUE(range.status());
  return found;
}

/// Fails the test unless each way to read a snapshot or a transaction gives exactly `contents`.
template <class Reader>
void expect_reads(Reader& reader, const Contents& contents) {
  for (const std::string_view key : kKeys) {
    const auto entry = reader.get(key);
    const auto wanted = contents.find(std::string(key));
    ASSERT_EQ(entry.has_value(), wanted != contents.end()) << key;
    if (entry) {
      EXPECT_EQ(entry->value, wanted->second) << key;
    }
  }
  EXPECT_EQ(contents_of(reader.all()), contents);
  EXPECT_EQ(contents_of(reader.all().reversed()), contents);
  EXPECT_EQ(contents_of(reader.range("a", "z")), contents);
  EXPECT_EQ(contents_of(reader.prefix("n")).size(), contents.count("new"));
}

void expect_sees(Store& store, const Contents& contents, std::uint64_t sequence) {
  const Snapshot snapshot = store.snapshot();
  EXPECT_EQ(snapshot.sequence(), sequence);
  EXPECT_EQ(snapshot.position().sequence(), sequence);
  EXPECT_FALSE(snapshot.stale());
  expect_reads(snapshot, contents);
  std::vector<Result<Entry>> entries(kKeys.size(), errc::closed);
  snapshot.get_many(kKeys, entries);
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    EXPECT_EQ(entries[i].has_value(), contents.contains(std::string(kKeys.at(i))));
  }
  EXPECT_EQ(need(snapshot.list([](const Entry&) { return true; }), "list").size(), contents.size());
  Transaction transaction = store.begin();
  EXPECT_EQ(transaction.sequence(), sequence);
  expect_reads(transaction, contents);
  for (const std::string_view key : kKeys) {
    EXPECT_EQ(store.get(key).has_value(), contents.contains(std::string(key))) << key;
  }
}

/// dfsctl is not built for the sanitizers; the library that it reads with is.
void expect_dfsctl_says([[maybe_unused]] const std::string& path,
                        [[maybe_unused]] std::vector<std::string> words,
                        [[maybe_unused]] const std::string& output) {
#ifdef DFSCTL
  words.insert(words.begin(), {DFSCTL, "-s", path});
  Program program(words);
  static_cast<void>(program.run());
  EXPECT_EQ(program.output(), output);
#endif
}

std::uint64_t durable_sequence(const Store& store) {
  const std::string info = need(Admin(store).info(), "info");
  constexpr std::string_view kMember = "\"durable_sequence\":";
  return std::stoull(info.substr(info.find(kMember) + kMember.size()));
}

struct Place {
  const char* durability;
  const char* point;
  friend void PrintTo(const Place& place, std::ostream* out) {
    *out << place.durability << ", " << place.point;
  }
};

class Unpublished : public testing::TestWithParam<Place> {
 protected:
  const Watchdog watchdog_{"a writer that is held"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
};

TEST_P(Unpublished, is_seen_and_answered_by_nobody_while_everybody_else_is_served) {
  Hold hold(directory_ / "hold");
  DaemonProcess daemon = DaemonProcess::serving(
      {.program = DFSD_FAULTS,
       .store = path_,
       .arguments = {"--durability", GetParam().durability, "--sync-interval", "1h"},
       .fault = "hold@" + std::string(GetParam().point) + ":3",
       .environment = hold.environment()});
  Store writer = need(Store::open(path_, patient()), "open");
  Store reader = need(Store::open(path_, patient()), "open");
  need(writer.submit(Batch().set("changed", "1").set("gone", "1")).wait(), "first");
  const Committed second = need(writer.set("kept", "1"), "second");
  const Contents before{{"changed", "1"}, {"gone", "1"}, {"kept", "1"}};
  const Contents after{{"changed", "2"}, {"kept", "1"}, {"new", "2"}};
  Watch watch = need(reader.watch(), "watch");
  const Position position = watch.position();
  const MessagePipe<std::uint64_t> told;
  ClientProcess watcher("who waits for news", [&] {
    const Store store = need(Store::open(path_, patient()), "open");
    Watch waits = need(store.watch(), "watch");
    told.send(waits.position().sequence());
    told.send(need(waits.next(), "next").sequence);
  });
  EXPECT_EQ(told.receive(), second.sequence);

  Pending third = writer.submit(Batch().set("changed", "2").set("new", "2").erase("gone"));
  hold.wait();
  Store late = need(Store::open(path_, patient()), "open");
  for (Store* store : {&reader, &writer, &late}) expect_sees(*store, before, second.sequence);
  EXPECT_FALSE(third.ready());
  EXPECT_EQ(watch.next(std::chrono::milliseconds(0)).error(), errc::timeout);
  Watch again = need(late.watch({}, position), "watch");
  EXPECT_EQ(again.next(std::chrono::milliseconds(0)).error(), errc::timeout);
  EXPECT_EQ(again.position(), position);
  EXPECT_FALSE(told.poll()) << "a watcher was told";
  expect_dfsctl_says(path_, {"get", "changed"}, "1\n");
  expect_dfsctl_says(path_, {"list", "-k"}, "changed\ngone\nkept\n");
  expect_dfsctl_says(path_, {"count"}, "3\n");
  if (GetParam().point != std::string_view("synced")) {
    EXPECT_LE(durable_sequence(late), second.sequence) << "said to be on disk";
  }

  hold.let_go();
  const Committed done = need(third.wait(), "third");
  for (Store* store : {&reader, &writer, &late}) expect_sees(*store, after, done.sequence);
  EXPECT_EQ(told.receive(), done.sequence);
  watcher.expect_done();
  for (Watch* each : {&watch, &again}) {
    for (const std::string_view key : {"changed", "new", "gone"}) {
      EXPECT_EQ(need(each->next(), "next").key, key);
    }
  }
  expect_dfsctl_says(path_, {"get", "changed"}, "2\n");
  if (GetParam().durability == std::string_view("durable")) {
    EXPECT_GE(durable_sequence(late), done.sequence);
  }
  daemon.stop();
}

INSTANTIATE_TEST_SUITE_P(At, Unpublished,
                         testing::Values(Place{"durable", "taken"}, Place{"durable", "prepared"},
                                         Place{"durable", "appended"}, Place{"durable", "synced"},
                                         Place{"written", "taken"}, Place{"written", "prepared"},
                                         Place{"written", "appended"}),
                         [](const auto& tested) {
                           return std::string(tested.param.durability) + "_" + tested.param.point;
                         });

/// One client that always has a commit under way: its key counts them.
class Counting {
 public:
  Counting(const std::string& path, std::string key, bool sleeps)
      : store_(need(Store::open(path, patient()), "open")), key_(std::move(key)) {
    if (sleeps) static_cast<void>(store_.fd());  // its bell is set whenever it does not wait
  }
  /// Asks, and anew as soon as the answer is there.
  void go_on() {
    if (!pending_ || take()) submit();
  }
  /// Takes the answer, if it is there.
  bool take() {
    if (!pending_ || !pending_->ready()) return false;
    finish();
    return true;
  }
  /// Waits for the answer, if one is owed.
  void finish() {
    if (!pending_) return;
    last_ = need(pending_->wait(), "commit").sequence;
    pending_.reset();
    ++told_;
  }
  [[nodiscard]] std::uint64_t last() const { return last_; }
  /// Fails the test unless the snapshot holds what was acknowledged, and at the most one more.
  void expect_in(const Snapshot& snapshot, int more) const {
    const auto entry = snapshot.get(key_);
    const int seen = entry ? std::stoi(std::string(entry->value)) : 0;
    EXPECT_GE(seen, told_) << key_ << " was acknowledged";
    EXPECT_LE(seen, told_ + more) << key_;
    const Contents own = contents_of(snapshot.prefix(key_ + "/"));
    EXPECT_EQ(own.size(), seen == 0 ? 0U : 1U) << key_ << ": half a commit";
    EXPECT_EQ(own.count(key_ + "/" + std::to_string(seen)), own.size()) << key_;
  }

 private:
  void submit() {
    const std::string next = std::to_string(told_ + 1);
    Batch batch;
    batch.set(key_, next).set(key_ + "/" + next, next);
    if (told_ > 0) batch.erase(key_ + "/" + std::to_string(told_));
    pending_ = store_.submit(batch);
  }

  Store store_;
  std::string key_;
  std::optional<Pending> pending_;
  int told_ = 0;
  std::uint64_t last_ = 0;
};

/// The first sequence of each batch of a log.
std::vector<std::uint64_t> batches_of(const std::string& path) {
  std::vector<std::uint64_t> firsts;
  const LogContents log = LogContents::at(path);
  for (const LogCommit& commit : log.commits()) {
    if (commit.begins_batch) firsts.push_back(commit.sequence);
  }
  return firsts;
}

TEST(UnpublishedBatch, is_seen_by_nobody_however_many_write_and_sleep) {
  const Watchdog watchdog("a daemon that is stopped");
  for (const std::string point : {"appended", "synced"}) {
    for (const std::size_t pass : {3U, 17U, 60U}) {
      const TemporaryDirectory directory;
      const std::string path = directory / "users.db";
      DaemonProcess daemon =
          DaemonProcess::serving({.program = DFSD_FAULTS,
                                  .store = path,
                                  .fault = "stop@" + point + ":" + std::to_string(pass)});
      // All are connected before the first commits: afterwards nobody would be let in.
      const Store reader = need(Store::open(path, patient()), "open");
      std::deque<Counting> clients;
      for (int i = 0; i < 4; ++i) clients.emplace_back(path, "k" + std::to_string(i), i % 2 == 0);
      std::deque<Store> stores;
      for (int i = 0; i < 2; ++i) stores.push_back(need(Store::open(path, patient()), "open"));
      std::atomic<bool> over{false};
      std::atomic<std::uint64_t> told{0};
      std::vector<std::thread> sleepers;
      for (Store& store : stores) {
        sleepers.emplace_back([&] {
          do {
            const std::uint64_t sequence = need(store.set("sleeper", "1"), "set").sequence;
            std::uint64_t most = told.load();
            while (most < sequence && !told.compare_exchange_weak(most, sequence)) {
            }
          } while (!over);
        });
      }
      int status = 0;
      while (::waitpid(daemon.pid(), &status, WNOHANG | WUNTRACED) == 0) {
        for (Counting& client : clients) client.go_on();
      }
      EXPECT_TRUE(WIFSTOPPED(status)) << status;

      const std::vector<std::uint64_t> batches = batches_of(path);
      require(batches.size() >= pass, "as many batches as were passed are in the log");
      const Snapshot snapshot = reader.snapshot();
      EXPECT_LT(snapshot.sequence(), batches[pass - 1]) << point << " " << pass;
      EXPECT_LE(told.load(), snapshot.sequence());
      for (Counting& client : clients) {
        static_cast<void>(client.take());
        EXPECT_LE(client.last(), snapshot.sequence()) << "acknowledged and not seen";
        client.expect_in(snapshot, 1);
      }

      daemon.signal(SIGCONT);
      for (Counting& client : clients) client.finish();
      const Snapshot afterwards = reader.snapshot();
      for (const Counting& client : clients) client.expect_in(afterwards, 0);
      EXPECT_GE(afterwards.sequence(), batches[pass - 1]);
      over = true;
      for (std::thread& sleeper : sleepers) sleeper.join();
      daemon.stop();
    }
  }
}

}  // namespace
}  // namespace dfs::test
