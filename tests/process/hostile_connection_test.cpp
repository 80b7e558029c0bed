// A client that breaks every rule of its connection: it says nothing, asks and does not read, ends
// and leaves its socket behind. The daemon lives, and the others are served (I8).
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "common/wire/admin.hpp"
#include "common/wire/hello.hpp"
#include "tests/process/hold.hpp"
#include "tests/process/hostile.hpp"
#include "tests/process/message_pipe.hpp"

namespace dfs::test {
namespace {

using HostileConnection = Hostile;

/// Says hello, as one who only reads, and what was answered. The connection lasts as long as
/// `socket`; the memory that came with the answer is let go.
wire::HelloStatus greet(const os::Descriptor& socket) {
  wire::Hello hello;
  hello.wanted = wire::kWantRead;
  const auto packet = wire::encode(hello);
  need(os::send_packet(socket.get(), {reinterpret_cast<const char*>(packet.data()), packet.size()},
                       {}, RawClient::patience()),
       "send hello");
  const os::Packet answer =
      need(os::receive_packet(socket.get(), RawClient::patience()), "receive hello");
  return need(wire::decode_hello_answer(std::as_bytes(std::span(answer.bytes))), "decode").status;
}

std::size_t open_files_of(::pid_t pid) {
  const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST_F(HostileConnection, a_store_serves_1024_clients_and_turns_the_next_away) {
  wait_until_clients(1);
  hostile([this] {
    std::vector<os::Descriptor> sockets;
    while (sockets.size() + 1 < kMaxClients) {  // the honest one is there
      sockets.push_back(RawClient::dial(path_));
      require(greet(sockets.back()) == wire::HelloStatus::welcome, "turned away too soon");
    }
    require(greet(RawClient::dial(path_)) == wire::HelloStatus::busy, "one too many");
  }).expect_done();
  wait_until_clients(1);
}

TEST_F(HostileConnection, a_client_has_1024_questions_waiting_at_the_most) {
  constexpr std::uint64_t kMost = 1024;
  Hold hold(directory_ / "hold");
  store_.close();
  daemon_.stop();
  daemon_ = DaemonProcess::serving({.program = DFSD_FAULTS,
                                    .store = path_,
                                    .fault = "hold@base:1",
                                    .environment = hold.environment()});
  store_ = open();
  ClientProcess asks = hostile([this] {
    const RawClient client(path_);
    // None of them is answered while the compactor is held.
    for (std::uint64_t i = 1; i <= kMost + 1; ++i) {
      need(client.send(wire::encode(wire::AdminRequest{wire::AdminKind::compact, i, 0, {}})),
           "ask");
    }
    const os::Packet packet =
        need(os::receive_packet(client.socket(), RawClient::patience()), "receive");
    const auto answer =
        need(wire::decode_admin_answer(std::as_bytes(std::span(packet.bytes))), "decode");
    require(answer.serial == kMost + 1, "it is another question's");
    require(answer.status == wire::AdminStatus::refused && answer.code == errc::busy,
            std::string(answer.text));
  });
  hold.wait();
  asks.expect_done();
  expect_served();
}

TEST_F(HostileConnection, a_question_that_was_answered_waits_no_more) {
  store_.close();
  daemon_.stop();
  daemon_ = DaemonProcess::serving(
      {.store = path_, .arguments = {"--durability", "written", "--sync-interval", "1h"}});
  store_ = open();
  for (int i = 0; i < 1100; ++i) {
    const std::uint64_t sequence = need(store_.set("key", "1"), "set").sequence;
    need(store_.sync(sequence), "sync");
  }
}

TEST_F(HostileConnection, who_does_not_take_the_answer_to_its_hello_leaves_nothing_open) {
  wait_until_clients(1);
  const std::size_t before = open_files_of(daemon_.pid());
  hostile([this] {
    const auto hello = wire::encode(wire::Hello{});
    for (int i = 0; i < 100; ++i) {
      const os::Descriptor socket = RawClient::dial(path_);
      require(::shutdown(socket.get(), SHUT_RD) == 0, "shutdown");
      need(
          os::send_packet(socket.get(), {reinterpret_cast<const char*>(hello.data()), hello.size()},
                          {}, RawClient::patience()),
          "send hello");
    }
  }).expect_done();
  while (open_files_of(daemon_.pid()) > before) ::sched_yield();
}

TEST_F(HostileConnection, a_client_costs_the_daemon_four_open_files) {
  constexpr std::size_t kClients = 20;
  wait_until_clients(1);
  const std::size_t before = open_files_of(daemon_.pid());
  const MessagePipe<int> ready;
  const MessagePipe<int> go;
  ClientProcess clients = hostile([&] {
    std::vector<os::Descriptor> sockets;
    for (std::size_t i = 0; i < kClients; ++i) {
      sockets.push_back(RawClient::dial(path_));
      require(greet(sockets.back()) == wire::HelloStatus::welcome, "turned away");
    }
    ready.send(1);
    static_cast<void>(go.receive());
  });
  static_cast<void>(ready.receive());
  EXPECT_EQ(number("clients"), 1 + kClients);
  // Its socket, the two bells, and its process.
  EXPECT_LE(open_files_of(daemon_.pid()), before + 4 * kClients);
  go.send(1);
  clients.expect_done();
}

TEST_F(HostileConnection, with_all_its_files_open_it_hears_again_when_some_are_closed) {
  const std::size_t open = open_files_of(daemon_.pid());
  ::rlimit many{};
  ASSERT_EQ(::prlimit(daemon_.pid(), RLIMIT_NOFILE, nullptr, &many), 0);
  const ::rlimit few{open + 4, many.rlim_max};
  ASSERT_EQ(::prlimit(daemon_.pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  {
    std::vector<os::Descriptor> silent;
    while (daemon_.said().find("cannot accept") == std::string::npos) {
      silent.push_back(RawClient::dial(path_));
    }
  }
  ASSERT_EQ(::prlimit(daemon_.pid(), RLIMIT_NOFILE, &many, nullptr), 0);
  expect_served();
}

TEST(SilentConnections, are_fewer_than_would_take_all_of_its_files) {
  const Watchdog watchdog("silent connections");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  DaemonProcess daemon =
      DaemonProcess::serving({.store = path, .wrapper = {"prlimit", "--nofile=256:256"}});
  std::vector<os::Descriptor> silent;
  for (int i = 0; i < 400; ++i) silent.push_back(RawClient::dial(path));
  Options options;
  options.autostart = Autostart::never;
  need(need(Store::open(path, options), "open").set("a", "1"), "set");
  EXPECT_EQ(daemon.said().find("cannot accept"), std::string::npos) << daemon.said();
  daemon.stop();
}

TEST_F(HostileConnection, four_hundred_silent_connections_keep_nobody_out) {
  const MessagePipe<int> ready;
  const MessagePipe<int> go;
  ClientProcess silent = hostile([&] {
    std::vector<os::Descriptor> sockets;
    const auto hello = wire::encode(wire::Hello{});
    for (int i = 0; i < 400; ++i) {
      sockets.push_back(RawClient::dial(path_));
      // Half of them say half a hello.
      if (i % 2 == 0) continue;
      static_cast<void>(
          os::try_send_packet(sockets.back().get(),
                              {reinterpret_cast<const char*>(hello.data()), hello.size() / 2}, {}));
    }
    ready.send(1);
    static_cast<void>(go.receive());
  });
  static_cast<void>(ready.receive());
  for (int i = 0; i < 20; ++i) expect_served();
  go.send(1);
  silent.expect_done();
}

TEST_F(HostileConnection, who_asks_and_does_not_read_is_dropped) {
  expect_dropped(
      [](RawClient& client) {
        wire::AdminRequest request;
        request.kind = wire::AdminKind::info;
        for (;;) {
          const auto packet = wire::encode(request);
          if (!os::send_packet(client.socket(),
                               {reinterpret_cast<const char*>(packet.data()), packet.size()}, {},
                               RawClient::patience())) {
            return;
          }
        }
      },
      std::string(wire::describe(wire::DropReason::not_reading)));
}

TEST_F(HostileConnection, descriptors_that_are_asked_for_and_left_lying_keep_nobody_out) {
  const MessagePipe<int> ready;
  const MessagePipe<int> go;
  std::vector<ClientProcess> collectors;
  for (int i = 0; i < 20; ++i) {
    collectors.push_back(hostile([&] {
      RawClient client(path_);
      wire::AdminRequest request;
      request.kind = wire::AdminKind::generation;
      request.argument = 1;
      const auto packet = wire::encode(request);
      for (int n = 0; n < 500; ++n) {
        if (!os::try_send_packet(client.socket(),
                                 {reinterpret_cast<const char*>(packet.data()), packet.size()},
                                 {})) {
          break;
        }
      }
      ready.send(1);
      static_cast<void>(go.receive());
    }));
  }
  for (int i = 0; i < 20; ++i) static_cast<void>(ready.receive());
  expect_served();
  for (int i = 0; i < 20; ++i) go.send(1);
  for (ClientProcess& one : collectors) one.expect_done();
}

TEST_F(HostileConnection, the_end_of_a_process_counts_though_its_child_keeps_the_socket) {
  wait_until_clients(1);
  const MessagePipe<::pid_t> child;
  const MessagePipe<int> go;
  hostile([&] {
    RawClient client(path_);
    client.page().holds.at(1).fetch_add(1);
    const ::pid_t pid = ::fork();
    if (pid == 0) {
      static_cast<void>(go.receive());
      ::_exit(0);
    }
    child.send(pid);
    // It ends; the socket, the memory and the hold stay with its child.
  }).expect_done();
  static_cast<void>(child.receive());
  wait_until_clients(1);
  expect_served();
  go.send(1);
}

TEST_F(HostileConnection, what_is_no_hello_is_turned_away) {
  hostile([this] {
    std::mt19937 random(5);
    for (int i = 0; i < 200; ++i) {
      const os::Descriptor socket = RawClient::dial(path_);
      std::string bytes(random() % 300, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random());
      if (i % 3 == 0) bytes.replace(0, std::min<std::size_t>(4, bytes.size()), "DFS\1", 4);
      if (!os::send_packet(socket.get(), bytes, {}, RawClient::patience())) continue;
      // An answer or an end; never silence.
      require(os::wait_readable(socket.get(), RawClient::patience()), "no answer");
    }
  }).expect_done();
}

}  // namespace
}  // namespace dfs::test
