#include "libclient/core.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "common/index/feed.hpp"
#include "common/os/process.hpp"
#include "libclient/holder.hpp"
#include "libclient/starter.hpp"

namespace dfs::client {

namespace {

// A daemon that ends does so within some milliseconds of its last batch.
constexpr std::chrono::milliseconds kEndLook{1};
// A read does not wait longer for a next daemon that is there and does not answer: the last state
// does as well.
constexpr std::chrono::seconds kHelloTime{2};
// How often to look for a socket that somebody else is to make.
constexpr std::chrono::milliseconds kSocketLook{10};

/// Until there is something at an address that may be served, as long as the options say.
Result<Address> find_address(std::string_view given, const Options& options) {
  const os::Deadline patience = os::Deadline::after(
      std::min<std::chrono::milliseconds>(options.wait_for_daemon, options.timeout));
  for (;;) {
    auto address = resolve_address(given);
    if (address || address.error() != errc::no_store || patience.passed()) return address;
    std::this_thread::sleep_for(kSocketLook);
  }
}

/// By the thread that never waits for the disk: what it does not answer in time, it will not soon.
bool is_answered_at_once(wire::AdminKind kind) {
  return kind != wire::AdminKind::resolve && kind != wire::AdminKind::sync &&
         kind != wire::AdminKind::compact;
}

}  // namespace

Core::Core(Address address, Options options, Bell bell)
    : address_(std::move(address)),
      options_(std::move(options)),
      bell_(std::move(bell)),
      checks_views_(os::environment("DFS_CHECK_VIEWS") == "1"),
      household_(std::make_shared<Household>()) {}

Result<std::shared_ptr<Core>> Core::open(std::string_view given, Options options) {
  const os::Deadline deadline = os::Deadline::after(options.timeout);
  auto address = find_address(given, options);
  if (!address) return std::move(address).error();
  auto bell = Bell::make();
  if (!bell) return std::move(bell).error();
  std::shared_ptr<Core> core(new Core(std::move(*address), std::move(options), std::move(*bell)));
  auto connected = core->connect_or_start(core->options_, deadline);
  if (!connected) return std::move(connected).error();
  return core;
}

Core::~Core() {
  if (!forked()) {
    close();
    return;
  }
  // What there is belongs to the parent: nothing is given back, and the household stays, whose
  // connections the parent's threads may have been in the middle of using.
  household_->kept = household_;
}

void Core::close() noexcept {
  const std::lock_guard connecting(connecting_);
  closed_.store(true, std::memory_order_seq_cst);
  Connection* last = current_.exchange(nullptr, std::memory_order_acq_rel);
  if (last != nullptr) {
    note_end(*last);
    last->retire();
  }
  const std::lock_guard lock(flights_);
  for (const auto& flight : orphans_) {
    flight->land(flight->prepared ? unknown(*flight) : Error(errc::closed));
  }
  orphans_.clear();
  has_orphans_.store(false, std::memory_order_release);
}

StoreState Core::state() noexcept {
  if (forked()) return StoreState::forked;
  if (closed_.load(std::memory_order_acquire)) return StoreState::closed;
  const ConnectionUse here = use();
  return here && here->usable() ? StoreState::live : StoreState::stale;
}

int Core::fd() noexcept {
  if (forked()) return -1;
  const std::lock_guard connecting(connecting_);
  bell_is_shared_.store(true, std::memory_order_relaxed);
  if (const ConnectionUse here = use()) here->channel().share_bell();
  return bell_.fd();
}

// Snapshots.

Snapshot Core::snapshot() {
  if (forked()) return Snapshot(Error(errc::forked));
  // Acquire: what the connection is made of. It may be retired meanwhile, then `acquire` says so;
  // it is not freed before the household.
  Connection* here = current_.load(std::memory_order_acquire);
  if (here != nullptr && here->acquire()) {
    ConnectionUse one(here);
    if (here->usable()) return take(std::move(one), false);
  }
  return take_anew();
}

Snapshot Core::take_newest_mapped(ConnectionUse here) {
  // The daemon died with a generation current that was never asked for: what is mapped is older, or
  // was given back before.
  const auto newest = here->hold_newest_mapped();
  if (newest.generation == nullptr) {
    return Snapshot(Error(errc::daemon_gone, "the daemon of " + address_.given +
                                                 " ended before its last state was mapped here; "
                                                 "reads go on when it is back"));
  }
  static_cast<void>(here.take());  // the snapshot's from here on
  return Snapshot(newest.generation, newest.sequence, true);
}

Snapshot Core::take(ConnectionUse here, bool stale) {
  const index::Taken taken = index::take(here->control(), here->holds());
  const Generation* generation = here->mapped(taken.generation);
  if (generation == nullptr || checks_views_) return take_mapping(std::move(here), stale, taken);
  static_cast<void>(here.take());  // the snapshot's from here on
  return Snapshot(generation, taken.sequence, stale);
}

Snapshot Core::take_mapping(ConnectionUse here, bool stale, index::Taken taken) {
  const os::Deadline deadline = os::Deadline::after(options_.timeout);
  for (;; taken = index::take(here->control(), here->holds())) {
    const Generation* generation = here->mapped(taken.generation);
    if (generation == nullptr) {
      auto fetched = here->fetch(taken.generation, deadline);
      if (!fetched) {
        index::release(here->holds(), taken.generation);
        if (fetched.error() == errc::snapshot_too_old && !deadline.passed()) continue;
        if (fetched.error() == errc::daemon_gone) {
          if (stale) return take_newest_mapped(std::move(here));
          if (!here->usable()) return take_anew();
          // Its socket closes a little before its death is marked.
          std::this_thread::sleep_for(kEndLook);
          if (!deadline.passed()) continue;
        }
        return Snapshot(fetched.error());
      }
      generation = *fetched;
    }
    if (checks_views_) {
      auto apart = here->map_again(*generation, true);
      if (!apart) {
        index::release(here->holds(), taken.generation);
        return Snapshot(apart.error());
      }
      generation = apart->release();
    }
    static_cast<void>(here.take());  // the snapshot's from here on
    return Snapshot(generation, taken.sequence, stale);
  }
}

Snapshot Core::take_anew() {
  ConnectionUse here;
  bool stale = false;
  {
    const std::lock_guard connecting(connecting_);
    if (closed_.load(std::memory_order_acquire)) return Snapshot(Error(errc::closed));
    here = use();
    if (!here || !here->usable()) {
      // One try that starts nothing; the last state serves as long as nobody does.
      auto connected = connect_once(
          os::Deadline::after(std::min<std::chrono::milliseconds>(options_.timeout, kHelloTime)));
      here = use();
      if (!here) return Snapshot(connected ? Error(errc::closed) : connected.error());
      stale = !connected;
    }
  }
  return take(std::move(here), stale);
}

Result<Value> Core::get(std::string_view key) {
  const Snapshot now = snapshot();
  auto entry = now.get(key);
  if (!entry) return std::move(entry).error();
  Value value{std::string(entry->value), entry->version, entry->sequence, entry->time_ms};
  // The copy counts only if the bytes were still there.
  if (auto good = now.check(); !good) return std::move(good).error();
  return value;
}

// The daemon's answers on the socket.

Result<Enquiries::Answer> Core::ask(wire::AdminKind kind, std::uint64_t argument,
                                    os::Deadline deadline) {
  if (forked()) return errc::forked;
  for (;;) {
    auto here = serving(deadline);
    if (!here) return std::move(here).error();
    auto answer = (*here)->enquiries().ask(kind, argument, deadline);
    if (!answer && answer.error() == errc::timeout && is_answered_at_once(kind)) {
      return not_answering(address_, (*here)->enquiries().process());
    }
    if (answer || answer.error() != errc::daemon_gone || deadline.passed()) return answer;
    // Its socket closes a little before its death is marked, or a little after.
    if ((*here)->usable()) std::this_thread::sleep_for(kEndLook);
  }
}

Result<Resolution> Core::resolve(const wire::CommitId& id, os::Deadline deadline) {
  if (forked()) return errc::forked;
  if (closed_.load(std::memory_order_acquire)) return errc::closed;
  if (id.store != store_) {
    return Error(errc::compacted, "commit " + wire::to_text(id) + " is of another store; this is " +
                                      wire::to_text(store_));
  }
  for (;;) {
    auto answer = ask(wire::AdminKind::resolve, id.sequence, deadline);
    if (!answer) return std::move(answer).error();
    if (answer->status == wire::AdminStatus::done) return Resolution::committed;
    if (answer->status == wire::AdminStatus::not_committed) return Resolution::not_committed;
    if (deadline.passed()) return Error(errc::timeout, "the commit's batch is still under way");
    std::this_thread::sleep_for(kEndLook);
  }
}

bool Core::is_in_feed(std::uint64_t sequence) {
  // Of the newest generation, which may begin behind it; then the daemon is asked.
  const Snapshot now = snapshot();
  if (!now.check()) return false;
  const index::View& view = now.generation_->view();
  index::FeedStep step = index::first_after(view, sequence - 1);
  if (step.outcome != index::Outcome::found) return false;
  step = index::feed_step(view, step.next, now.sequence());
  return step.outcome == index::Outcome::found && step.record->sequence == sequence &&
         now.check().has_value();
}

Result<void> Core::sync(std::uint64_t sequence, os::Deadline deadline) {
  if (forked()) return errc::forked;
  if (sequence == 0) return {};
  auto here = serving(deadline);
  if (!here) return std::move(here).error();
  // What is committed is on disk once the durable sequence says so. That alone would pass one that
  // was lost in a gap.
  const auto& durable = (*here)->control().durable;
  if (durable.load(std::memory_order_acquire) >= sequence && is_in_feed(sequence)) return {};
  auto fate = resolve({store_, sequence}, deadline);
  if (!fate) return std::move(fate).error();
  if (*fate == Resolution::not_committed) {
    return Error(errc::compacted, "no commit of this store has sequence " +
                                      std::to_string(sequence) +
                                      ": it was lost in a crash, or never given");
  }
  auto answer = ask(wire::AdminKind::sync, sequence, deadline);
  if (!answer) return std::move(answer).error();
  return {};
}

Result<void> Core::wait_for_end(os::Deadline deadline) {
  for (;;) {
    const ConnectionUse here = use();
    if (!here || !here->usable()) return {};
    if (deadline.passed()) return Error(errc::timeout, "the daemon is still ending");
    std::this_thread::sleep_for(kEndLook);
  }
}

}  // namespace dfs::client
