#include "common/os/socket.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "common/os/file.hpp"
#include "common/os/memory.hpp"
#include "common/os/random.hpp"

namespace dfs::os {
namespace {

class Sockets : public testing::Test {
 protected:
  Sockets() : directory_(std::filesystem::temp_directory_path() / ("dfs-os-" + random_hex(8))) {
    // 300 bytes of path: beyond what a socket's address holds.
    directory_ /= std::string(150, 'd');
    std::filesystem::create_directories(directory_);
    path_ = (directory_ / (std::string(140, 's') + ".socket")).string();
  }
  ~Sockets() override { std::filesystem::remove_all(directory_.parent_path()); }

  std::filesystem::path directory_;
  std::string path_;
};

TEST_F(Sockets, long_paths_are_listened_at_and_connected_to) {
  const Descriptor listening = listen_at(path_).value();
  const Descriptor client = connect_to(path_, Deadline::never()).value();
  const Descriptor server = accept_from(listening.get()).value();
  send_packet(client.get(), "hello", {}, Deadline::never()).value();
  EXPECT_EQ(receive_packet(server.get(), Deadline::never()).value().bytes, "hello");
  EXPECT_EQ(list_directory(directory_.string()).value().size(), 1U);  // no leftover of the rename
}

TEST_F(Sockets, a_new_daemon_replaces_the_socket_of_a_dead_one) {
  listen_at(path_).value();  // closed at once: nobody listens
  EXPECT_FALSE(connect_to(path_, Deadline::never()));
  const Descriptor listening = listen_at(path_).value();
  EXPECT_TRUE(connect_to(path_, Deadline::never()));
}

TEST_F(Sockets, who_listens_is_not_replaced) {
  const Descriptor listening = listen_at(path_).value();
  EXPECT_EQ(listen_at(path_).error().system_error(), EADDRINUSE);
  EXPECT_TRUE(connect_to(path_, Deadline::never()));
}

TEST_F(Sockets, nothing_there_is_absent) {
  EXPECT_EQ(connect_to(path_, Deadline::never()).error(), errc::absent);
}

TEST_F(Sockets, the_peer_is_told_by_the_kernel) {
  const Descriptor listening = listen_at(path_).value();
  const Descriptor client = connect_to(path_, Deadline::never()).value();
  const Descriptor server = accept_from(listening.get()).value();
  const Peer peer = peer_of(server.get()).value();
  EXPECT_EQ(peer.pid, ::getpid());
  EXPECT_EQ(peer.uid, ::geteuid());
  EXPECT_TRUE(peer.process.is_open());
}

TEST_F(Sockets, descriptors_cross_and_stay_close_on_exec) {
  const SocketPair pair = make_pair().value();
  const Descriptor memory = make_memory("test", 4096).value();
  const std::array<int, 1> sent{memory.get()};
  send_packet(pair.ours.get(), "x", sent, Deadline::never()).value();
  const Packet packet = receive_packet(pair.theirs.get(), Deadline::never()).value();
  ASSERT_EQ(packet.descriptors.size(), 1U);
  EXPECT_EQ(memory_size(packet.descriptors[0].get()).value(), 4096U);
}

TEST(Bells, a_full_bell_is_no_error_and_a_dead_one_is_seen) {
  SocketPair pair = make_pair().value();
  for (int i = 0; i < 10'000; ++i) ring_bell(pair.ours.get());  // never waits
  EXPECT_TRUE(drain_bell(pair.theirs.get()));
  pair.ours.reset();
  EXPECT_FALSE(drain_bell(pair.theirs.get()));
}

TEST(Packets, a_deadline_that_passes_is_a_timeout) {
  const SocketPair pair = make_pair().value();
  EXPECT_EQ(receive_packet(pair.ours.get(), Deadline::after(std::chrono::milliseconds(1))).error(),
            errc::timeout);
  EXPECT_TRUE(would_block(try_receive_packet(pair.ours.get()).error()));
}

TEST(Packets, the_end_of_the_other_side_is_no_error) {
  SocketPair pair = make_pair().value();
  pair.ours.reset();
  EXPECT_TRUE(receive_packet(pair.theirs.get(), Deadline::never()).value().end);
}

}  // namespace
}  // namespace dfs::os
