// A client that breaks every rule of its connection: it says nothing, asks and does not read, ends
// and leaves its socket behind. The daemon lives, and the others are served (I8).
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "common/wire/admin.hpp"
#include "common/wire/hello.hpp"
#include "tests/process/hostile.hpp"
#include "tests/process/message_pipe.hpp"

namespace dfs::test {
namespace {

using HostileConnection = Hostile;

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
