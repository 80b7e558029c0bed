#include "daemon/reception.hpp"

#include <cerrno>

#include "common/base/limits.hpp"
#include "common/os/attributes.hpp"
#include "common/os/clock.hpp"
#include "common/os/process.hpp"
#include "common/wire/layout_hash.hpp"
#include "daemon/version.hpp"

namespace dfs::daemon {

namespace {

// What a tag of the poller means: its high byte; the number is below.
enum Tag : std::uint64_t {
  kListening = std::uint64_t{1} << 56,
  kSignals = std::uint64_t{2} << 56,
  kNews = std::uint64_t{3} << 56,
  kGuest = std::uint64_t{4} << 56,
  kClient = std::uint64_t{5} << 56,
  kProcess = std::uint64_t{6} << 56,
};
constexpr std::uint64_t kTagMask = std::uint64_t{0xFF} << 56;

// An honest client says hello at once.
constexpr std::chrono::seconds kHelloTime{2};
// Without a descriptor to accept with, look again after this; level-triggered, it would spin
// otherwise.
constexpr std::chrono::milliseconds kDeafTime{100};
// Connections accepted in one turn: who only connects must not keep main from those it serves.
constexpr int kMostAccepted = 64;
constexpr wire::Known kOurProtocol{wire::kProtocol, wire::kProtocol};
constexpr wire::Known kOurLayout{wire::kLayout, wire::kLayout};

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Why daemon and client cannot understand each other, or nothing.
std::string misfit(const wire::Hello& hello) {
  const auto text = [&hello](const std::string& what, wire::Known ours, wire::Known theirs) {
    return "this daemon (dfsd " + std::string(kVersion) + ") speaks " + what + " " +
           std::to_string(ours.highest) + ", the library (" + std::string(hello.library_version) +
           ") speaks " + std::to_string(theirs.lowest) + " to " + std::to_string(theirs.highest) +
           "; upgrade the older of the two";
  };
  if (wire::choose(kOurProtocol, hello.protocol) == 0) {
    return text("protocol", kOurProtocol, hello.protocol);
  }
  if (wire::choose(kOurLayout, hello.layout) == 0) return text("layout", kOurLayout, hello.layout);
  return {};
}

}  // namespace

Result<std::unique_ptr<Reception>> Reception::make(const ReceptionParts& parts) {
  auto poller = os::Poller::make();
  if (!poller) return std::move(poller).error();
  for (const auto& [fd, tag] :
       {std::pair{parts.listening, kListening}, std::pair{parts.signals, kSignals},
        std::pair{parts.news.fd(), kNews}}) {
    if (auto added = poller->add(fd, {tag}); !added) return std::move(added).error();
  }
  return std::unique_ptr<Reception>(new Reception(parts, std::move(*poller)));
}

Reception::Reception(const ReceptionParts& parts, os::Poller poller)
    : parts_(parts),
      most_guests_(std::max<std::uint64_t>(os::raise_open_files() / 8, 8)),
      started_ms_(os::wall_clock_ms()),
      poller_(std::move(poller)),
      watchers_(parts.store.control->page(), [this](bool) { watch_publishes(); }),
      last_client_at_(os::Monotonic::now()) {}

void Reception::run() {
  while (!ending_ && !parts_.writer.ended()) {
    for (const os::Ready& ready : poller_.wait(next_deadline())) {
      on_ready(ready);
      if (ending_) break;
    }
    parts_.service.ping_if_due();
    dismiss_late_guests();
    watchers_.on_time();
    if (deaf_ && deaf_until_.passed() && poller_.add(parts_.listening, {kListening})) deaf_ = false;
    if (idle_too_long()) {
      parts_.journal.info("no client was connected for --idle-exit; ending");
      ending_ = true;
    }
  }
}

os::Deadline Reception::next_deadline() const {
  std::chrono::nanoseconds left = parts_.service.next_ping().left();
  left = std::min(left, watchers_.next().left());
  if (deaf_) left = std::min(left, deaf_until_.left());
  if (!guests_.empty()) left = std::min(left, guests_.begin()->second.deadline.left());
  const auto idle_exit = parts_.options.idle_exit;
  if (idle_exit.count() > 0 && clients_.empty() && guests_.empty()) {
    left = std::min<std::chrono::nanoseconds>(left,
                                              last_client_at_ + idle_exit - os::Monotonic::now());
  }
  return os::Deadline::after(std::max(left, std::chrono::nanoseconds(0)));
}

bool Reception::idle_too_long() const {
  const auto idle_exit = parts_.options.idle_exit;
  return idle_exit.count() > 0 && clients_.empty() && guests_.empty() &&
         os::Monotonic::now() >= last_client_at_ + idle_exit;
}

void Reception::on_ready(const os::Ready& ready) {
  const std::uint64_t number = ready.tag & ~kTagMask;
  switch (ready.tag & kTagMask) {
    case kListening:
      return accept_some();
    case kSignals:
      return take_signal();
    case kNews:
      return take_news();
    case kGuest:
      return greet(number);
    case kClient:
      return serve(number);
    case kProcess:
      return leave(number, "its process ended");
    default:
      return;
  }
}

void Reception::take_signal() {
  const int signal = os::next_signal(parts_.signals);
  if (signal == 0) return;
  if (os::asks_for_reload(signal)) return reload();
  parts_.journal.info("ending: signal " + std::to_string(signal));
  ending_ = true;
}

void Reception::reload() {
  parts_.service.reloading();
  const std::string outcome = parts_.settings.reload();
  parts_.service.ready("serving " + parts_.options.store + "; " + outcome);
}

void Reception::accept_some() {
  for (int accepted = 0; accepted < kMostAccepted; ++accepted) {
    auto socket = os::accept_from(parts_.listening);
    if (!socket) {
      const int error = socket.error().system_error();
      if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS) {
        poller_.remove(parts_.listening);
        deaf_ = true;
        deaf_until_ = os::Deadline::after(kDeafTime);
        parts_.journal.warn("cannot accept: " + std::string(socket.error().text()));
      }
      if (error == EINTR || error == ECONNABORTED) continue;
      return;
    }
    // Silent connections must not keep the others out: the oldest goes first.
    if (guests_.size() >= most_guests_) guests_.erase(guests_.begin());
    const std::uint64_t id = next_guest_++;
    if (!poller_.add(socket->get(), {kGuest | id})) continue;
    guests_.emplace(id, Guest{std::move(*socket), os::Deadline::after(kHelloTime)});
  }
}

void Reception::dismiss_late_guests() {
  while (!guests_.empty() && guests_.begin()->second.deadline.passed())
    guests_.erase(guests_.begin());
}

void Reception::turn_away(const Guest& guest, wire::HelloStatus status, std::string_view text) {
  wire::HelloAnswer answer;
  answer.status = status;
  answer.text = text;
  answer.known_protocol = kOurProtocol;
  answer.known_layout = kOurLayout;
  answer.daemon_version = kVersion;
  const auto packet = wire::encode(answer);
  static_cast<void>(os::try_send_packet(guest.socket.get(), as_text(packet), {}));
}

void Reception::greet(std::uint64_t id) {
  const auto found = guests_.find(id);
  if (found == guests_.end()) return;
  auto packet = os::try_receive_packet(found->second.socket.get());
  if (!packet && os::would_block(packet.error())) return;
  Guest guest = std::move(found->second);
  guests_.erase(found);
  poller_.remove(guest.socket.get());
  if (!packet || packet->end) return;
  auto hello = wire::decode_hello(as_bytes(packet->bytes));
  if (!hello) return turn_away(guest, wire::HelloStatus::malformed, hello.error().text());
  if (ending_ || parts_.writer.ended()) {
    return turn_away(guest, wire::HelloStatus::ending, "the daemon is ending; connect again");
  }
  if (const std::string text = misfit(*hello); !text.empty()) {
    return turn_away(guest, wire::HelloStatus::incompatible, text);
  }
  if (clients_.size() >= kMaxClients) {
    const std::string text =
        "this daemon serves " + std::to_string(kMaxClients) + " clients already";
    return turn_away(guest, wire::HelloStatus::busy, text);
  }
  auto peer = os::peer_of(guest.socket.get());
  if (!peer) return turn_away(guest, wire::HelloStatus::not_permitted, peer.error().text());
  admit(std::move(guest), *hello, std::move(*peer));
}

std::string Reception::refusal_of(const os::Peer& peer, bool wants_write) const {
  // By its path: which file has it may change at any time.
  const Options& options = parts_.options;
  const std::string& log = options.store;
  auto status = os::status_of(log);
  if (!status && status.error() == errc::absent) {
    return log + " is not there any more, though its daemon, pid " +
           std::to_string(os::process_id()) +
           ", still has it open: it was removed, or moved away. Put it back; or end the daemon "
           "(kill " +
           std::to_string(os::process_id()) + "), and what only it has is lost";
  }
  if (!status) return std::string(status.error().text());
  const Rights rights =
      rights_by({options.readers, options.writers},
                rights_of(*status, os::attribute_of(log, "system.posix_acl_access"), peer), peer,
                os::effective_user());
  if (rights.read && (rights.write || !wants_write)) return {};
  const std::string uid = std::to_string(peer.uid);
  const std::string list = rights.read ? "writers" : "readers";
  const bool listed = !(rights.read ? options.writers : options.readers).empty();
  return "uid " + uid + " may not " + (rights.read ? "write " : "read ") + log + " (" +
         status->owner() + "): " +
         (listed ? "its config names its " + list + ": ask its owner to add you there"
                 : "ask its owner (chmod, or setfacl -m u:" + uid + (wants_write ? ":rw" : ":r") +
                       "), or be in its group") +
         (rights.read ? "; reading is allowed (read_only)" : "");
}

void Reception::admit(Guest guest, const wire::Hello& hello, os::Peer peer) {
  const bool wants_write = (hello.wanted & wire::kWantWrite) != 0;
  if (const std::string refusal = refusal_of(peer, wants_write); !refusal.empty()) {
    return turn_away(guest, wire::HelloStatus::not_permitted, refusal);
  }
  ClientIdentity identity;
  identity.connection = next_connection_++;
  identity.pid = peer.pid;
  identity.uid = peer.uid;
  identity.program = hello.program;
  identity.origin = hello.origin;
  identity.library_version = hello.library_version;
  identity.since_ms = os::wall_clock_ms();
  identity.writes = wants_write;
  const std::uint64_t connection = identity.connection;
  const int socket = guest.socket.get();
  auto session = Session::make(std::move(identity), std::move(guest.socket), parts_.mark);
  if (!session) {
    parts_.journal.warn("a client is turned away: " + std::string(session.error().text()));
    return;
  }
  Session::Handover handover = (*session)->handover();
  handover.descriptors.insert(handover.descriptors.begin(), parts_.store.control->descriptor());
  handover.names.insert(handover.names.begin(), wire::Descriptor::control_page);
  wire::HelloAnswer answer;
  answer.protocol = wire::choose(kOurProtocol, hello.protocol);
  answer.layout = wire::choose(kOurLayout, hello.layout);
  answer.known_protocol = kOurProtocol;
  answer.known_layout = kOurLayout;
  answer.layout_hash = wire::layout_hash(index::kGenerationLayout);
  if (const auto id = wire::parse_store_id(parts_.store.store_id)) answer.store = *id;
  answer.connection = connection;
  answer.capabilities = wire::kWakesAtWord;
  answer.limits.snapshot_ttl_ms = static_cast<std::uint64_t>(parts_.options.snapshot_ttl.count());
  answer.durability = parts_.options.durability == Durability::durable
                          ? wire::StoreDurability::durable
                          : wire::StoreDurability::written;
  answer.descriptors = handover.names;
  answer.daemon_version = kVersion;
  const auto packet = wire::encode(answer);
  // Its holds count before it can take any; the writer knows it before it can ring.
  parts_.generations.add_holder(*session);
  if ((*session)->identity().writes) parts_.writer.add(*session);
  if (!os::try_send_packet(socket, as_text(packet), handover.descriptors) ||
      !poller_.add(socket, {kClient | connection})) {
    parts_.generations.remove_holder(connection);
    (*session)->leave();
    parts_.writer.kick();
    return;
  }
  (*session)->sent();
  if (peer.process.is_open())
    static_cast<void>(poller_.add(peer.process.get(), {kProcess | connection}));
  parts_.journal.debug("client " + std::to_string(connection) + " (pid " +
                       std::to_string(peer.pid) + ", uid " + std::to_string(peer.uid) +
                       (wants_write ? ", writes)" : ", reads)") + " is connected");
  clients_.emplace(connection, Client{std::move(*session), std::move(peer.process)});
}

void Reception::serve(std::uint64_t connection) {
  const auto found = clients_.find(connection);
  if (found == clients_.end()) return;
  // One packet a turn: a client that floods waits behind the others.
  auto packet = os::try_receive_packet(found->second.session->socket());
  if (!packet && os::would_block(packet.error())) return;
  if (!packet || packet->end) return leave(connection, "closed");
  auto request = wire::decode_admin_request(as_bytes(packet->bytes));
  if (!request) return leave(connection, request.error().text());
  answer(found->second, *request);
}

void Reception::leave(std::uint64_t connection, std::string_view why) {
  const auto found = clients_.find(connection);
  if (found == clients_.end()) return;
  Client client = std::move(found->second);
  clients_.erase(found);
  poller_.remove(client.session->socket());
  if (client.process.is_open()) poller_.remove(client.process.get());
  const std::string who = "client " + std::to_string(connection) + " (pid " +
                          std::to_string(client.session->identity().pid) + ")";
  if (why == "closed" || why == "its process ended") {
    parts_.journal.debug(who + " has left: " + std::string(why));
  } else {
    parts_.journal.warn(who + " is dropped: " + std::string(why));
  }
  std::erase_if(waiting_, [connection](const Waiting& w) { return w.connection == connection; });
  parts_.generations.remove_holder(connection);
  watchers_.remove(connection);
  client.session->leave();
  parts_.writer.kick();
  last_client_at_ = os::Monotonic::now();
}

void Reception::take_news() {
  parts_.news.drain();
  answer_waiting();
  watchers_.on_news();
  std::vector<std::uint64_t> dropped;
  for (const auto& [connection, client] : clients_) {
    if (client.session->dropped() != wire::DropReason::none) dropped.push_back(connection);
  }
  for (const std::uint64_t connection : dropped) {
    leave(connection, wire::describe(clients_.at(connection).session->dropped()));
  }
}

}  // namespace dfs::daemon
