// A client without the library: a connection's descriptors and memory, for a test to misuse.
#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/limits.hpp"
#include "common/os/clock.hpp"
#include "common/os/poller.hpp"
#include "common/os/socket.hpp"
#include "common/wire/admin.hpp"
#include "common/wire/client_page.hpp"
#include "common/wire/hello.hpp"
#include "common/wire/reply_header.hpp"
#include "common/wire/reply_ring.hpp"
#include "common/wire/request.hpp"
#include "common/wire/request_ring.hpp"
#include "common/wire/request_word.hpp"
#include "tests/process/client_process.hpp"

namespace dfs::test {

/// In a client process that root forked: becomes somebody else, for whom the daemon's promises
/// hold. Otherwise nothing.
inline void become_somebody_else() {
  constexpr ::uid_t kNobody = 65534;
  if (::geteuid() != 0) return;
  require(::setresgid(kNobody, kNobody, kNobody) == 0, "setresgid");
  require(::setresuid(kNobody, kNobody, kNobody) == 0, "setresuid");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of user has cleared it
}

/// Connected and welcome. Mappings last as long as the process.
class RawClient {
 public:
  explicit RawClient(const std::string& store) : socket_(dial(store)) {
    const auto hello = wire::encode(wire::Hello{});
    need(send(hello), "send hello");
    os::Packet packet = need(os::receive_packet(socket(), patience()), "receive hello");
    const auto answer = need(wire::decode_hello_answer(std::as_bytes(std::span(packet.bytes))),
                             "the answer to hello");
    require(answer.status == wire::HelloStatus::welcome, std::string(answer.text));
    for (std::size_t i = 0; i < answer.descriptors.size(); ++i) {
      descriptors_.emplace(answer.descriptors[i], std::move(packet.descriptors[i]));
    }
    connection_ = answer.connection;
  }

  /// A socket that has said nothing.
  [[nodiscard]] static os::Descriptor dial(const std::string& store) {
    return need(os::connect_to(store + ".socket", patience()), "connect");
  }
  [[nodiscard]] static os::Deadline patience() {
    return os::Deadline::after(std::chrono::minutes(2));
  }

  [[nodiscard]] std::uint64_t connection() const { return connection_; }
  [[nodiscard]] int socket() const { return socket_.get(); }
  [[nodiscard]] int fd(wire::Descriptor name) const { return descriptors_.at(name).get(); }
  [[nodiscard]] std::span<std::byte> map(wire::Descriptor name, std::size_t bytes,
                                         int protection = PROT_READ | PROT_WRITE) const {
    void* memory = ::mmap(nullptr, bytes, protection, MAP_SHARED, fd(name), 0);
    require(memory != MAP_FAILED, "mmap");
    return {static_cast<std::byte*>(memory), bytes};
  }
  [[nodiscard]] wire::ClientPage& page() const {
    return wire::client_page_at(map(wire::Descriptor::client_page, kClientPageBytes));
  }
  [[nodiscard]] const wire::ReplyHeader& reply_header() const {
    return *wire::reply_header_at(
        map(wire::Descriptor::reply_ring, wire::kReplyMemoryBytes, PROT_READ));
  }
  /// The two rings, as the library uses them.
  [[nodiscard]] wire::RequestProducer requests() const {
    return {map(wire::Descriptor::request_ring, kRequestRingBytes), page().request_tail,
            reply_header().request_head};
  }
  [[nodiscard]] wire::ReplyConsumer replies() const {
    return {reply_header(),
            map(wire::Descriptor::reply_ring, wire::kReplyMemoryBytes, PROT_READ)
                .subspan(wire::kReplyHeaderBytes),
            page().reply_position};
  }
  Result<void> send(std::span<const std::byte> packet) const {
    return os::send_packet(socket(), {reinterpret_cast<const char*>(packet.data()), packet.size()},
                           {}, patience());
  }
  void ring() const { os::ring_event(fd(wire::Descriptor::eventfd)); }
  /// Waits until the daemon has closed the connection.
  void wait_for_end() const {
    for (;;) {
      const auto packet = os::receive_packet(socket(), patience());
      if (!packet || packet->end) {
        require(!packet || packet->end, "the daemon keeps the connection");
        require(packet.has_value() || packet.error() != errc::timeout,
                "the daemon keeps the connection");
        return;
      }
    }
  }

 private:
  os::Descriptor socket_;
  std::map<wire::Descriptor, os::Descriptor> descriptors_;
  std::uint64_t connection_ = 0;
};

}  // namespace dfs::test
