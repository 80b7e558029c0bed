#include "daemon/compactor.hpp"

#include <algorithm>
#include <utility>

#include "common/os/process.hpp"

namespace dfs::daemon {

namespace {

// Left of the old log when the writer takes over: copied and synced while nobody is served.
constexpr std::uint64_t kRestBytes = std::uint64_t{1} << 20;
// So often the writer goes on as it likes while what was copied is synced.
constexpr int kFreeSyncs = 8;
// While an old generation is held: how often to look whether it still is. Nobody rings for that,
// since a reader who lets go makes no system call.
constexpr std::chrono::milliseconds kHeldLook{10};
// When memory is short, a generation that may be revoked so soon is waited for.
constexpr std::chrono::milliseconds kShortWait{100};
// After a failure, twice as long each time.
constexpr std::chrono::milliseconds kBackOff{1000};
constexpr int kMostDoublings = 6;
// Of the live bytes: what the tail may take at the most.
constexpr std::uint64_t kTailPart = 4;
// Of the memory limit: garbage that is worth a wait of the writer.
constexpr std::uint64_t kWorthwhile = 32;

std::uint64_t of(const std::atomic<std::uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

}  // namespace

Compactor::Compactor(Parts parts, const Settings& settings, std::function<void()> wake_writer,
                     std::function<void()> on_news)
    : parts_(std::move(parts)),
      garbage_(parts_.generations, parts_.counters, parts_.log),
      wake_writer_(std::move(wake_writer)),
      pace_(wake_writer_),
      on_news_(std::move(on_news)),
      settings_(settings),
      floors_(parts_.floors),
      not_before_(os::Monotonic::now()) {}

Compactor::~Compactor() { stop(); }

void Compactor::start() {
  thread_ = std::thread([this] { run(); });
}

void Compactor::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// Any thread.

std::uint64_t Compactor::ask() {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    // One that runs began before.
    asked_ = begun_ + 1;
    number = asked_;
    not_before_ = os::Monotonic::now();
  }
  changed_.notify_all();
  return number;
}

Compactor::Ended Compactor::ended(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  if (over_ < number) return {};
  return {true, over_ == number ? failure_ : std::nullopt};
}

VersionFloors Compactor::floors() const {
  const std::lock_guard lock(mutex_);
  return floors_;
}

Compactor::Figures Compactor::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures = figures_;
  figures.running = compaction_ != nullptr;
  if (compaction_) {
    figures.records_done = compaction_->records_done();
    figures.records_all = compaction_->records_all();
  }
  return figures;
}

void Compactor::set(const Settings& settings) {
  {
    const std::lock_guard lock(mutex_);
    settings_ = settings;
  }
  changed_.notify_all();
}

Compactor::Settings Compactor::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

Compactor::Settings compactor_settings(const Options& options) {
  return {options.compaction_interval, options.compaction_garbage, options.feed_retention,
          options.snapshot_ttl};
}

// The writer.

bool Compactor::relieve() {
  const std::lock_guard lock(mutex_);
  if (compaction_ || memory_is_short_) return true;
  if (ending_) return false;
  const std::uint64_t limit = parts_.generations.budget().limit();
  const bool compacts =
      os::Monotonic::now() >= not_before_ && garbage_.all() > helpless_at_ + limit / kWorthwhile;
  const auto revokes = parts_.generations.may_revoke_in(settings_.snapshot_ttl);
  if (!compacts && (!revokes || *revokes > kShortWait)) return false;
  memory_is_short_ = true;
  changed_.notify_all();
  return true;
}

Result<Compaction::Handed> Compactor::turn(const Checkpoint& now) {
  const auto begin = os::Monotonic::now();
  {
    // Before the switch, so that nobody can hold the new generation and be told the old floors;
    // should it fail, they are higher than they had to be.
    const std::lock_guard lock(mutex_);
    floors_ = compaction_->floors();
  }
  auto handed = compaction_->hand_over(now, parts_.syncer, checkpoints_);
  const auto took = os::Monotonic::now() - begin;
  if (!handed) return handed;
  wants_turn_.store(false, std::memory_order_relaxed);
  tail_from_.store(UINT64_MAX, std::memory_order_relaxed);
  // It was told in bytes of the log that is gone.
  if (handed->done) pace_.open();
  // Whoever waits for this compaction, and asks how long the log is now, is not told the old
  // length.
  parts_.counters.log_bytes.store(parts_.log.end(), std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    handed_ = *handed;
    turn_over_ = true;
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    figures_.longest_stall_us =
        std::max(figures_.longest_stall_us, static_cast<std::uint64_t>(microseconds));
  }
  changed_.notify_all();
  return handed;
}

// Its own thread.

void Compactor::run() {
  os::name_thread("dfs-compact");
  auto looked_at = os::Monotonic::now();
  std::size_t held = 0;
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const auto interval = settings_.interval;
    auto wait = held > 0 ? std::min(kHeldLook, interval) : interval;
    // Asked for, and held back: as soon as it may.
    if (asked_ > begun_) wait = std::min(wait, kHeldLook);
    changed_.wait_for(lock, wait, [this, interval] {
      return ending_ || memory_is_short_ || settings_.interval != interval ||
             (asked_ > begun_ && os::Monotonic::now() >= not_before_);
    });
    if (ending_) return;
    const bool asked = asked_ > begun_;
    const bool pressed = memory_is_short_;
    lock.unlock();
    static_cast<void>(parts_.generations.give_back_unheld());
    const auto now = os::Monotonic::now();
    const bool looks = now - looked_at >= interval;
    if (looks) looked_at = now;
    if (asked || pressed || (looks && garbage_.is_due(settings().least_garbage))) attempt();
    held = parts_.generations.give_back_unheld();
    lock.lock();
    if (pressed) {
      memory_is_short_ = false;
      helpless_at_ = garbage_.all();
      wake_writer_();
    }
  }
}

void Compactor::make_room() {
  const auto ttl = settings().snapshot_ttl;
  const std::uint64_t limit = parts_.generations.budget().limit();
  const auto short_of_memory = [&] {
    const MemoryBudget& budget = parts_.generations.budget();
    return budget.allocated() + budget.promised() > limit - limit / MemoryBudget::kReservePart;
  };
  while (short_of_memory() && !stopping_.load(std::memory_order_relaxed)) {
    if (parts_.generations.revoke_oldest(ttl)) continue;
    const auto wait = parts_.generations.may_revoke_in(ttl);
    if (!wait || *wait > kShortWait) return;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, *wait, [this] { return ending_; });
  }
}

void Compactor::attempt() {
  const auto ttl = settings().snapshot_ttl;
  make_room();
  // A slot is needed: those who have held one for long give way.
  while (parts_.generations.is_full() && parts_.generations.revoke_oldest(ttl)) {
  }
  const MemoryBudget& budget = parts_.generations.budget();
  // Where nothing is superseded there is nothing to wait for: it is tried, and says what it lacks.
  const bool fits = budget.allocated() + budget.promised() <= budget.limit() ||
                    parts_.generations.old_bytes() == 0;
  const bool room = fits && parts_.generations.there_is_room(ttl);
  {
    const std::lock_guard lock(mutex_);
    if (os::Monotonic::now() < not_before_) return;
    if (!room) {  // what is held is young: wait for it
      not_before_ = os::Monotonic::now() + kHeldLook;
      return;
    }
    ++begun_;
  }
  const auto begin = os::Monotonic::now();
  // Nothing of ours in the file yet: nothing to do without.
  const bool empty = !checkpoints_.any() || checkpoints_.latest().sequence == 0;
  auto outcome = empty ? Result<void>() : compact();
  if (!outcome && outcome.error() == errc::store_full) {
    // What was written meanwhile took what it needed. Once more, and the writer waits for it.
    drop_compaction();
    make_room();
    pace_.close();
    outcome = compact();
  }
  finish(outcome, empty ? std::chrono::nanoseconds(0) : os::Monotonic::now() - begin);
}

Result<void> Compactor::compact() {
  const std::uint64_t live = garbage_.live_records();
  Checkpoints::Wanted wanted{settings().feed_retention, live / kTailPart};
  const MemoryBudget& budget = parts_.generations.budget();
  if (budget.allocated() + budget.promised() + live / kTailPart > budget.limit()) {
    wanted.tail_bytes = 0;
  }
  const Checkpoint begin = checkpoints_.choose(wanted);
  tail_from_.store(begin.used, std::memory_order_relaxed);
  auto compaction = std::make_unique<Compaction>(
      Compaction::Parts{parts_.generations, parts_.log, parts_.ledger, parts_.store_id,
                        parts_.floors, of(parts_.counters.live_keys), pace_, stopping_},
      begin);
  {
    const std::lock_guard lock(mutex_);
    compaction_ = std::move(compaction);
  }
  if (auto filled = compaction_->fill(); !filled) return filled;
  if (auto level = catch_up(); !level) return level;
  return hand_over();
}

Result<void> Compactor::catch_up() {
  // Each round is half as long as the one before, until little is left. Then it is synced, which
  // takes the longer the more was copied; what comes meanwhile is copied again, and synced in less
  // time. The writer does not wait for that, unless it goes on for ever.
  for (int syncs = 0;; ++syncs) {
    do {
      if (auto copied = copy_round(); !copied) return copied;
    } while (compaction_->behind(checkpoints_.latest()) >= kRestBytes / 4);
    // A sync of the old log would make this one wait, and then the hand-over.
    if (syncs == 1) parts_.syncer.hold_off();
    if (syncs < kFreeSyncs) {
      pace_.let_go();
    } else {
      pace_.begin_round(checkpoints_.latest().log_end, kRestBytes / 4);
    }
    if (auto done = compaction_->sync(); !done) return done;
    if (syncs > 0 && compaction_->behind(checkpoints_.latest()) < kRestBytes / 2) break;
  }
  return copy_round();
}

Result<void> Compactor::copy_round() {
  const Checkpoint to = checkpoints_.latest();
  pace_.begin_round(to.log_end, kRestBytes / 8);
  return compaction_->catch_up(to);
}

Result<void> Compactor::hand_over() {
  std::unique_lock lock(mutex_);
  turn_over_ = false;
  wants_turn_.store(true, std::memory_order_release);
  lock.unlock();
  wake_writer_();
  lock.lock();
  changed_.wait(lock, [this] { return turn_over_ || ending_; });
  if (!turn_over_) return Error(errc::stopped, "the daemon is ending");
  if (!handed_.done) return handed_.why;
  parts_.floors = handed_.floors;
  return {};
}

void Compactor::drop_compaction() {
  std::unique_ptr<Compaction> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped = std::move(compaction_);
  }
  tail_from_.store(UINT64_MAX, std::memory_order_relaxed);
}

void Compactor::finish(const Result<void>& outcome, std::chrono::nanoseconds took) {
  parts_.syncer.go_on();
  // Its file and its generation go here, if it failed.
  drop_compaction();
  {
    const std::lock_guard lock(mutex_);
    over_ = begun_;
    failure_ = outcome ? std::nullopt : std::optional(outcome.error());
    if (outcome) {
      failures_in_a_row_ = 0;
      if (took.count() > 0) ++figures_.compactions;
      figures_.last_ms = os::wall_clock_ms();
      figures_.last_took_ms = static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    } else {
      ++figures_.failures;
      // Who asked while this one ran does not wait for the back-off.
      not_before_ = os::Monotonic::now();
      if (asked_ == begun_) {
        not_before_ += kBackOff * (1 << std::min(failures_in_a_row_, kMostDoublings));
      }
      ++failures_in_a_row_;
    }
  }
  pace_.open();
  on_news_();
  if (!outcome && outcome.error() != errc::stopped) {
    parts_.journal.warn("compaction failed and will be tried again: " +
                        std::string(outcome.error().text()));
  }
}

}  // namespace dfs::daemon
