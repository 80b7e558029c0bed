#include "libclient/introduction.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>

#include "common/base/limits.hpp"
#include "common/index/control_page.hpp"
#include "common/os/file.hpp"
#include "common/os/socket.hpp"
#include "common/wire/reply_header.hpp"
#include "libclient/holder.hpp"

namespace dfs::client {

namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error broken_hello(const Address& address, const char* what) {
  return Error(errc::incompatible, "the daemon of " + address.given + " shares " + what +
                                       "; upgrade the older of both");
}

/// As the kernel has it; for `clients`.
std::string program_name() {
  const auto file = os::File::open("/proc/self/comm", {});
  auto name = file ? file->read_at(0, 64) : Result<std::string>(errc::absent);
  if (!name) return {};
  while (name->ends_with('\n')) name->pop_back();
  return *name;
}

Result<os::Descriptor> call(const Address& address, os::Deadline deadline) {
  auto socket = os::connect_to(address.socket, deadline);
  if (socket) return socket;
  const Error& error = socket.error();
  switch (error.system_error()) {
    case ECONNREFUSED:  // a dead daemon's socket
      return Error(errc::no_daemon, "nobody serves " + address.given);
    case EACCES:
      return Error(errc::not_permitted, "you may not reach the socket of " + address.given + ": " +
                                            std::string(error.text()))
          .with_errno(EACCES);
    case EAGAIN:
      return not_answering(address, 0);
    case EPROTOTYPE:
      return Error(errc::no_store, address.socket + " is the socket of another program");
    default:
      break;
  }
  if (error == errc::absent) return Error(errc::no_daemon, "nobody serves " + address.given);
  return socket;
}

/// The process that listens at the other end; 0 where it cannot be told.
std::int32_t listener(const os::Descriptor& socket) {
  const auto peer = os::peer_of(socket.get());
  return peer ? peer->pid : 0;
}

/// Maps one of the descriptors, wherever it stands in the list, and takes it out.
class Gifts {
 public:
  Gifts(const wire::HelloAnswer& answer, std::vector<os::Descriptor>& descriptors)
      : names_(answer.descriptors), descriptors_(descriptors) {}

  [[nodiscard]] os::Descriptor take(wire::Descriptor name) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    const auto at = static_cast<std::size_t>(found - names_.begin());
    return at < descriptors_.size() ? std::move(descriptors_[at]) : os::Descriptor();
  }
  [[nodiscard]] Result<std::unique_ptr<os::Mapping>> map(wire::Descriptor name, std::size_t bytes,
                                                         os::Mapping::Access access,
                                                         const os::ForkMark& mark) {
    const os::Descriptor memory = take(name);
    if (!memory.is_open()) return errc::incompatible;
    const auto size = os::memory_size(memory.get());
    if (!size) return size.error();
    if (*size < bytes) return errc::incompatible;
    return os::Mapping::map(memory.get(), {bytes, access}, mark);
  }

 private:
  const std::vector<wire::Descriptor>& names_;
  std::vector<os::Descriptor>& descriptors_;
};

Result<Introduction> accept(const Address& address, const Guest& guest,
                            const wire::HelloAnswer& answer, std::vector<os::Descriptor> brought,
                            const os::ForkMark& mark) {
  using Access = os::Mapping::Access;
  Gifts gifts(answer, brought);
  Introduction made;
  made.store = answer.store;
  made.number = answer.connection;
  made.durability = answer.durability;
  made.wakes_at_word = (answer.capabilities & wire::kWakesAtWord) != 0;
  auto control =
      gifts.map(wire::Descriptor::control_page, index::kControlPageBytes, Access::read, mark);
  auto page = gifts.map(wire::Descriptor::client_page, kClientPageBytes, Access::write, mark);
  auto replies =
      gifts.map(wire::Descriptor::reply_ring, wire::kReplyMemoryBytes, Access::read, mark);
  if (!control) return std::move(control).error();
  if (!page) return std::move(page).error();
  if (!replies) return std::move(replies).error();
  if (!index::is_control_page(*reinterpret_cast<const index::ControlPage*>((*control)->data()))) {
    return broken_hello(address, "a control page of another layout");
  }
  if (wire::reply_header_at({(*replies)->data(), wire::kReplyMemoryBytes}) == nullptr) {
    return broken_hello(address, "a reply ring of another layout");
  }
  made.control = std::move(*control);
  made.client_page = std::move(*page);
  made.reply_ring = std::move(*replies);
  made.bell = gifts.take(wire::Descriptor::bell);
  if (!made.bell.is_open()) return broken_hello(address, "no bell");
  if (!guest.writes) return made;
  auto requests = gifts.map(wire::Descriptor::request_ring, kRequestRingBytes, Access::write, mark);
  if (!requests) return std::move(requests).error();
  made.request_ring = std::move(*requests);
  made.doorbell = gifts.take(wire::Descriptor::eventfd);
  if (!made.doorbell.is_open()) return broken_hello(address, "no doorbell");
  return made;
}

}  // namespace

Result<Introduction> introduce(const Address& address, const Guest& guest, const os::ForkMark& mark,
                               os::Deadline until) {
  // A daemon that answers at all does so at once: who wants to wait for nothing waits so long.
  const os::Deadline deadline = os::Deadline::after(
      std::max<std::chrono::nanoseconds>(until.left(), std::chrono::milliseconds(1)));
  auto socket = call(address, deadline);
  if (!socket) return std::move(socket).error();

  wire::Hello hello;
  hello.wanted = guest.writes ? wire::kWantRead | wire::kWantWrite : wire::kWantRead;
  hello.origin = guest.origin;
  const std::string program = program_name();
  hello.program = program;
  hello.library_version = DFS_VERSION;
  const auto packet = wire::encode(hello);
  if (auto sent = os::send_packet(socket->get(), text_of(packet), {}, deadline); !sent) {
    // Closed already: it is ending.
    if (sent.error().system_error() == EPIPE || sent.error().system_error() == ECONNRESET) {
      return Error(errc::no_daemon, "the daemon of " + address.given + " is ending");
    }
    return std::move(sent).error();
  }
  auto received = os::receive_packet(socket->get(), deadline);
  if (!received) {
    if (received.error() == errc::timeout) return not_answering(address, listener(*socket));
    if (received.error().system_error() == ECONNRESET) {
      return Error(errc::no_daemon, "the daemon of " + address.given + " is ending");
    }
    return std::move(received).error();
  }
  if (received->end) return Error(errc::no_daemon, "the daemon of " + address.given + " is ending");
  const auto answer = wire::decode_hello_answer(std::as_bytes(std::span(received->bytes)));
  if (!answer) {
    return Error(errc::incompatible, "what listens at " + address.socket +
                                         " speaks as no daemon of dfs " DFS_VERSION
                                         " does; upgrade the older, if it is one");
  }
  if (answer->status == wire::HelloStatus::ending) {
    return Error(errc::no_daemon, std::string(answer->text));
  }
  if (answer->status != wire::HelloStatus::welcome) {
    return Error(wire::code_of(answer->status), std::string(answer->text));
  }
  auto made = accept(address, guest, *answer, std::move(received->descriptors), mark);
  if (!made && made.error() == errc::incompatible && made.error().text().empty()) {
    return broken_hello(address, "memory of another size");
  }
  if (made) made->socket = std::move(*socket);
  return made;
}

}  // namespace dfs::client
