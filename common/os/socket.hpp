// Unix SOCK_SEQPACKET sockets: hello, descriptors, administration; and the pairs that ring a
// client's bell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "common/os/descriptor.hpp"

namespace dfs::os {

/// The largest packet either side sends.
inline constexpr std::size_t kMaxPacketBytes = std::size_t{64} << 10;
/// Descriptors in one packet, at most.
inline constexpr std::size_t kMaxPacketDescriptors = 8;

/// Who is at the other end, as the kernel tells it.
struct Peer {
  std::int32_t pid = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;  ///< the supplementary ones
  Descriptor process;  ///< a pidfd, readable when the process has ended; may be closed
};

/// Makes a listening socket and puts it at `path` by rename, so that whoever finds it can connect;
/// errno EADDRINUSE where somebody listens there. Mode 0666: who may do what is decided at hello.
/// The path may be long.
Result<Descriptor> listen_at(const std::string& path);
/// Connects to the socket at `path`. errno ECONNREFUSED: a socket of a dead daemon; absent: nothing
/// there.
Result<Descriptor> connect_to(const std::string& path, Deadline deadline);
/// The next connection, or EAGAIN in the error's errno.
Result<Descriptor> accept_from(int listening);
Result<Peer> peer_of(int socket);

struct SocketPair {
  Descriptor ours;
  Descriptor theirs;
};
Result<SocketPair> make_pair();

struct Packet {
  std::string bytes;
  std::vector<Descriptor> descriptors;
  bool end = false;  ///< the other side has closed
};

/// Sends one packet. With a deadline that has passed or MSG_DONTWAIT semantics: errno EAGAIN.
Result<void> send_packet(int socket, std::string_view bytes, std::span<const int> descriptors,
                         Deadline deadline);
/// Sends without ever waiting; errno EAGAIN where there is no room.
Result<void> try_send_packet(int socket, std::string_view bytes, std::span<const int> descriptors);
/// Receives one packet; errc::timeout when the deadline passes first.
Result<Packet> receive_packet(int socket, Deadline deadline);
/// Receives without ever waiting; errno EAGAIN where there is nothing.
Result<Packet> try_receive_packet(int socket);

/// Rings: one byte, never waiting. A full or dead bell is no error: its owner is awake or gone.
void ring_bell(int socket) noexcept;
/// Takes everything that was rung. False where the other side has closed.
bool drain_bell(int socket) noexcept;

/// Whether an error is the kernel's "not now".
[[nodiscard]] bool would_block(const Error& error) noexcept;

}  // namespace dfs::os
