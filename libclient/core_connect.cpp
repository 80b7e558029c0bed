// How a handle comes to a daemon, and from one to the next: the rest of Core is in core.cpp and
// core_commit.cpp.
#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include "libclient/core.hpp"
#include "libclient/holder.hpp"
#include "libclient/start_rule.hpp"
#include "libclient/starter.hpp"

namespace dfs::client {

namespace {

// How often to look for a daemon that somebody else is to start.
constexpr std::chrono::milliseconds kDaemonLook{10};
// And for the successor of one that is ending.
constexpr std::chrono::milliseconds kEndingLook{1};
// A watch does not wait longer for a daemon that is there and does not answer.
constexpr std::chrono::seconds kReachTime{2};

}  // namespace

void Core::tell(std::string_view text) const {
  if (options_.logger) options_.logger(text);
}

ConnectionUse Core::use() noexcept {
  for (;;) {
    Connection* here = current_.load(std::memory_order_acquire);
    if (here == nullptr || here->acquire()) return ConnectionUse(here);
    // Retired between the two: another is current.
  }
}

Result<void> Core::connect_once(os::Deadline deadline) {
  auto introduction =
      introduce(address_, {options_.origin, !options_.read_only}, household_->mark, deadline);
  if (!introduction) return std::move(introduction).error();
  const bool first = current_.load(std::memory_order_relaxed) == nullptr;
  if (first) {
    store_ = introduction->store;
  } else if (introduction->store != store_) {
    return Error(errc::no_store, "another store stands at " + address_.given + " now (" +
                                     wire::to_text(introduction->store) + " in place of " +
                                     wire::to_text(store_) + "); reopen() takes it");
  }
  if (auto adopted = adopt(std::move(*introduction)); !adopted) return adopted;
  if (!first) tell("connected to the next daemon of " + address_.given);
  return {};
}

Result<void> Core::adopt(Introduction introduction) {
  auto made = std::make_unique<Connection>(household_, std::move(introduction), flights_, bell_);
  // Mapped before it takes the last one's place: if this daemon dies before that, the last one's
  // state is still there to be read, and if it dies afterwards, this one's is.
  if (auto mapped = map_current(*made); !mapped) return mapped;
  Connection* next = made.get();
  {
    const std::lock_guard lock(household_->mutex);
    household_->connections.push_back(std::move(made));
  }

  // Without it nobody is woken, and timeouts tell.
  static_cast<void>(bell_.attach(next->bell()).has_value());
  if (bell_is_shared_.load(std::memory_order_relaxed)) next->channel().share_bell();
  Connection* last = current_.load(std::memory_order_relaxed);
  // Its orphans first: who finds the next connection finds them too.
  if (last != nullptr) note_end(*last);
  // SYNC POINT: current_. Release, for the acquire in `snapshot` and `use`.
  current_.store(next, std::memory_order_release);
  if (last != nullptr) last->retire();
  return {};
}

Result<void> Core::map_current(Connection& next) {
  const os::Deadline deadline = os::Deadline::after(options_.timeout);
  Result<const Generation*> fetched = errc::timeout;
  do {
    const index::Taken taken = index::take(next.control(), next.holds());
    fetched = next.fetch(taken.generation, deadline);
    index::release(next.holds(), taken.generation);
    // Else superseded meanwhile, and given back: on to the one behind it.
    if (fetched) return {};
  } while (fetched.error() == errc::snapshot_too_old && !deadline.passed());
  if (fetched.error() != errc::daemon_gone) return fetched.error();
  return Error(errc::no_daemon, "the daemon of " + address_.given + " is ending");
}

void Core::note_end(Connection& connection) {
  connection.channel().salvage(orphans_);
  const std::lock_guard lock(flights_);
  // Those of a daemon that died while it was given the last one's orphans come before the rest.
  std::sort(orphans_.begin(), orphans_.end(),
            [](const auto& a, const auto& b) { return a->turn < b->turn; });
  has_orphans_.store(!orphans_.empty(), std::memory_order_release);
}

Result<void> Core::connect_or_start(const Options& options, os::Deadline deadline) {
  const os::Deadline patience = os::Deadline::after(std::min<std::chrono::milliseconds>(
      options.wait_for_daemon, std::chrono::ceil<std::chrono::milliseconds>(deadline.left())));
  Expectation another;
  for (int starts = 0;;) {
    {
      const std::lock_guard connecting(connecting_);
      if (closed_.load(std::memory_order_acquire)) return errc::closed;
      if (const ConnectionUse here = use(); here && here->usable()) return {};
      auto connected = connect_once(deadline);
      if (connected || connected.error() != errc::no_daemon) return connected;
    }
    // Without the lock: a daemon that reads a large log takes its time, and snapshots are answered
    // from the last state meanwhile.
    auto may = may_start(address_, options);
    if (may && !deadline.passed()) {
      tell("starting the daemon of " + address_.given);
      if (auto started = start_daemon(address_, options, deadline); !started) return started;
      // Whoever listens there may be ending. That takes it a moment, and not our processor.
      if (++starts > 1) std::this_thread::sleep_for(kEndingLook);
      continue;
    }
    const bool held = another.holds(address_);
    if (deadline.passed() && (held || may)) return not_serving_yet(address_);
    if (patience.passed() && !held) return may;
    std::this_thread::sleep_for(kDaemonLook);
  }
}

Result<ConnectionUse> Core::reach() {
  const std::lock_guard connecting(connecting_);
  if (closed_.load(std::memory_order_acquire)) return errc::closed;
  if (ConnectionUse here = use(); here && here->usable()) return here;
  auto connected = connect_once(
      os::Deadline::after(std::min<std::chrono::milliseconds>(options_.timeout, kReachTime)));
  if (!connected) return std::move(connected).error();
  return use();
}

Result<ConnectionUse> Core::serving(os::Deadline deadline) {
  for (;;) {
    if (closed_.load(std::memory_order_acquire)) return errc::closed;
    if (ConnectionUse here = use(); here && here->usable()) return here;
    Options again = options_;
    again.create = false;  // the store is there, or it is gone: never another in its place
    auto connected = connect_or_start(again, deadline);
    if (connected) continue;
    const Error& error = connected.error();
    if (error == errc::no_daemon || error == errc::no_store) {
      return Error(errc::daemon_gone, "the daemon has ended; " + std::string(error.text()));
    }
    return error;
  }
}

Result<ConnectionUse> Core::writing(os::Deadline deadline) {
  for (;;) {
    if (options_.read_only) {
      return Error(errc::read_only, address_.given + " was opened read_only");
    }
    auto here = serving(deadline);
    if (!here) return here;
    if (!has_orphans_.load(std::memory_order_acquire)) return here;
    const std::lock_guard connecting(connecting_);
    if (current_.load(std::memory_order_relaxed) != here->get()) continue;
    if (auto sent = send_orphans(**here, deadline); !sent) {
      // It died in turn: on to the next.
      if (sent.error() == errc::daemon_gone && !deadline.passed()) continue;
      return std::move(sent).error();
    }
  }
}

Result<void> Core::send_orphans(Connection& connection, os::Deadline deadline) {
  for (;;) {
    std::shared_ptr<Flight> flight;
    {
      const std::lock_guard lock(flights_);
      while (!orphans_.empty() && orphans_.front()->deserted) orphans_.pop_front();
      if (orphans_.empty()) {
        has_orphans_.store(false, std::memory_order_release);
        return {};
      }
      flight = orphans_.front();
    }
    // Only holders of connecting_ give an orphan a `prepared`, or take it away.
    auto done = flight->prepared ? ask_about(connection, flight, deadline)
                                 : send_again(connection, flight, deadline);
    if (!done) return done;
  }
}

Result<void> Core::ask_about(Connection& connection, const std::shared_ptr<Flight>& flight,
                             os::Deadline deadline) {
  auto answer =
      connection.enquiries().ask(wire::AdminKind::resolve, flight->prepared->sequence, deadline);
  if (!answer && (answer.error() == errc::daemon_gone || answer.error() == errc::timeout)) {
    return std::move(answer).error();
  }
  const std::lock_guard lock(flights_);
  if (flight->state != Flight::State::orphaned) return {};  // given up meanwhile
  if (!answer) {                                            // it cannot say: nor can we
    std::erase(orphans_, flight);
    flight->land(errc::unknown);
    return {};
  }
  switch (answer->status) {
    case wire::AdminStatus::done:
      std::erase(orphans_, flight);
      flight->land(*flight->prepared);
      return {};
    case wire::AdminStatus::not_committed:
      flight->prepared.reset();
      return {};
    case wire::AdminStatus::in_flight:  // ask again
    case wire::AdminStatus::refused:
      break;
  }
  return {};
}

Result<void> Core::send_again(Connection& connection, const std::shared_ptr<Flight>& flight,
                              os::Deadline deadline) {
  {
    const std::lock_guard lock(flights_);
    if (flight->state != Flight::State::orphaned) return {};
    std::erase(orphans_, flight);
    flight->state = Flight::State::fresh;
  }
  const Channel::Sent sent = connection.channel().submit(flight, deadline);
  if (sent == Channel::Sent::sent) return {};
  const std::lock_guard lock(flights_);
  if (flight->state == Flight::State::fresh) {
    flight->state = Flight::State::orphaned;
    orphans_.push_front(flight);
  }
  if (sent == Channel::Sent::lost) return errc::daemon_gone;
  return Error(errc::timeout, "commits from before the daemon's end take their time");
}

}  // namespace dfs::client
