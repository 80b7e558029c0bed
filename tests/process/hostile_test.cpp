// A client that breaks every rule of its memory: the daemon lives, the others are served, and it is
// dropped with a reason where it can be caught (I7, I8). From another uid where the test is root.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/process/hostile.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/scale.hpp"

namespace dfs::test {
namespace {

/// Bytes of memory that are a process's own.
std::size_t memory_of(::pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    if (std::size_t kib = 0; word == "RssAnon:" && status >> kib) return kib * 1024;
  }
  throw std::runtime_error("no RssAnon of the daemon");
}

TEST_F(Hostile, each_broken_rule_drops_its_client_with_the_reason) {
  expect_dropped(
      [](RawClient& client) {
        client.page().request_tail.store(std::uint64_t{1} << 40);
        client.ring();
      },
      std::string(wire::describe(wire::DropReason::bad_tail)));
  expect_dropped(
      [](RawClient& client) {
        std::memset(client.map(wire::Descriptor::request_ring, kRequestRingBytes).data(), 0xFF, 64);
        client.page().request_tail.store(64);
        client.ring();
      },
      std::string(wire::describe(wire::DropReason::bad_chunk)));
  expect_dropped(
      [](RawClient& client) {
        // Looked at when the replies need room, so it sends until they do.
        client.page().reply_position.store(std::uint64_t{1} << 40);
        wire::RequestProducer ring = client.requests();
        for (std::uint64_t number = 1; number <= kMaxInFlight; ++number) {
          if (!wire::submit(client.page(), number)) return;
          while (ring.try_push(number, {}, wire::kLastChunk) == wire::Push::full) {
            if (client.reply_header().dropped.load() != 0) return;
            client.ring();
            ::sched_yield();
          }
          client.ring();
        }
      },
      std::string(wire::describe(wire::DropReason::bad_position)));
  expect_dropped(
      [](RawClient& client) {
        // A whole request whose word was never submitted.
        wire::RequestProducer ring = client.requests();
        static_cast<void>(
            ring.try_push(7, std::as_bytes(std::span("no request")), wire::kLastChunk));
        client.ring();
      },
      std::string(wire::describe(wire::DropReason::bad_word)));
}

TEST_F(Hostile, bytes_that_are_no_request_are_refused_and_nothing_else) {
  hostile([this] {
    RawClient client(path_);
    wire::RequestProducer ring = client.requests();
    std::mt19937 random(3);
    for (std::uint64_t request = 1; request <= 500; ++request) {
      std::vector<std::byte> bytes(random() % 200);
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
      require(wire::submit(client.page(), request), "submit");
      require(ring.try_push(request, bytes, wire::kLastChunk) == wire::Push::pushed, "push");
      client.ring();
      while (wire::state(client.page(), request) == wire::WordState::submitted) ::sched_yield();
      client.page().reply_position.store(client.reply_header().released.load());
    }
    require(client.reply_header().dropped.load() == 0, "dropped for a refusal");
  }).expect_done();
}

TEST_F(Hostile, scribbling_over_everything_it_may_write_hurts_only_itself) {
  const int rounds = scaled("scribblers", 60, 6);
  const auto enough = static_cast<std::uint64_t>(rounds) / 4 + 1;
  const std::uint64_t before = number("dropped_clients");
  std::uint64_t dropped = 0;
  // How far one gets before it ends is chance: it goes on until enough were dropped.
  for (int round = 0; round < rounds || dropped < enough; ++round) {
    hostile([this, round] {
      RawClient client(path_);
      wire::ClientPage& page = client.page();
      const auto ring = client.map(wire::Descriptor::request_ring, kRequestRingBytes);
      std::mt19937_64 random(static_cast<std::uint64_t>(round));
      auto* words = reinterpret_cast<std::uint64_t*>(ring.data());
      auto* own = reinterpret_cast<std::uint64_t*>(&page);
      for (int i = 0; i < 20'000; ++i) {
        // Sometimes plausible, so that it gets further than to the first look.
        words[random() % 4096] = random() % 4 == 0 ? random() : random() % 64;
        own[random() % (sizeof(wire::ClientPage) / 8)] = random() % 1024;
        if (i % 16 == 0) page.request_tail.store(random() % 5 * 16);
        if (i % 64 == 0) client.ring();
        if (i % 1000 == 0) {
          ::fallocate(client.fd(wire::Descriptor::client_page),
                      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
        }
      }
    }).expect_done();
    if (round % 10 == 0) expect_served();
    dropped = number("dropped_clients") - before;
  }
  std::printf("%llu scribblers dropped\n", static_cast<unsigned long long>(dropped));
}

TEST_F(Hostile, shared_memory_cannot_be_taken_away_nor_the_index_written) {
  hostile([this] {
    RawClient client(path_);
    for (const auto name : {wire::Descriptor::client_page, wire::Descriptor::request_ring}) {
      require(::ftruncate(client.fd(name), 0) != 0 && errno == EPERM, "shrunk");
      require(::ftruncate(client.fd(name), 1 << 30) != 0 && errno == EPERM, "grown");
    }
    for (const auto name : {wire::Descriptor::control_page, wire::Descriptor::reply_ring}) {
      require(::mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, client.fd(name), 0) == MAP_FAILED,
              "mapped for writing");
      require(::ftruncate(client.fd(name), 0) != 0, "shrunk");
      const std::string again = "/proc/self/fd/" + std::to_string(client.fd(name));
      const int writable = ::open(again.c_str(), O_RDWR | O_CLOEXEC);
      // Between processes of root's own there is no promise.
      require(writable < 0 || ::geteuid() == 0, "opened for writing");
    }
    // The index itself comes on demand.
    wire::AdminRequest request;
    request.kind = wire::AdminKind::generation;
    request.argument = 1;
    need(client.send(wire::encode(request)), "ask");
    os::Packet packet = need(os::receive_packet(client.socket(), RawClient::patience()), "answer");
    require(packet.descriptors.size() == 1, "no index");
    const int index = packet.descriptors.front().get();
    require(::mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, index, 0) == MAP_FAILED, "mapped");
    const int writable = ::open(("/proc/self/fd/" + std::to_string(index)).c_str(), O_RDWR);
    require(writable < 0 || ::geteuid() == 0, "the index opened for writing");
    require(::fchmod(index, 0666) != 0 || ::geteuid() == 0, "the index's mode changed");
  }).expect_done();
}

TEST_F(Hostile, a_doorbell_that_blocks_and_is_full_stops_nobody) {
  const MessagePipe<int> ready;
  const MessagePipe<int> go;
  ClientProcess client = hostile([&] {
    RawClient raw(path_);
    const int bell = raw.fd(wire::Descriptor::eventfd);
    require(::fcntl(bell, F_SETFL, 0) == 0, "O_NONBLOCK cleared");
    const std::uint64_t most = UINT64_MAX - 1;
    // From zero, so that it takes the largest number there is without waiting.
    std::uint64_t before = 0;
    ::fcntl(bell, F_SETFL, O_NONBLOCK);
    static_cast<void>(::read(bell, &before, sizeof before));
    ::fcntl(bell, F_SETFL, 0);
    require(::write(bell, &most, sizeof most) == sizeof most, "filled");
    // Its own bell as well: the daemon rings who says it sleeps.
    ::fcntl(raw.fd(wire::Descriptor::bell), F_SETFL, 0);
    raw.page().asleep.store(1);
    ready.send(1);
    static_cast<void>(go.receive());
  });
  static_cast<void>(ready.receive());
  for (int i = 0; i < 50; ++i) expect_served();
  go.send(1);
  client.expect_done();
}

TEST_F(Hostile, who_floods_and_never_reads_its_replies_waits_alone) {
  const MessagePipe<int> ready;
  const MessagePipe<int> go;
  ClientProcess flood = hostile([&] {
    RawClient client(path_);
    wire::ClientPage& page = client.page();
    wire::RequestProducer ring = client.requests();
    wire::CommitRequest request;
    request.writes.push_back({"flood", "1", {}, false});
    wire::OutputArchive archive(4096);
    wire::encode(request, archive);
    // As many as it has words for, and then as many as the ring takes; it reads no reply.
    std::uint64_t number = 1;
    while (number <= kMaxInFlight && wire::submit(page, number)) {
      const wire::Push pushed = ring.try_push(number, archive.bytes(), wire::kLastChunk);
      client.ring();
      if (pushed == wire::Push::pushed) {
        ++number;
      } else {
        ::sched_yield();
        wire::free_word(page, number);
      }
    }
    ready.send(1);
    static_cast<void>(go.receive());
  });
  // While it floods and afterwards.
  for (int i = 0; i < 200; ++i) expect_served();
  static_cast<void>(ready.receive());
  for (int i = 0; i < 20; ++i) expect_served();
  go.send(1);
  flood.expect_done();
  wait_until_clients(1);
}

TEST_F(Hostile, who_withdraws_every_request_leaves_nothing_of_them_in_the_daemon) {
  constexpr std::size_t kChunks = 2048;
  constexpr std::size_t kMayGrow = kChunks * kMaxChunkBytes / 4;
  const std::size_t before = memory_of(daemon_.pid());
  hostile([this] {
    RawClient client(path_);
    wire::ClientPage& page = client.page();
    wire::RequestProducer ring = client.requests();
    const std::vector<std::byte> bytes(kMaxChunkBytes, std::byte{1});
    for (std::uint64_t number = 1; number <= kChunks; ++number) {
      require(wire::submit(page, number), "submit");
      require(wire::withdraw(page, number) == wire::Withdrawal::withdrawn, "withdraw");
      require(ring.try_push(number, bytes, wire::kLastChunk) == wire::Push::pushed, "push");
      client.ring();
      while (ring.given_back() < ring.tail()) ::sched_yield();
      wire::free_word(page, number);
    }
    require(client.reply_header().dropped.load() == 0, "dropped for withdrawing");
  }).expect_done();
  EXPECT_LT(memory_of(daemon_.pid()), before + kMayGrow);
}

TEST_F(Hostile, requests_too_long_for_one_chunk_leave_nothing_in_the_daemon) {
  // Half of them is more than AddressSanitizer keeps of what was freed, 256 MiB.
  constexpr std::size_t kRequests = 1024;
  constexpr std::size_t kBytes = std::size_t{1} << 20;
  const std::string value = '"' + std::string(kBytes, 'x') + '"';
  const std::size_t before = memory_of(daemon_.pid());
  for (std::size_t i = 0; i < kRequests; ++i) {
    // Refused, so that nothing of it is in the index either.
    EXPECT_EQ(store_.set("never", value, expect_present).error(), errc::version_mismatch);
  }
  EXPECT_LT(memory_of(daemon_.pid()), before + kRequests * kBytes / 2);
}

TEST(Turns, of_clients_that_all_have_much_to_send_each_comes_every_few_batches) {
  const Watchdog watchdog("a flood");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  const DaemonProcess daemon =
      DaemonProcess::serving({.store = path, .arguments = {"--durability", "written"}});
  Options options;
  options.autostart = Autostart::never;
  options.timeout = std::chrono::minutes(2);
  Store flood = need(Store::open(path, options), "open");
  Store other = need(Store::open(path, options), "open");
  // All of it is there before the daemon looks.
  daemon.signal(SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(daemon.pid(), &status, WUNTRACED), daemon.pid());
  std::vector<Pending> flying;
  for (std::size_t i = 0; i < kMaxInFlight; ++i) {
    flying.push_back(flood.submit(Batch().set("flood", "1")));
  }
  Pending one = other.submit(Batch().set("other", "1"));
  daemon.signal(SIGCONT);
  EXPECT_LE(need(one.wait(), "set").sequence, 4 * kMaxUnsyncedBatchCommits);
  for (Pending& pending : flying) EXPECT_TRUE(pending.wait());
}

}  // namespace
}  // namespace dfs::test
