#include "common/os/socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/assert.hpp"
#include "common/os/file.hpp"
#include "common/os/random.hpp"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // Linux 6.5; the headers of Debian 12 are older
#endif

namespace dfs::os {

namespace {

Error failed(std::string_view operation) { return Error::from_errno(errno, operation); }

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  DFS_ASSERT(path.size() < sizeof address.sun_path,
             "addresses go through /proc/self/fd, which is short");
  std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
  return address;
}

Result<Descriptor> make_socket() {
  Descriptor fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) return failed("make a socket");
  return fd;
}

std::string proc_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

/// Waits for `events`; timeout is an error of its own.
Result<void> wait_for(int fd, short events, Deadline deadline) {
  for (;;) {
    pollfd entry{fd, events, 0};
    const int n = ::poll(&entry, 1, deadline.left_ms());
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return failed("wait at a socket");
    if (deadline.passed()) return errc::timeout;
  }
}

Descriptor process_of(int socket, std::int32_t pid) {
  int fd = -1;
  socklen_t size = sizeof fd;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) == 0) return Descriptor(fd);
  // Older kernels: by number, which may have been given to another process since; the socket tells
  // then.
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

}  // namespace

Result<Descriptor> listen_at(const std::string& path) {
  // A rename would take the place of whoever listens there, and their clients would come to us.
  if (connect_to(path, Deadline::after(std::chrono::nanoseconds(0)))) {
    return Error::from_errno(EADDRINUSE, "make socket " + path);
  }
  auto fd = make_socket();
  if (!fd) return fd;
  const std::string directory = directory_of(path);
  const Descriptor where(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!where.is_open()) return failed("open directory " + directory);
  // Bound under a short name that nobody looks for, then renamed: who finds the socket can connect
  // to it.
  const std::string name = ".dfs-" + random_hex(8);
  const std::string near = proc_path(where.get()) + "/" + name;
  const sockaddr_un address = address_of(near);
  if (::bind(fd->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed("make socket " + path);
  }
  if (::fchmodat(where.get(), name.c_str(), 0666, 0) != 0 || ::listen(fd->get(), SOMAXCONN) != 0 ||
      ::renameat(where.get(), name.c_str(), where.get(), name_of(path).c_str()) != 0) {
    const int error = errno;
    ::unlinkat(where.get(), name.c_str(), 0);
    return Error::from_errno(error, "publish socket " + path);
  }
  return fd;
}

Result<Descriptor> connect_to(const std::string& path, Deadline deadline) {
  // Through /proc the path may be long, and no link on it can change between look and connect.
  const Descriptor where(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!where.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) return errc::absent;
    return failed("open socket " + path);
  }
  auto fd = make_socket();
  if (!fd) return fd;
  const sockaddr_un address = address_of(proc_path(where.get()));
  for (;;) {
    if (::connect(fd->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return fd;
    }
    if (errno == EINTR) continue;
    // EAGAIN: the backlog is full. A Unix socket cannot be polled for that, so look again a little
    // later.
    if (errno != EAGAIN || deadline.passed()) return failed("connect to " + path);
    ::poll(nullptr, 0, 1);
  }
}

Result<Descriptor> accept_from(int listening) {
  Descriptor fd(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd.is_open()) return failed("accept a connection");
  return fd;
}

Result<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return failed("ask who connected");
  }
  Peer peer;
  peer.pid = credentials.pid;
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  // 65,536 is NGROUPS_MAX: the kernel never has more to tell.
  std::vector<gid_t> groups(64);
  size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  int got = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
  if (got != 0 && errno == ERANGE) {
    groups.resize(size / sizeof(gid_t));
    got = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
  }
  if (got != 0) return failed("ask for the groups of who connected");
  peer.groups.assign(groups.begin(),
                     groups.begin() + static_cast<std::ptrdiff_t>(size / sizeof(gid_t)));
  peer.process = process_of(socket, peer.pid);
  return peer;
}

Result<SocketPair> make_pair() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()) != 0) {
    return failed("make a socket pair");
  }
  return SocketPair{Descriptor(fds[0]), Descriptor(fds[1])};
}

Result<void> try_send_packet(int socket, std::string_view bytes, std::span<const int> descriptors) {
  DFS_ASSERT(bytes.size() <= kMaxPacketBytes && !bytes.empty() &&
                 descriptors.size() <= kMaxPacketDescriptors,
             "an empty packet reads like the end; a larger one does not arrive whole");
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxPacketDescriptors * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  while (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno != EINTR) return failed("send to the other side");
  }
  return {};
}

Result<void> send_packet(int socket, std::string_view bytes, std::span<const int> descriptors,
                         Deadline deadline) {
  for (;;) {
    auto sent = try_send_packet(socket, bytes, descriptors);
    if (sent || !would_block(sent.error())) return sent;
    if (auto ready = wait_for(socket, POLLOUT, deadline); !ready) return ready;
  }
}

Result<Packet> try_receive_packet(int socket) {
  Packet packet;
  packet.bytes.resize(kMaxPacketBytes);
  iovec part{packet.bytes.data(), packet.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxPacketDescriptors * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t n = -1;
  do {
    n = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0) {
    if (errno == ECONNRESET) {
      packet.bytes.clear();
      packet.end = true;
      return packet;
    }
    return failed("receive from the other side");
  }
  packet.bytes.resize(static_cast<std::size_t>(n));
  packet.end = n == 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      packet.descriptors.emplace_back(fd);
    }
  }
  if ((message.msg_flags & MSG_TRUNC) != 0)
    return Error(errc::incompatible, "a packet over 64 KiB");
  return packet;
}

Result<Packet> receive_packet(int socket, Deadline deadline) {
  for (;;) {
    auto packet = try_receive_packet(socket);
    if (packet || !would_block(packet.error())) return packet;
    if (auto ready = wait_for(socket, POLLIN, deadline); !ready) return std::move(ready).error();
  }
}

void ring_bell(int socket) noexcept {
  const char byte = 1;
  static_cast<void>(::send(socket, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL));
}

bool drain_bell(int socket) noexcept {
  // Several in one call, so that one call says that there are no more.
  constexpr std::size_t kAtOnce = 4;
  std::array<char, kAtOnce> bytes{};
  std::array<iovec, kAtOnce> places{};
  std::array<mmsghdr, kAtOnce> rings{};
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    places.at(i) = {&bytes.at(i), 1};
    rings.at(i).msg_hdr.msg_iov = &places.at(i);
    rings.at(i).msg_hdr.msg_iovlen = 1;
  }
  for (;;) {
    const int n = ::recvmmsg(socket, rings.data(), kAtOnce, MSG_DONTWAIT, nullptr);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    for (int i = 0; i < n; ++i) {
      if (rings.at(static_cast<std::size_t>(i)).msg_len == 0) return false;
    }
    if (n < static_cast<int>(kAtOnce)) return true;
  }
}

bool would_block(const Error& error) noexcept { return error.system_error() == EAGAIN; }

}  // namespace dfs::os
