// Replies: taken out of the ring and landed, given up, and what of them is left when the daemon is
// gone. The rest of Channel is in channel.cpp.
#include "libclient/channel.hpp"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "common/index/snapshot.hpp"
#include "common/os/socket.hpp"
#include "common/wire/request_word.hpp"
#include "common/wire/waiting.hpp"

namespace dfs::client {

namespace {

// A single version is not in the list yet: see Flight::lists_its_version.
Committed committed_from(const wire::Commitment& commitment) {
  Committed committed;
  committed.sequence = commitment.sequence;
  if (!commitment.versions.empty()) committed.version = commitment.versions.front();
  if (commitment.versions.size() > 1) {
    committed.versions.assign(commitment.versions.begin(), commitment.versions.end());
  }
  return committed;
}

}  // namespace

bool Channel::take_replies() {
  bool any = false;
  wire::Reply reply;
  for (wire::Found found = consumer_.next(reply); found != wire::Found::nothing;
       found = consumer_.next(reply)) {
    if (found == wire::Found::broken) {
      broken_ = true;
      lost_.store(true, std::memory_order_release);
      break;
    }
    land(reply);
    any = true;
  }
  if (any) {
    consumer_.give_back();
    // The daemon takes no request whose reply has no room; where it has taken all, it waits for
    // none. seq_cst: what is pushed behind this look is rung for behind the store of the position.
    if (memory_.page.request_tail.load(std::memory_order_seq_cst) !=
        memory_.header.request_head.load(std::memory_order_seq_cst)) {
      wake_daemon();
    }
  }
  const std::uint64_t head = memory_.header.request_head.load(std::memory_order_seq_cst);
  Waiter* const pusher = room_waiter_.load(std::memory_order_relaxed);
  if (head != seen_head_ && pusher != nullptr) pusher->wake.notify_one();
  seen_head_ = head;
  if (lost()) {
    for (Waiter* waiter : waiters_) waiter->wake.notify_one();
  }
  return any;
}

void Channel::land(const wire::Reply& reply) {
  std::shared_ptr<Flight>& place = place_of(reply.number);
  // One that was answered `unknown` has no flight, and its word is free from here on.
  const bool ours = place && place->number == reply.number;
  if (wire::state(memory_.page, reply.number) == wire::WordState::taken) {
    wire::free_word(memory_.page, reply.number);
  }
  if (!ours) return;
  const std::shared_ptr<Flight> flight = std::move(place);
  place.reset();
  if (flight->waiter == nullptr && bell_is_shared_ && !flight->deserted) {
    flight->announced = true;
    bell_.announce_answer();
  }
  expect_no_more(*flight);
  if (reply.kind == wire::ReplyKind::committed) {
    flight->versions_left_out = reply.commitment.versions_left_out;
    flight->lists_its_version = reply.commitment.versions.size() != 1;
    flight->land(committed_from(reply.commitment));
  } else {
    flight->land(wire::to_error(reply.refusal));
  }
}

void Channel::set_bell() {
  const bool open = os::drain_bell(memory_.bell);
  // SYNC POINT: asleep, as wire::sleep_unless; but the sleep is the caller's, at Bell::fd.
  memory_.page.asleep.store(wire::kAsleepForReplies, std::memory_order_seq_cst);
  if (consumer_.has_more()) take_replies();
  if (!open && daemon_ended()) {
    lost_.store(true, std::memory_order_release);
    take_replies();
  }
  // What was published before `asleep` was stored rang for nobody.
  tell_watchers(false);
}

void Channel::listen(Asker asker, std::uint64_t& told) {
  const Lock lock(flights_);
  if (salvaged_) return;
  bell_.heard(told);
  if (led_) return;  // the leader takes them, and announces what lands
  if (bell_.interrupted()) {
    for (Waiter* waiter : waiters_) {
      if (waiter->watches) waiter->wake.notify_one();
    }
  }
  set_bell();
  if (asker == Asker::watch) bell_.heard_alone(told);
}

void Channel::expect_no_more(Flight& flight) noexcept {
  if (std::exchange(flight.expected, false)) bell_.expect_no_more();
}

void Channel::begin_watching() {
  const Lock lock(flights_);
  bell_.expect();
}

void Channel::end_watching(bool last) noexcept {
  const Lock lock(flights_);
  bell_.expect_no_more();
  if (last) bell_.news_is_nobodys();
}

void Channel::share_bell() {
  const Lock lock(flights_);
  bell_is_shared_ = true;
  bell_.share();
  if (!led_ && !salvaged_) set_bell();
}

// Giving up.

void Channel::give_up(Flight& flight, os::Deadline grace) {
  Lock lock(flights_);
  if (flight.state != Flight::State::flying || flight.connection != &connection_) return;
  const std::uint64_t number = flight.number;
  if (wire::withdraw(memory_.page, number) == wire::Withdrawal::withdrawn) {
    withdrawn_.push_back({number, flight.end});
    expect_no_more(flight);
    place_of(number).reset();
    flight.land(Error(errc::timeout,
                      "the daemon has not taken the commit in time; it was "
                      "withdrawn and is not written"));
    return;
  }
  // Taken: no disk stands between that and the prepared reply, which nobody rings for.
  while (flight.state == Flight::State::flying && !lost()) {
    if (!led_) take_replies();
    if (flight.state != Flight::State::flying) return;
    const std::optional<std::uint64_t> sequence = consumer_.prepared_sequence(number);
    if (sequence || grace.passed()) {
      expect_no_more(flight);
      place_of(number).reset();
      flight.prepared = Committed{sequence.value_or(0), 0, {}};
      flight.land(errc::unknown);  // whoever waits adds the commit id
      return;
    }
    lock.unlock();
    std::this_thread::sleep_for(kLook);
    lock.lock();
  }
}

void Channel::end() noexcept {
  const Lock lock(flights_);
  lost_.store(true, std::memory_order_seq_cst);  // before `rouse` looks
  for (Waiter* waiter : waiters_) waiter->wake.notify_one();
  rouse();
  bell_.ring();
}

void Channel::salvage(std::deque<std::shared_ptr<Flight>>& orphans) {
  end();
  Lock lock(flights_);
  while (led_) {
    Waiter self;
    waiters_.push_back(&self);
    self.wake.wait_for(lock, kLook);
    std::erase(waiters_, &self);
  }
  bell_.quiet();
  bell_.detach(memory_.bell);
  if (std::exchange(salvaged_, true)) return;
  take_replies();
  for (wire::PreparedCommit& prepared : consumer_.prepared_commits()) {
    const std::shared_ptr<Flight>& place = place_of(prepared.number);
    if (!place || place->number != prepared.number) continue;
    const std::uint64_t version = prepared.versions.empty() ? 0 : prepared.versions.front();
    place->versions_left_out = prepared.versions_left_out;
    place->prepared = Committed{prepared.sequence, version, std::move(prepared.versions)};
  }
  std::vector<std::shared_ptr<Flight>> left;
  for (std::shared_ptr<Flight>& place : table_) {
    if (place) left.push_back(std::move(place));
    place.reset();
  }
  std::sort(left.begin(), left.end(),
            [](const auto& a, const auto& b) { return a->number < b->number; });
  // A daemon that lives commits what it has taken, and may yet take the rest; of a ring that cannot
  // be read nobody knows what was prepared.
  const bool may_be_committed = broken_ || index::served(memory_.control);
  for (std::shared_ptr<Flight>& flight : left) {
    expect_no_more(*flight);
    if (may_be_committed && !flight->prepared && !flight->deserted &&
        wire::withdraw(memory_.page, flight->number) == wire::Withdrawal::taken) {
      flight->land(errc::unknown);
      continue;
    }
    flight->state = Flight::State::orphaned;
    flight->connection = nullptr;
    if (flight->waiter != nullptr) flight->waiter->wake.notify_one();
    if (!flight->deserted) orphans.push_back(std::move(flight));
  }
}

}  // namespace dfs::client
