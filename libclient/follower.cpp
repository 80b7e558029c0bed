#include "libclient/follower.hpp"

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

#include "common/index/snapshot.hpp"
#include "libclient/meeting.hpp"
#include "libclient/snapshot_walk.hpp"

namespace dfs::client {

namespace {

// Between two looks for a daemon, while nobody serves the store.
constexpr std::chrono::milliseconds kDaemonLook{20};
// And for the next one of a daemon that has just died.
constexpr std::chrono::milliseconds kEndLook{1};

/// Whether trying again later may help: nobody serves the store, or not this client yet.
bool may_pass(const Error& error) noexcept {
  return error == errc::no_daemon || error == errc::daemon_gone || error == errc::timeout ||
         error == errc::busy;
}

}  // namespace

Follower::Follower(std::shared_ptr<Core> core, std::string prefix)
    : core_(std::move(core)), prefix_(std::move(prefix)) {}

Follower::~Follower() { leave(); }

Result<std::unique_ptr<Follower>> Follower::make(std::shared_ptr<Core> core, std::string prefix,
                                                 const std::optional<Position>& after) {
  if (core->forked()) return errc::forked;
  const os::Deadline deadline = core->deadline({});
  std::unique_ptr<Follower> made(new Follower(std::move(core), std::move(prefix)));
  for (;;) {
    auto here = made->core_->serving(deadline);
    if (!here) return std::move(here).error();
    auto begun = made->begin(std::move(*here), after);
    if (begun) return made;
    // It died meanwhile: on to the next.
    if (begun.error() != errc::daemon_gone || deadline.passed()) return std::move(begun).error();
    std::this_thread::sleep_for(kEndLook);
  }
}

Result<void> Follower::begin(ConnectionUse here, const std::optional<Position>& after) {
  store_ = here->store();
  if (!after) {
    here_ = std::move(here);
    auto begun = begin_here();
    if (!begun) leave();
    return begun;
  }
  sequence_ = after->sequence();
  if (after->store() != store_) {
    return compacted("position " + after->text() + " is of another store; this is " +
                     wire::to_text(store_));
  }
  return move_to(std::move(here));
}

Result<void> Follower::begin_here() {
  const os::Deadline deadline = core_->deadline({});
  if (auto watching = here_->begin_watching(deadline); !watching) {
    here_ = {};  // which `leave` would end
    return watching;
  }
  for (;;) {
    // Held from here on, so that what follows is there when it is looked for.
    const index::Taken taken = index::take(here_->control(), here_->holds());
    sequence_ = taken.sequence;
    auto anchored = anchor();
    index::release(here_->holds(), taken.generation);
    if (anchored) return {};
    if (anchored.error() != errc::compacted || deadline.passed()) {
      return std::move(anchored).error();
    }
  }
}

// Stepping.

Result<Change> Follower::next(os::Deadline deadline) {
  bool listened = false;
  for (;;) {
    if (core_->forked()) return errc::forked;
    if (stopped_.load(std::memory_order_seq_cst)) return errc::stopped;
    if (given_ < commit_.size()) {
      auto change = give();
      if (change) return change;
      let_go();  // given back meanwhile: to be found anew behind the same position
      continue;
    }
    const Channel::News seen = here_ ? here_->channel().news() : Channel::News{};
    auto found = advance();
    if (!found) {
      if (!may_pass(found.error())) return std::move(found).error();
      if (deadline.passed()) {
        return Error(errc::daemon_gone,
                     "nobody serves the store at the moment; the watch goes on "
                     "when somebody does");
      }
      std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(deadline.left(), kDaemonLook));
      continue;
    }
    if (*found) continue;
    if (deadline.passed()) {
      if (listened) return Error(errc::timeout, "no change in this time");
      // Once more with the bell set, so that what comes later rings.
      here_->channel().listen(Channel::Asker::watch, told_);
      listened = true;
      continue;
    }
    static_cast<void>(here_->channel().wait_for_news(seen, stopped_, deadline));
  }
}

Result<bool> Follower::advance() {
  if (here_ && generation_ == nullptr) {
    auto anchored = anchor();
    if (!anchored && anchored.error() != errc::daemon_gone) return std::move(anchored).error();
  }
  if (generation_ != nullptr) {
    auto found = gather();
    if (!found) return std::move(found).error();
    if (*found == Found::commit) return true;
    if (*found == Found::gone) {
      let_go();
      return true;
    }
    // Read to its end: behind it the next one goes on.
    if (here_->control().current.load(std::memory_order_seq_cst) != generation_->number()) {
      auto anchored = anchor();
      if (anchored || anchored.error() != errc::daemon_gone) return anchored;
    } else if (here_->usable()) {
      return false;
    }
  }
  auto next = core_->reach();
  if (!next) return std::move(next).error();
  // Its socket closes a little before its death is marked.
  if (next->get() == here_.get()) return errc::daemon_gone;
  if (auto moved = move_to(std::move(*next)); !moved) return std::move(moved).error();
  return true;
}

Result<Follower::Found> Follower::gather() {
  commit_.clear();
  given_ = 0;
  const index::GenerationSlot& slot = index::slot_of(here_->control(), generation_->number());
  // SYNC POINT: publish. Acquire: the records of whole batches up to it.
  const std::uint64_t published = slot.published.load(std::memory_order_acquire);
  std::uint64_t offset = offset_;
  for (;;) {
    const index::FeedStep step = index::feed_step(generation_->view(), offset, published);
    switch (step.outcome) {
      case index::Outcome::found:
        break;
      case index::Outcome::absent:
        sequence_ = std::max(sequence_, published);
        return Found::nothing;
      case index::Outcome::given_back:
        commit_.clear();  // a part of one
        return Found::gone;
      case index::Outcome::outgrown:
        if (auto larger = here_->enlarge(*generation_); !larger) {
          commit_.clear();
          return larger.error();
        }
        continue;
      default:
        commit_.clear();
        return error_from(step.outcome, *generation_);
    }
    offset = step.next;
    const index::RecordHeader& record = *step.record;
    const std::string_view key = record.key();
    if (key.substr(0, prefix_.size()) == prefix_) commit_.push_back(&record);
    meet(Meeting::gathers);
    if (!record.last_of_commit()) continue;
    const std::uint64_t sequence = record.sequence;
    meet(Meeting::gathers);
    if (!index::look(generation_->view())) {
      commit_.clear();
      return Found::gone;
    }
    offset_ = offset;
    if (!commit_.empty()) {
      gathered_ = sequence;
      given_ = std::min(std::exchange(skip_, 0), commit_.size() - 1);
      return Found::commit;
    }
    sequence_ = sequence;
    if (stopped_.load(std::memory_order_relaxed)) return Found::commit;
  }
}

Result<Change> Follower::give() {
  const index::RecordHeader& record = *commit_[given_];
  Change change;
  change.key = record.key();
  change.value = record.value();
  change.erased = record.erased();
  change.version = record.version;
  change.sequence = record.sequence;
  change.time_ms = record.time_ms;
  change.own = record.connection != 0 && record.connection == here_->number();
  change.last_of_commit = given_ + 1 == commit_.size();
  if (auto good = check(); !good) return std::move(good).error();
  ++given_;
  if (change.last_of_commit) sequence_ = change.sequence;
  return change;
}

Result<void> Follower::check() const {
  if (core_->forked()) return errc::forked;
  if (generation_ != nullptr && index::look(generation_->view())) return {};
  return Error(errc::snapshot_too_old, "what was given was revoked, since memory was short");
}

// Where to read.

Result<void> Follower::move_to(ConnectionUse next) {
  leave();
  if (auto watching = next->begin_watching(core_->deadline({})); !watching) return watching;
  here_ = std::move(next);
  auto there = check_history();
  if (there) {
    auto anchored = anchor();
    if (anchored) return {};
    there = std::move(anchored).error();
  }
  // Whoever comes here again asks again.
  leave();
  return there;
}

Result<void> Follower::check_history() {
  // What was given of a commit is to be there too.
  const Position last(store_, skip_ > 0 ? gathered_ : sequence_);
  if (last.sequence() == 0) return {};
  auto answer =
      here_->enquiries().ask(wire::AdminKind::resolve, last.sequence(), core_->deadline({}));
  if (!answer) return std::move(answer).error();
  if (answer->status == wire::AdminStatus::done) return {};
  return compacted("position " + last.text() +
                   " lies in a history that this store does not have: it was lost in a crash, or "
                   "never given");
}

Result<bool> Follower::anchor() {
  const index::ControlPage& page = here_->control();
  for (;;) {
    const std::uint64_t current = page.current.load(std::memory_order_seq_cst);
    // The newest whose feed reaches back to here: the older ones go the sooner.
    for (std::uint64_t number = current; number > 0 && current - number < kGenerationSlots;
         --number) {
      auto entered = enter(number);
      if (!entered || *entered) return entered;
    }
    if (page.current.load(std::memory_order_seq_cst) == current) break;
  }
  return compacted("what follows position " + position().text() + " was compacted away");
}

Result<bool> Follower::enter(std::uint64_t number) {
  const index::GenerationSlot& slot = index::slot_of(here_->control(), number);
  const auto stands = [&] {
    const std::uint64_t identity = slot.identity.load(std::memory_order_seq_cst);
    return identity == index::identity_of(number, index::GenerationState::current) ||
           identity == index::identity_of(number, index::GenerationState::superseded);
  };
  // A hold that comes too late for the daemon's look is worthless, and every read says so. The one
  // of the generation before is given back last: while it stands, all behind it do.
  index::hold_again(here_->holds(), number);
  Result<bool> entered = false;
  if (stands() && slot.feed_base.load(std::memory_order_acquire) <= sequence_ && stands()) {
    // Under the connection's lock even where it is mapped: this hold of a superseded one may have
    // come behind the look of `drop_unheld`.
    const Generation* found = nullptr;
    if (auto fetched = here_->fetch(number, core_->deadline({}))) {
      found = *fetched;
    } else if (fetched.error() != errc::snapshot_too_old) {
      entered = std::move(fetched).error();
    }
    while (found != nullptr) {
      const index::FeedStep first = index::first_after(found->view(), sequence_);
      if (first.outcome == index::Outcome::outgrown) {
        if (auto larger = here_->enlarge(*found); larger) continue;
      }
      if (first.outcome == index::Outcome::broken) entered = error_from(first.outcome, *found);
      if (first.outcome != index::Outcome::found) break;
      let_go();
      generation_ = found;
      offset_ = first.next;
      return true;
    }
  }
  index::release(here_->holds(), number);
  return entered;
}

void Follower::let_go() noexcept {
  if (given_ < commit_.size()) skip_ = given_;
  commit_.clear();
  given_ = 0;
  if (generation_ == nullptr) return;
  index::release(here_->holds(), std::exchange(generation_, nullptr)->number());
}

void Follower::leave() noexcept {
  if (!here_ || core_->forked()) return;
  let_go();
  here_->end_watching();
  here_ = {};
}

Error Follower::compacted(const std::string& why) const {
  return Error(errc::compacted, why + "; start over from a snapshot and its position");
}

// The rest.

Position Follower::position() const { return {store_, sequence_}; }

Snapshot Follower::restart() {
  Snapshot snapshot = core_->snapshot();
  if (!snapshot.check()) return snapshot;
  let_go();
  skip_ = 0;
  sequence_ = snapshot.sequence();
  store_ = snapshot.position().store();
  return snapshot;
}

void Follower::stop() noexcept {
  stopped_.store(true, std::memory_order_seq_cst);
  core_->interrupt();
}

}  // namespace dfs::client

namespace dfs {

Watch::Watch(std::unique_ptr<client::Follower> follower) noexcept
    : follower_(std::move(follower)) {}
Watch::Watch(Watch&& other) noexcept = default;
Watch& Watch::operator=(Watch&& other) noexcept = default;
Watch::~Watch() = default;

Result<Change> Watch::next(std::chrono::milliseconds timeout) {
  return follower_->next(os::Deadline::after(timeout));
}

Position Watch::position() const { return follower_->position(); }
Snapshot Watch::restart() { return follower_->restart(); }
Result<void> Watch::check() const { return follower_->check(); }
void Watch::stop() noexcept { follower_->stop(); }

}  // namespace dfs
