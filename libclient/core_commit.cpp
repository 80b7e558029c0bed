// How a commit comes through: sent, waited for, given up, or carried over from a daemon that died
// to the next. The rest of Core is in core.cpp and core_connect.cpp.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "common/index/feed.hpp"
#include "libclient/core.hpp"
#include "libclient/meeting.hpp"
#include "libclient/writes.hpp"

namespace dfs::client {

namespace {

// What `ready()` may wait for a next daemon's hello.
constexpr std::chrono::milliseconds kGlance{200};

std::shared_ptr<Flight> crashed(Error error) {
  auto flight = std::make_shared<Flight>();
  flight->land(std::move(error));
  return flight;
}

}  // namespace

os::Deadline Core::deadline(const Manner& manner) const {
  return os::Deadline::after(manner.timeout.value_or(options_.timeout));
}

template <class Encode, class UntilWhen>
std::shared_ptr<Flight> Core::launch(Encode encode, UntilWhen deadline) {
  auto flight = std::make_shared<Flight>();
  if (!encode(flight->request)) return crashed(errc::no_memory);
  flight->turn =
      turns_.fetch_add(1, std::memory_order_relaxed);  // relaxed: of one thread, in order
  if (send_at_once(flight)) return flight;
  if (auto sent = send(flight, deadline()); !sent) flight->land(std::move(sent).error());
  return flight;
}

Result<Committed> Core::commit(wire::CommitRequest& request, const Manner& manner) {
  if (forked()) return errc::forked;
  if (const auto refusal = wire::measure(request)) return wire::to_error(*refusal);
  request.durable = is_durable(manner);
  const os::Deadline until = deadline(manner);
  return land(
      launch([&](wire::EncodedRequest& to) { return to.encode(request); }, [&] { return until; }),
      until);
}

Result<Committed> Core::commit(const wire::Write& write, const Manner& manner) {
  if (forked()) return errc::forked;
  if (const auto refusal = wire::measure(write)) return wire::to_error(*refusal);
  const os::Deadline until = deadline(manner);
  return land(launch([&](wire::EncodedRequest& to) { return to.encode(write, is_durable(manner)); },
                     [&] { return until; }),
              until);
}

std::shared_ptr<Flight> Core::submit(const Batch& batch, const Manner& manner) {
  const Writes& writes = *batch.writes_;
  if (writes.wrong()) return crashed(*writes.wrong());
  if (forked()) return crashed(errc::forked);
  const auto until = [&] { return deadline(manner); };
  if (const auto one = writes.only_write()) {  // measured when it was asked for
    return launch([&](wire::EncodedRequest& to) { return to.encode(*one, is_durable(manner)); },
                  until);
  }
  wire::CommitRequest request;
  writes.fill(request);
  if (const auto refusal = wire::measure(request)) return crashed(wire::to_error(*refusal));
  request.durable = is_durable(manner);
  return launch([&](wire::EncodedRequest& to) { return to.encode(request); }, until);
}

bool Core::send_at_once(const std::shared_ptr<Flight>& flight) {
  if (options_.read_only || closed_.load(std::memory_order_acquire)) return false;
  meet(Meeting::sends);
  const ConnectionUse here = use();
  meet(Meeting::sends);
  // Behind `use`: who finds the next connection finds the orphans, which go first.
  if (!here || has_orphans_.load(std::memory_order_acquire)) return false;
  return here->usable() && here->channel().submit_at_once(flight);
}

Result<void> Core::send(const std::shared_ptr<Flight>& flight, os::Deadline deadline) {
  for (;;) {
    auto here = writing(deadline);
    if (!here) return std::move(here).error();
    switch ((*here)->channel().submit(flight, deadline)) {
      case Channel::Sent::sent:
        return {};
      case Channel::Sent::busy:
        return Error(errc::busy, "this handle has " + std::to_string(kMaxInFlight) +
                                     " commits in flight; wait for some of them")
            .with_limit(kMaxInFlight);
      case Channel::Sent::timed_out:
        return Error(errc::timeout,
                     "the daemon has not taken the commit in time; it is not written");
      case Channel::Sent::lost:
        break;
    }
    await_sender(here->get());
    const std::lock_guard lock(flights_);
    // Landed, or orphaned: whoever waits sees to it.
    if (flight->state != Flight::State::fresh) return {};
  }
}

ConnectionUse Core::flown_by(const Flight& flight) noexcept {
  const std::lock_guard lock(flights_);
  if (flight.state != Flight::State::flying) return {};
  // It is in that connection's table, so that one is not salvaged, and not retired either.
  flight.connection->share();
  return ConnectionUse(flight.connection);
}

void Core::await_sender(Connection* lost) {
  const std::lock_guard connecting(connecting_);
  if (lost != nullptr) note_end(*lost);
}

Result<Committed> Core::land(const std::shared_ptr<Flight>& flight, const Manner& manner) {
  if (flight->is_down()) return take_outcome(*flight);
  return land(flight, deadline(manner));
}

Result<Committed> Core::land(const std::shared_ptr<Flight>& flight, os::Deadline deadline) {
  while (!flight->is_down()) {
    const ConnectionUse here = flown_by(*flight);
    if (!here) {
      await_sender(nullptr);  // in case another thread is sending it again
      if (flown_by(*flight) || flight->is_down()) continue;
      if (auto next = writing(deadline); !next) abandon(flight, std::move(next).error());
      continue;
    }
    switch (here->channel().wait(*flight, deadline)) {
      case Channel::Waited::over:
        break;
      case Channel::Waited::timed_out:
        here->channel().give_up(*flight, os::Deadline::after(options_.timeout));
        break;
      case Channel::Waited::lost:
        await_sender(here.get());
        break;
    }
  }
  return take_outcome(*flight);
}

bool Core::landed(const std::shared_ptr<Flight>& flight, os::Deadline deadline) {
  const bool down = comes_down(flight, deadline);
  if (down) hear(*flight);
  return down;
}

void Core::hear(Flight& flight) noexcept {
  if (!flight.announced) return;
  const std::lock_guard lock(flights_);
  flight.announced = false;
  bell_.answer_heard();
}

bool Core::comes_down(const std::shared_ptr<Flight>& flight, os::Deadline deadline) {
  while (!flight->is_down()) {
    const ConnectionUse here = flown_by(*flight);
    if (here) {
      here->channel().listen(Channel::Asker::commit, flight->told);
      if (flight->is_down()) return true;
      switch (here->channel().wait(*flight, deadline)) {
        case Channel::Waited::over:
          continue;
        case Channel::Waited::timed_out:
          return flight->is_down();
        case Channel::Waited::lost:
          await_sender(here.get());
          continue;
      }
    }
    const os::Deadline glance =
        os::Deadline::after(std::max<std::chrono::nanoseconds>(deadline.left(), kGlance));
    await_sender(nullptr);
    if (flown_by(*flight) || flight->is_down()) continue;
    if (auto next = writing(glance); !next) {
      if (next.error() == errc::timeout) return false;
      abandon(flight, std::move(next).error());
    }
  }
  return true;
}

void Core::abandon(const std::shared_ptr<Flight>& flight, Error error) {
  const std::lock_guard lock(flights_);
  if (flight->state != Flight::State::orphaned) return;
  std::erase(orphans_, flight);
  flight->land(flight->prepared ? Error(errc::unknown) : std::move(error));
}

void Core::desert(Flight& flight) noexcept {
  if (!flight.is_down()) {
    const std::lock_guard lock(flights_);
    flight.deserted = true;
    if (std::exchange(flight.expected, false)) bell_.expect_no_more();
  }
  // It may have landed before the mutex was ours.
  if (flight.is_down()) hear(flight);
}

Error Core::unknown(const Flight& flight) const {
  const std::uint64_t sequence = flight.prepared ? flight.prepared->sequence : 0;
  const Error error(errc::unknown,
                    "the daemon had taken the commit, and its answer did not come; " +
                        std::string(sequence != 0 ? "resolve(), or dfsctl resolve, tells its fate"
                                                  : "read what it wrote to learn its fate"));
  return sequence == 0 ? error : error.with_commit(wire::to_text({store_, sequence}));
}

Result<Committed> Core::take_outcome(Flight& flight) {
  hear(flight);
  if (!flight.outcome) return errc::finished;
  Result<Committed> outcome = std::move(*flight.outcome);
  flight.outcome.reset();
  if (!outcome && outcome.error() == errc::unknown) return unknown(flight);
  if (outcome && !flight.lists_its_version) outcome->versions.assign(1, outcome->version);
  if (outcome && flight.versions_left_out) read_versions(flight, *outcome);
  return outcome;
}

void Core::read_versions(Flight& flight, Committed& committed) {
  // The reply had no room for them: they stand in the records, which lie next to each other.
  const Snapshot now = snapshot();
  if (!now.check()) return;
  wire::InputArchive archive;
  wire::CommitRequest request;
  if (wire::decode(archive, flight.request.bytes(), request)) return;
  const index::View& view = now.generation_->view();
  std::unordered_map<std::string_view, std::uint64_t> found;
  index::FeedStep step = index::first_after(view, committed.sequence - 1);
  if (step.outcome != index::Outcome::found) return;
  for (;;) {
    step = index::feed_step(view, step.next, now.sequence());
    if (step.outcome != index::Outcome::found || step.record->sequence != committed.sequence) break;
    found.emplace(step.record->key(), step.record->version);
  }
  committed.versions.reserve(request.writes.size());
  for (const wire::Write& write : request.writes) {
    const auto at = found.find(write.key);
    committed.versions.push_back(at == found.end() ? 0 : at->second);
  }
  if (!committed.versions.empty()) committed.version = committed.versions.front();
}

}  // namespace dfs::client
