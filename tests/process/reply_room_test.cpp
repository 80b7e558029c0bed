// Requests come faster than their replies are read: the daemon takes as many as have room for their
// replies, in groups that end where the room does, leaves the others where they are, and goes on
// when there is room again. Nothing is lost, nothing written over, nobody dropped.
#include <dfs/store.hpp>

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "tests/process/compacting_store.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/raw_client.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

constexpr std::uint64_t kRequests = 300;
constexpr std::uint64_t kWithdrawn = kRequests;

/// One of three is a check that fails, whose reply names its key of 4 KiB; the others each write a
/// key of their own.
bool is_refused(std::uint64_t number) { return number % 3 == 0 && number != kWithdrawn; }
std::string key_of(std::uint64_t number) {
  std::string key = "k" + std::to_string(number);
  if (is_refused(number)) key.resize(kMaxKeyBytes, 'x');
  return key;
}

class ReplyRoom : public ::testing::Test {
 protected:
  ReplyRoom()
      : daemon_(DaemonProcess::serving({.store = path_})),
        store_(need(Store::open(path_, patient()), "open")),
        client_(path_),
        requests_(client_.requests()),
        replies_(client_.replies()) {}

  void submit(std::uint64_t number) {
    const std::string key = key_of(number);
    wire::CommitRequest request;
    if (is_refused(number)) {
      request.checks.push_back({key, {wire::Expect::present, 0}});
    } else {
      request.writes.push_back({key, "1", {}, false});
    }
    wire::OutputArchive archive(2 * kMaxKeyBytes);
    wire::encode(request, archive);
    require(wire::submit(client_.page(), number), "submit");
    while (requests_.try_push(number, archive.bytes(), wire::kLastChunk) == wire::Push::full) {
      ASSERT_FALSE(is_dropped());
      ::sched_yield();
    }
    client_.ring();
  }
  [[nodiscard]] bool is_dropped() const { return client_.reply_header().dropped.load() != 0; }
  [[nodiscard]] std::uint64_t taken() const {
    std::uint64_t count = 0;
    for (std::uint64_t number = 1; number <= kRequests; ++number) {
      count += wire::state(client_.page(), number) == wire::WordState::taken ? 1 : 0;
    }
    return count;
  }
  /// How many are taken when the writer has been at every client and found nothing more to take:
  /// its answers to others say that it has been.
  [[nodiscard]] std::uint64_t taken_at_rest() {
    for (std::uint64_t before = UINT64_MAX;;) {
      for (int i = 0; i < 3; ++i) static_cast<void>(need(store_.set("other", "1"), "set"));
      const std::uint64_t now = taken();
      if (now == before) return now;
      before = now;
    }
  }
  /// Waits for the next reply and checks that it is the one to `number`.
  void expect_reply(std::uint64_t number) {
    wire::Reply reply;
    wire::Found found = wire::Found::nothing;
    while ((found = replies_.next(reply)) == wire::Found::nothing) {
      ASSERT_FALSE(is_dropped());
      ::sched_yield();
    }
    ASSERT_EQ(found, wire::Found::one);
    ASSERT_EQ(reply.number, number) << "replies come in the order of the requests, each once";
    if (is_refused(number)) {
      ASSERT_EQ(reply.kind, wire::ReplyKind::refused);
      EXPECT_EQ(reply.refusal.code, errc::version_mismatch);
      EXPECT_EQ(reply.refusal.key, key_of(number));
      return;
    }
    ASSERT_EQ(reply.kind, wire::ReplyKind::committed);
    EXPECT_GT(reply.commitment.sequence, last_sequence_);
    last_sequence_ = reply.commitment.sequence;
  }
  void give_back() {
    replies_.give_back();
    client_.ring();
  }

  const Watchdog watchdog_{"replies without room"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
  DaemonProcess daemon_;
  Store store_;
  RawClient client_;
  wire::RequestProducer requests_;
  wire::ReplyConsumer replies_;
  std::uint64_t last_sequence_ = 0;
};

TEST_F(ReplyRoom, requests_without_room_for_their_replies_wait_and_none_is_lost) {
  for (std::uint64_t number = 1; number <= kRequests; ++number) submit(number);
  const std::uint64_t first = taken_at_rest();
  EXPECT_GT(first, 0U);
  EXPECT_LT(first, kRequests - 1) << "a hundred replies of 4 KiB are more than the ring";
  EXPECT_FALSE(is_dropped()) << "who does not read waits, and that is all";
  // What waits can be withdrawn.
  ASSERT_EQ(wire::withdraw(client_.page(), kWithdrawn), wire::Withdrawal::withdrawn);

  std::uint64_t most_at_once = 0;
  std::uint64_t before = first;
  for (std::uint64_t number = 1; number < kWithdrawn; ++number) {
    expect_reply(number);
    if (HasFatalFailure()) return;
    give_back();
    if (number % 16 != 0) continue;
    const std::uint64_t now = taken_at_rest();
    most_at_once = std::max(most_at_once, now - before);
    before = now;
    EXPECT_GE(now, number) << "what was answered was taken";
  }
  EXPECT_LT(most_at_once, kRequests - first) << "it takes more as there is more room";
  EXPECT_FALSE(is_dropped());
  EXPECT_EQ(taken_at_rest(), kRequests - 1);
  wire::Reply none;
  EXPECT_EQ(replies_.next(none), wire::Found::nothing) << "what was withdrawn is not answered";
  for (std::uint64_t number = 1; number <= kRequests; ++number) {
    const bool written = !is_refused(number) && number != kWithdrawn;
    EXPECT_EQ(store_.get(key_of(number)).has_value(), written) << number;
  }
  daemon_.stop();
}

TEST_F(ReplyRoom, who_reads_all_at_once_is_answered_round_after_round) {
  // Groups of sixteen, with room for some of them: as many rounds as it takes.
  std::mt19937 random(7);
  std::uint64_t next = 1;
  std::uint64_t answered = 0;
  while (answered < kRequests) {
    const std::uint64_t more = 1 + random() % 150;
    while (next <= kRequests && next < answered + more) submit(next++);
    static_cast<void>(taken_at_rest());
    while (answered + 1 < next) {
      expect_reply(++answered);
      if (HasFatalFailure()) return;
      if (random() % 40 == 0) give_back();
      // What is prepared and released always lies in the ring whole.
      if (!replies_.has_more()) give_back();
    }
  }
  give_back();
  EXPECT_EQ(answered, kRequests);
  EXPECT_FALSE(is_dropped());
  daemon_.stop();
}

}  // namespace
}  // namespace dfs::test
