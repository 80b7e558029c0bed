// Who sleeps for a reply is woken for it, whatever else the writer has to do: here by a client that
// sleeps without a limit, so that one wake-up that is left out is one that this waits for in vain.
// At its word, and, as clients that know of no word do, at its bell.
#include <dfs/store.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "common/os/futex.hpp"
#include "common/os/poller.hpp"
#include "common/os/socket.hpp"
#include "common/wire/waiting.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/raw_client.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

enum class Asked : std::uint8_t { to_write, to_refuse };

/// How a client sleeps, and what its store promises.
struct Sleep {
  const char* name;
  std::uint32_t how;
  const char* durability;
};

class Sleeper {
 public:
  /// `how`: a word of wire/waiting.hpp.
  Sleeper(const std::string& path, std::uint32_t how)
      : how_(how),
        client_(path),
        page_(client_.page()),
        requests_(client_.requests()),
        replies_(client_.replies()) {}

  /// One request, and its reply when it was woken for that.
  void ask(Asked asked) {
    wire::CommitRequest request;
    if (asked == Asked::to_write) {
      request.writes.push_back({"sleeper", "1", {}, false});
    } else {
      request.checks.push_back({"nobody", {wire::Expect::present, 0}});
    }
    wire::OutputArchive archive(kMaxKeyBytes);
    wire::encode(request, archive);
    require(wire::submit(page_, ++number_), "submit");
    // Before the push: so no wake-up for its reply comes too early.
    page_.asleep.store(how_);
    require(requests_.try_push(number_, archive.bytes(), wire::kLastChunk) == wire::Push::pushed,
            "push");
    client_.ring();
    wire::Reply reply;
    how_ == wire::kAsleepAtWord ? sleep_at_word(reply) : sleep_at_bell(reply);
    EXPECT_EQ(reply.number, number_);
    EXPECT_EQ(reply.kind,
              asked == Asked::to_write ? wire::ReplyKind::committed : wire::ReplyKind::refused);
    replies_.give_back();
  }

 private:
  void sleep_at_word(wire::Reply& reply) {
    while (page_.asleep.load() == wire::kAsleepAtWord) {
      os::sleep_at(page_.asleep, wire::kAsleepAtWord, std::chrono::hours(1));
    }
    ASSERT_EQ(replies_.next(reply), wire::Found::one) << "woken for nothing";
  }
  void sleep_at_bell(wire::Reply& reply) {
    const int bell = client_.fd(wire::Descriptor::bell);
    do {
      // Looks at the ring only when it was rung for: the first time it slept before it asked.
      os::wait_readable(bell, os::Deadline::never());
      ASSERT_TRUE(os::drain_bell(bell));
      page_.asleep.store(how_);
      // It may be rung for room: with kAsleep whenever there is some.
    } while (replies_.next(reply) == wire::Found::nothing);
  }

  const std::uint32_t how_;
  RawClient client_;
  wire::ClientPage& page_;
  wire::RequestProducer requests_;
  wire::ReplyConsumer replies_;
  std::uint64_t number_ = 0;
};

class Woken : public testing::TestWithParam<Sleep> {
 protected:
  const Watchdog watchdog_{"a client that sleeps"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
};

TEST_P(Woken, alone) {
  const DaemonProcess daemon = DaemonProcess::serving(
      {.store = path_, .arguments = {"--durability", GetParam().durability}});
  Sleeper sleeper(path_, GetParam().how);
  for (int i = 0; i < 100; ++i) {
    sleeper.ask(i % 3 == 0 ? Asked::to_refuse : Asked::to_write);
    if (HasFatalFailure()) return;
  }
}

TEST_P(Woken, beside_others_who_write_and_a_compaction_without_end) {
  const DaemonProcess daemon = DaemonProcess::serving(
      {.store = path_, .arguments = always_compacting(GetParam().durability)});
  std::atomic<bool> over{false};
  const auto writes_on = [&](const std::string& key) {
    Store store = need(Store::open(path_, patient()), "open");
    while (!over) static_cast<void>(need(store.set(key, "1"), "set"));
  };
  std::thread one([&] { writes_on("one"); });
  std::thread other([&] { writes_on("other"); });
  {
    Sleeper sleeper(path_, GetParam().how);
    Sleeper second(path_, GetParam().how);
    for (int i = 0; i < 500 && !HasFatalFailure(); ++i) {
      sleeper.ask(i % 3 == 0 ? Asked::to_refuse : Asked::to_write);
      if (i % 7 == 0) second.ask(Asked::to_write);
    }
  }
  over = true;
  one.join();
  other.join();
}

INSTANTIATE_TEST_SUITE_P(
    At, Woken,
    testing::Values(Sleep{"its_word_durable", wire::kAsleepAtWord, "durable"},
                    Sleep{"its_word_written", wire::kAsleepAtWord, "written"},
                    Sleep{"its_bell_durable", wire::kAsleepForReplies, "durable"},
                    Sleep{"its_bell_written", wire::kAsleepForReplies, "written"},
                    Sleep{"its_bell_for_room_too", wire::kAsleep, "durable"}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace dfs::test
