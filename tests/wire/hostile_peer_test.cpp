// A client that writes anything over everything it may write, as a thread, while the daemon's side
// receives, takes and answers. The daemon may drop it and nothing else (I7, I8).
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "common/wire/request_assembly.hpp"
#include "common/wire/request_word.hpp"
#include "tests/wire/client_memory.hpp"
#include "tests/wire/watchdog.hpp"

namespace dfs::wire {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif

/// Writes until told to stop: now and then what an honest client would, in between anything.
class Scribbler {
 public:
  Scribbler(ClientMemory& memory, std::uint64_t seed)
      : memory_(memory), random_(seed), thread_([this] { run(); }) {}
  Scribbler(const Scribbler&) = delete;
  Scribbler& operator=(const Scribbler&) = delete;
  ~Scribbler() {
    stop_ = true;
    thread_.join();
  }

 private:
  void run() {
    auto producer = memory_.request_producer();
    OutputArchive archive(kMaxRequestBytes);
    CommitRequest request;
    request.writes = {{"key", "\"value\"", {}, false}, {"gone", "", {Expect::present, 0}, true}};
    encode(request, archive);
    // How wild this round is: 0 scribbles over the ring only, now and then, so that chunks go
    // through. The last are honest but for one thing, which is met then however the two threads
    // are scheduled: 4 but for its place in the reply ring, so that this fills up, 5 but for the
    // words, 6 but for the requests, some of which are none.
    const std::uint64_t wildness = random_() % 7;
    std::uint64_t number = 0;
    std::vector<std::byte> sent;
    while (!stop_) {
      const std::uint64_t what = random_() % 16;
      if (what < 10) {
        while (!pushed_.empty() && pushed_.front().end <= memory_.header.request_head.load()) {
          free_word(memory_.page, pushed_.front().number);
          pushed_.pop_front();
        }
        const std::uint64_t read = memory_.header.released.load();
        const std::uint64_t off = (random_() % 3 - 1) * kReplyRingBytes;
        memory_.page.reply_position.store(wildness == 4 ? read + off : read);
        if (producer.room() < 1000) continue;
        ++number;
        // Wilder rounds now and then push what was never submitted.
        if (wildness == 0 || wildness >= 4 || random_() % 4096 != 0) {
          static_cast<void>(submit(memory_.page, number));
        }
        sent.assign(archive.bytes().begin(), archive.bytes().end());
        if (wildness == 6 && what == 1) sent[random_() % sent.size()] = std::byte{0xff};
        const std::span<const std::byte> bytes = sent;
        const std::size_t half = 1 + random_() % (bytes.size() - 1);
        const std::uint32_t last = what == 0 ? kAbandonChunk : kLastChunk;
        if (half % 2 == 0) {
          static_cast<void>(producer.try_push(number, bytes.first(half), 0));
          static_cast<void>(producer.try_push(
              number, last == kLastChunk ? bytes.subspan(half) : bytes.first(0), last));
        } else {
          static_cast<void>(producer.try_push(number, bytes, kLastChunk));
        }
        pushed_.push_back({number, producer.tail()});
      }
      auto& word = memory_.page.words[random_() % kMaxInFlight];
      if (wildness == 5 && what == 12) word.store(random_(), std::memory_order_relaxed);
      if (wildness >= 4) continue;
      if (what == 10) scribble(memory_.ring, 64);
      if (what == 11) static_cast<void>(withdraw(memory_.page, number));
      if (wildness == 0) continue;
      if (what == 12) word.store(random_(), std::memory_order_relaxed);
      if (wildness == 1) continue;
      auto& tail = memory_.page.request_tail;
      auto& position = memory_.page.reply_position;
      if (what == 13) tail.store(tail.load() + 16 * (random_() % 8), std::memory_order_relaxed);
      if (what == 14) position.store(position.load() + 64, std::memory_order_relaxed);
      if (wildness == 2) continue;
      if (what == 15) scribble(memory_.page_bytes(), 512);
      if (what == 15) tail.store(random_(), std::memory_order_relaxed);
    }
  }

  void scribble(std::span<std::byte> memory, std::size_t bytes) {
    auto* words = reinterpret_cast<std::uint64_t*>(memory.data());
    const std::size_t at = random_() % (memory.size() / 8);
    for (std::size_t i = 0; i < bytes / 8; ++i) {
      std::atomic_ref<std::uint64_t>(words[(at + i) % (memory.size() / 8)])
          .store(random_(), std::memory_order_relaxed);
    }
  }

  struct Pushed {
    std::uint64_t number;
    std::uint64_t end;
  };

  ClientMemory& memory_;
  std::mt19937_64 random_;
  std::deque<Pushed> pushed_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

struct Tally {
  std::uint64_t taken = 0;
  std::uint64_t withdrawn = 0;
  std::uint64_t decoded = 0;
  std::uint64_t malformed = 0;
  std::uint64_t drops[10] = {};
};

/// The daemon's side of one client, in the order that a session goes through.
DropReason serve(ClientMemory& memory, Tally& tally, int chunks) {
  auto requests = memory.request_consumer();
  auto replies = memory.reply_producer();
  RequestAssembly assembly;
  InputArchive archive;
  CommitRequest request;
  for (int looks = 0; chunks > 0 && looks < 200'000; ++looks) {
    Chunk chunk;
    const Found found = requests.look(chunk);
    if (found == Found::broken) return requests.reason();
    if (found == Found::nothing) {
      std::this_thread::yield();
      continue;
    }
    const Room room = replies.room(kMaxFrameBytes);
    if (room == Room::broken) return DropReason::bad_position;
    if (room == Room::wait) continue;
    --chunks;
    const auto place = assembly.place(chunk);
    if (place.placement == Placement::broken) return DropReason::too_many_parts;
    if (place.placement == Placement::copy) {
      requests.copy_out(chunk, place.destination);
    } else {
      requests.skip(chunk);
    }
    EXPECT_LE(assembly.bytes(), kMaxPartialRequests * kMaxRequestBytes);
    WholeRequest whole;
    if (place.placement == Placement::copy && assembly.finish(chunk, whole)) {
      const Taking taking = take(memory.page, whole.number);
      if (taking == Taking::broken) return DropReason::bad_word;
      if (taking == Taking::withdrawn) ++tally.withdrawn;
      if (taking == Taking::taken) {
        ++tally.taken;
        const auto refusal = decode(archive, whole.buffer.bytes(), request);
        Reply reply = committed(whole.number, whole.number);
        if (refusal) reply = refused(whole.number, *refusal);
        ++(refusal ? tally.malformed : tally.decoded);
        replies.prepare(reply);
        replies.release();
      }
    }
    requests.give_back(chunk.end);
  }
  return DropReason::none;
}

TEST(HostilePeer, scribbling_over_everything_hurts_nobody_but_the_scribbler) {
  if (kThreadSanitizer) {
    GTEST_SKIP() << "the scribbler races on purpose; the honest client is in waiting_test";
  }
  const Watchdog watchdog("a hostile client");
  Tally tally;
  for (std::uint64_t round = 0; round < 200; ++round) {
    ClientMemory memory(round * 4096, std::size_t{128} << 10);
    const Scribbler scribbler(memory, round);
    const DropReason reason = serve(memory, tally, 8'000);
    ++tally.drops[static_cast<std::size_t>(reason)];
    ASSERT_FALSE(::testing::Test::HasFailure()) << round;
  }
  const auto drops = [&](DropReason reason) {
    const std::uint64_t count = tally.drops[static_cast<std::size_t>(reason)];
    RecordProperty("drops_" + std::to_string(static_cast<int>(reason)), std::to_string(count));
    return count;
  };
  // Each of the ways was tried, or this run proved nothing.
  EXPECT_GT(tally.taken, 0U);
  EXPECT_GT(tally.decoded, 0U);
  EXPECT_GT(tally.malformed, 0U);
  EXPECT_GT(drops(DropReason::bad_tail), 0U);
  EXPECT_GT(drops(DropReason::bad_chunk), 0U);
  EXPECT_GT(drops(DropReason::bad_position), 0U);
  EXPECT_GT(drops(DropReason::bad_word), 0U);
}

}  // namespace
}  // namespace dfs::wire
