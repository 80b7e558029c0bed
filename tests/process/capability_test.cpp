// Daemon and client of different age: what the one cannot, the other does without. A daemon that
// wakes nobody at its word is today's with that bit taken out of its answer to hello, on the way.
#include <dfs/store.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/limits.hpp"
#include "common/os/socket.hpp"
#include "common/wire/client_page.hpp"
#include "common/wire/hello.hpp"
#include "common/wire/waiting.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/raw_client.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

/// Stands between clients and a daemon, and passes everything on, but of the daemon's capabilities
/// only some. Threads: its own, and the test's.
class Between {
 public:
  /// Clients find it as the store `here`.
  Between(const std::string& here, std::string store, std::uint64_t capabilities)
      : store_(std::move(store)),
        capabilities_(capabilities),
        listening_(need(os::listen_at(here + ".socket"), "listen")) {
    if (::pipe2(end_, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    thread_ = std::thread([this] { run(); });
  }
  Between(const Between&) = delete;
  Between& operator=(const Between&) = delete;
  ~Between() {
    ::close(end_[1]);
    thread_.join();
    ::close(end_[0]);
  }
  /// How the client that came last sleeps, as soon as it does.
  [[nodiscard]] std::uint32_t sleeps_how() const {
    for (;;) {
      const std::uint32_t how = page_.load()->asleep.load();
      if (how != 0) return how;
      ::sched_yield();
    }
  }

 private:
  struct Pair {
    os::Descriptor client;
    os::Descriptor daemon;
    bool welcome = false;
  };

  void run() {
    std::list<Pair> pairs;
    for (;;) {
      std::vector<::pollfd> all{{end_[0], POLLIN, 0}, {listening_.get(), POLLIN, 0}};
      for (const Pair& pair : pairs) {
        all.push_back({pair.client.get(), POLLIN, 0});
        all.push_back({pair.daemon.get(), POLLIN, 0});
      }
      if (::poll(all.data(), all.size(), -1) < 0 && errno != EINTR) return;
      if (all[0].revents != 0) return;
      std::erase_if(pairs, [this](Pair& pair) { return !answer(pair) || !ask(pair); });
      if (all[1].revents == 0) continue;
      auto client = os::accept_from(listening_.get());
      if (client) pairs.push_back({std::move(*client), RawClient::dial(store_)});
    }
  }
  static bool ask(const Pair& pair) {
    const auto packet = os::try_receive_packet(pair.client.get());
    if (!packet) return os::would_block(packet.error());
    return !packet->end && pass_on(pair.daemon, packet->bytes, packet->descriptors);
  }
  bool answer(Pair& pair) {
    const auto packet = os::try_receive_packet(pair.daemon.get());
    if (!packet) return os::would_block(packet.error());
    if (packet->end) return false;
    std::string bytes = packet->bytes;
    if (!std::exchange(pair.welcome, true)) {
      auto hello =
          need(wire::decode_hello_answer(std::as_bytes(std::span(packet->bytes))), "hello");
      hello.capabilities &= capabilities_;
      const auto changed = wire::encode(hello);
      bytes.assign(reinterpret_cast<const char*>(changed.data()), changed.size());
      for (std::size_t i = 0; i < hello.descriptors.size(); ++i) {
        if (hello.descriptors[i] == wire::Descriptor::client_page) look(packet->descriptors[i]);
      }
    }
    return pass_on(pair.client, bytes, packet->descriptors);
  }
  void look(const os::Descriptor& page) {
    void* memory = ::mmap(nullptr, kClientPageBytes, PROT_READ, MAP_SHARED, page.get(), 0);
    require(memory != MAP_FAILED, "mmap");
    page_ = &wire::client_page_at({static_cast<std::byte*>(memory), kClientPageBytes});
  }
  static bool pass_on(const os::Descriptor& to, std::string_view bytes,
                      const std::vector<os::Descriptor>& with) {
    std::vector<int> descriptors;
    for (const os::Descriptor& one : with) descriptors.push_back(one.get());
    return os::send_packet(to.get(), bytes, descriptors, RawClient::patience()).has_value();
  }

  // Constant after construction.
  const std::string store_;
  const std::uint64_t capabilities_;
  const os::Descriptor listening_;
  int end_[2]{};

  std::atomic<const wire::ClientPage*> page_{nullptr};
  std::thread thread_;
};

class Capability : public testing::Test {
 protected:
  /// A handle that takes the daemon for one with these capabilities.
  Store open(std::uint64_t capabilities) {
    between_.emplace(directory_ / "between.db", path_, capabilities);
    return need(Store::open(directory_ / "between.db", patient()), "open");
  }
  /// How it first sleeps for the answer of a daemon that is stopped.
  std::uint32_t sleeps_for_an_answer(Store& store) {
    daemon_.signal(SIGSTOP);
    ::siginfo_t state{};
    while (::waitid(P_PID, static_cast<::id_t>(daemon_.pid()), &state, WSTOPPED) != 0) {
    }
    std::thread waits([&] { EXPECT_TRUE(store.set("key", "1")); });
    const std::uint32_t how = between_->sleeps_how();
    daemon_.signal(SIGCONT);
    waits.join();
    return how;
  }
  static void write_with_many_threads(Store& store) {
    constexpr int kThreads = 4;
    constexpr int kCommits = 100;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&store, t] {
        for (int i = 0; i < kCommits; ++i) {
          EXPECT_TRUE(store.set("key" + std::to_string(t), std::to_string(i)));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (int t = 0; t < kThreads; ++t) {
      EXPECT_EQ(need(store.get("key" + std::to_string(t)), "get").version, kCommits);
    }
  }

  const Watchdog watchdog_{"a client that sleeps"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
  DaemonProcess daemon_ = DaemonProcess::serving({.store = path_});
  std::optional<Between> between_;
};

TEST_F(Capability, without_a_wake_up_at_its_word_a_client_sleeps_at_its_bell) {
  Store store = open(~wire::kWakesAtWord);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(sleeps_for_an_answer(store), wire::kAsleepForReplies);
  write_with_many_threads(store);
}

TEST_F(Capability, with_it_a_client_sleeps_there) {
  Store store = open(~std::uint64_t{0});
  // A short sleep: one that is over before it was seen is followed by one at the bell.
  while (sleeps_for_an_answer(store) != wire::kAsleepAtWord) {
  }
  write_with_many_threads(store);
}

TEST_F(Capability, who_knows_no_number_that_the_daemon_knows_is_told_what_to_upgrade) {
  std::string said;
  const auto answer_to = [&](wire::Known protocol, wire::Known layout) {
    wire::Hello hello;
    hello.protocol = protocol;
    hello.layout = layout;
    hello.library_version = "9.8.7";
    const auto bytes = wire::encode(hello);
    const os::Descriptor socket = RawClient::dial(path_);
    need(os::send_packet(socket.get(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                         {}, RawClient::patience()),
         "send hello");
    const os::Packet packet =
        need(os::receive_packet(socket.get(), RawClient::patience()), "receive hello");
    auto answer = need(wire::decode_hello_answer(std::as_bytes(std::span(packet.bytes))), "hello");
    said = std::string(answer.text);
    EXPECT_EQ(packet.descriptors.empty(), answer.status != wire::HelloStatus::welcome);
    return answer;
  };
  constexpr wire::Known kOurs{wire::kProtocol, wire::kProtocol};
  constexpr wire::Known kWider{1, 9};
  constexpr wire::Known kLater{wire::kProtocol + 1, wire::kProtocol + 2};
  const auto wider = answer_to(kWider, kWider);
  EXPECT_EQ(wider.status, wire::HelloStatus::welcome) << said;
  EXPECT_EQ(wider.protocol, wire::kProtocol);
  EXPECT_EQ(wider.layout, wire::kLayout);
  for (const bool of_layout : {false, true}) {
    const auto later = of_layout ? answer_to(kOurs, kLater) : answer_to(kLater, kOurs);
    EXPECT_EQ(later.status, wire::HelloStatus::incompatible);
    EXPECT_EQ(later.known_protocol, kOurs);
    EXPECT_NE(said.find(of_layout ? "speaks layout 1," : "speaks protocol 1,"), std::string::npos)
        << said;
    EXPECT_NE(said.find("(9.8.7) speaks 2 to 3"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace dfs::test
