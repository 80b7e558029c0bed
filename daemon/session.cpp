#include "daemon/session.hpp"

#include <utility>

#include "common/os/bus_guard.hpp"
#include "common/os/futex.hpp"
#include "common/wire/waiting.hpp"
#include "daemon/faults.hpp"

namespace dfs::daemon {

namespace {

std::span<std::byte> bytes_of(const std::unique_ptr<os::Mapping>& mapping) {
  return mapping ? std::span(mapping->data(), mapping->size()) : std::span<std::byte>();
}

}  // namespace

Result<Session::Memories> Session::make_memories(bool writes, const os::ForkMark& mark) {
  Memories made;
  const auto make = [&mark](const char* name, std::size_t bytes, os::Descriptor& fd,
                            std::unique_ptr<os::Mapping>& mapping) -> Result<void> {
    auto memory = os::make_memory(name, bytes);
    if (!memory) return std::move(memory).error();
    // Sealed whole: a client that shrinks it would turn the daemon's next touch into SIGBUS.
    if (auto sealed = os::seal_memory(memory->get(), true); !sealed) return sealed;
    auto mapped = os::Mapping::map(memory->get(), {bytes, os::Mapping::Access::write}, mark);
    if (!mapped) return std::move(mapped).error();
    fd = std::move(*memory);
    mapping = std::move(*mapped);
    return {};
  };
  if (auto r = make("dfs-client", kClientPageBytes, made.client_page, made.client_mapping); !r) {
    return std::move(r).error();
  }
  os::Descriptor reply;
  if (auto r = make("dfs-replies", wire::kReplyMemoryBytes, reply, made.reply_mapping); !r) {
    return std::move(r).error();
  }
  auto shared = os::reopen_read_only(reply.get());
  if (!shared) return std::move(shared).error();
  made.reply_ring = std::move(*shared);
  // Readers get no descriptor of it, but the ring is there: a session has one shape.
  if (auto r = make("dfs-requests", writes ? kRequestRingBytes : kMaxChunkBytes * 2,
                    made.request_ring, made.request_mapping);
      !r) {
    return std::move(r).error();
  }
  return made;
}

Result<std::shared_ptr<Session>> Session::make(ClientIdentity identity, os::Descriptor socket,
                                               const os::ForkMark& mark) {
  auto memories = make_memories(identity.writes, mark);
  if (!memories) return std::move(memories).error();
  auto doorbell = os::Event::make();
  if (!doorbell) return std::move(doorbell).error();
  auto bell = os::make_pair();
  if (!bell) return std::move(bell).error();
  return std::shared_ptr<Session>(new Session(std::move(identity), std::move(socket),
                                              std::move(*memories), std::move(*doorbell),
                                              std::move(*bell)));
}

Session::Session(ClientIdentity identity, os::Descriptor socket, Memories memories,
                 os::Event doorbell, os::SocketPair bell)
    : identity_(std::move(identity)),
      socket_(std::move(socket)),
      memories_(std::move(memories)),
      doorbell_(std::move(doorbell)),
      bell_(std::move(bell.ours)),
      client_bell_(std::move(bell.theirs)),
      page_(wire::client_page_at(bytes_of(memories_.client_mapping))),
      requests_(bytes_of(memories_.request_mapping), page_.request_tail,
                wire::make_reply_header(bytes_of(memories_.reply_mapping), identity_.connection)
                    .request_head),
      replies_(*reinterpret_cast<wire::ReplyHeader*>(memories_.reply_mapping->data()),
               bytes_of(memories_.reply_mapping).subspan(wire::kReplyHeaderBytes),
               page_.reply_position) {}

Session::Handover Session::handover() const {
  Handover handover;
  const auto add = [&handover](int fd, wire::Descriptor name) {
    handover.descriptors.push_back(fd);
    handover.names.push_back(name);
  };
  add(memories_.client_page.get(), wire::Descriptor::client_page);
  add(memories_.reply_ring.get(), wire::Descriptor::reply_ring);
  if (identity_.writes) {
    add(memories_.request_ring.get(), wire::Descriptor::request_ring);
    add(doorbell_.fd(), wire::Descriptor::eventfd);
  }
  add(client_bell_.get(), wire::Descriptor::bell);
  return handover;
}

void Session::sent() {
  memories_.client_page.reset();
  memories_.reply_ring.reset();
  memories_.request_ring.reset();
  client_bell_.reset();  // the client's end lives in the client alone, so that its end is seen
}

std::uint64_t Session::holds(std::size_t slot) const {
  std::uint64_t count = 0;
  // A fault reads as no hold: the page is the client's own, and only it is hurt.
  static_cast<void>(
      os::with_bus_guard([&] { count = page_.holds.at(slot).load(std::memory_order_seq_cst); }));
  return count;
}

bool Session::watching() const {
  bool watching = false;
  // A fault reads as no watcher.
  static_cast<void>(
      os::with_bus_guard([&] { watching = page_.watching.load(std::memory_order_relaxed) != 0; }));
  return watching;
}

void Session::settle(Quota& quota) {
  const std::size_t now = assembly_.bytes();
  if (charged_ > now) quota.give_back(identity_.uid, charged_ - now);
  charged_ = now;
}

wire::Taking Session::take(std::uint64_t number) {
  wire::Taking taking = wire::Taking::broken;
  if (!os::with_bus_guard([&] { taking = wire::take(page_, number); })) {
    drop(wire::DropReason::memory_fault);
    return wire::Taking::broken;
  }
  if (taking == wire::Taking::broken) drop(wire::DropReason::bad_word);
  if (taking == wire::Taking::taken) pass(StopPoint::taken);
  return taking;
}

Received Session::refuse_chunk(const wire::Chunk& chunk, Quota& quota, const wire::Refusal& why,
                               wire::Refusal& refusal, ReceivedRequest& out) {
  settle(quota);
  out = {};
  out.number = chunk.number;
  refusal = why;
  switch (take(chunk.number)) {
    case wire::Taking::taken:
      return Received::refusal;
    case wire::Taking::withdrawn:
      return Received::pause;
    case wire::Taking::broken:
      break;
  }
  return Received::dropped;
}

void Session::promise_reply(std::size_t request_bytes) {
  // No key is longer than the request, and each write in it takes more than a version in the reply.
  promised_ += wire::reply_bound(request_bytes / sizeof(std::uint64_t), request_bytes);
}

wire::Found Session::look(wire::Chunk& chunk) {
  wire::Room room = wire::Room::wait;
  wire::Found found = wire::Found::nothing;
  const bool sound = os::with_bus_guard([&] {
    room = replies_.room(promised_ + wire::kMaxFrameBytes);
    if (room == wire::Room::enough) found = requests_.look(chunk);
  });
  if (!sound) return drop(wire::DropReason::memory_fault), wire::Found::broken;
  if (room == wire::Room::broken) {
    return drop(wire::DropReason::bad_position), wire::Found::broken;
  }
  if (found == wire::Found::broken) drop(requests_.reason());
  return found;
}

std::size_t Session::receive_short(Receiving& with, std::span<ShortRequest> into) {
  with.count = 0;
  if (!assembly_.idle()) return 0;
  bool broken = false;
  const bool sound = os::with_bus_guard([&] {
    while (with.count < into.size() && with.budget > 0) {
      wire::Chunk chunk;
      if (replies_.room(promised_ + wire::kMaxFrameBytes) != wire::Room::enough) return;
      if (requests_.look(chunk) != wire::Found::one || !chunk.last || chunk.bytes == 0) return;
      const std::span<std::byte> place = with.intake.place(chunk.bytes);
      if (place.empty()) return;
      if (with.quota.charge(identity_.uid, chunk.bytes) != wire::Rule::none) return;
      held_ += chunk.bytes;
      with.budget -= std::min(with.budget, wire::ring_bytes(chunk.bytes));
      // Of a fault behind this, all that was counted so far is known: no store may wait.
      std::atomic_signal_fence(std::memory_order_seq_cst);
      requests_.copy_out(chunk, place);
      to_give_back_ = chunk.end;
      const wire::Taking taking = wire::take(page_, chunk.number);
      if (taking == wire::Taking::taken) {
        promise_reply(chunk.bytes);
        into[with.count] = {chunk.number, place};
        ++with.count;
        std::atomic_signal_fence(std::memory_order_seq_cst);
      } else {
        held_ -= chunk.bytes;
        with.quota.give_back(identity_.uid, chunk.bytes);
        broken = taking == wire::Taking::broken;
        if (broken) return;
      }
    }
  });
  if (!sound) drop(wire::DropReason::memory_fault);
  if (broken) drop(wire::DropReason::bad_word);
  for (std::size_t i = 0; i < with.count; ++i) pass(StopPoint::taken);
  return with.count;
}

Received Session::receive(Receiving& with, ReceivedRequest& out, wire::Refusal& refusal) {
  while (with.budget > 0) {
    if (dropped() != wire::DropReason::none) return Received::dropped;
    wire::Chunk chunk;
    const wire::Found found = look(chunk);
    if (found == wire::Found::broken) return Received::dropped;
    if (found == wire::Found::nothing) return Received::nothing;
    with.budget -= std::min(with.budget, wire::ring_bytes(chunk.bytes));
    to_give_back_ = chunk.end;
    if (const auto received = receive_part(chunk, with.quota, out, refusal)) return *received;
  }
  return Received::pause;
}

std::optional<Received> Session::receive_part(const wire::Chunk& chunk, Quota& quota,
                                              ReceivedRequest& out, wire::Refusal& refusal) {
  const std::size_t growth = assembly_.growth(chunk);
  if (const auto rule = quota.charge(identity_.uid, growth); rule != wire::Rule::none) {
    wire::Refusal why;
    why.code = errc::busy;
    why.rule = rule;
    why.limit = quota.bound(rule);
    requests_.skip(chunk);
    if (!assembly_.refuse(chunk)) return drop(wire::DropReason::too_many_parts), Received::dropped;
    return refuse_chunk(chunk, quota, why, refusal, out);
  }
  charged_ += growth;
  const wire::RequestAssembly::Place place = assembly_.place(chunk);
  switch (place.placement) {
    case wire::Placement::copy:
      break;
    case wire::Placement::skip:
      requests_.skip(chunk);
      settle(quota);
      return std::nullopt;
    case wire::Placement::refused:
      requests_.skip(chunk);
      return refuse_chunk(chunk, quota, place.refusal, refusal, out);
    case wire::Placement::broken:
      return drop(wire::DropReason::too_many_parts), Received::dropped;
  }
  if (!os::with_bus_guard([&] { requests_.copy_out(chunk, place.destination); })) {
    return drop(wire::DropReason::memory_fault), Received::dropped;
  }
  wire::WholeRequest whole;
  if (!assembly_.finish(chunk, whole)) return std::nullopt;
  const std::size_t charged = charged_ - assembly_.bytes();
  charged_ = assembly_.bytes();
  const wire::Taking taking = take(chunk.number);
  if (taking != wire::Taking::taken) {
    quota.give_back(identity_.uid, charged);
    if (taking == wire::Taking::withdrawn) return std::nullopt;
    return Received::dropped;
  }
  held_ += charged;
  promise_reply(whole.buffer.size());
  out.number = whole.number;
  out.buffer = std::move(whole.buffer);
  return Received::request;
}

bool Session::has_work() {
  bool work = false;
  const bool sound = os::with_bus_guard([&] {
    work = requests_.has_more() && replies_.room(wire::kMaxFrameBytes) != wire::Room::wait;
  });
  return work || !sound;
}

void Session::done(Quota& quota) { quota.give_back(identity_.uid, std::exchange(held_, 0)); }

void Session::give_back() {
  if (to_give_back_ == 0) return;
  requests_.give_back(to_give_back_);
  to_give_back_ = 0;
}

bool Session::sleeps() const {
  bool sleeps = false;
  // A fault reads as awake.
  static_cast<void>(os::with_bus_guard(
      [&] { wire::wake_if_asleep(page_.asleep, [&sleeps] { sleeps = true; }); }));
  return sleeps;
}

void Session::wake() {
  bool at_word = false;
  bool at_bell = false;
  static_cast<void>(os::with_bus_guard([&] {
    if (wire::rouse(page_.asleep, [&at_word] { at_word = true; })) return;
    wire::wake_if_asleep(page_.asleep, [&at_bell] { at_bell = true; });
  }));
  if (at_word) os::wake_at(page_.asleep);
  if (at_bell) os::ring_bell(bell_.get());
}

void Session::wake_for_room() {
  bool asleep = false;
  static_cast<void>(os::with_bus_guard(
      [&] { wire::wake_if_asleep_for_room(page_.asleep, [&asleep] { asleep = true; }); }));
  if (asleep) os::ring_bell(bell_.get());
}

void Session::drop(wire::DropReason reason) {
  if (dropped() != wire::DropReason::none) return;
  dropped_.store(reason, std::memory_order_release);
}

void Session::forget(Quota& quota) {
  done(quota);
  quota.give_back(identity_.uid, charged_);
  charged_ = 0;
}

void Session::end(Quota& quota) {
  forget(quota);
  replies_.drop(dropped() == wire::DropReason::none ? wire::DropReason::ended : dropped());
  wake();
  os::ring_bell(bell_.get());  // who goes to sleep next, too
}

}  // namespace dfs::daemon
