#include "daemon/syncer.hpp"

#include "common/os/process.hpp"

namespace dfs::daemon {

namespace {

constexpr std::chrono::milliseconds kLongestHoldOff{50};

}  // namespace

Syncer::Syncer(LogFile& log, index::ControlPage& control, Counters& counters, Settings settings,
               std::function<void()> on_durable, std::function<void(const Error&)> on_failure)
    : log_(log),
      control_(control),
      counters_(counters),
      background_(settings.background),
      on_durable_(std::move(on_durable)),
      on_failure_(std::move(on_failure)),
      written_(control.durable.load(std::memory_order_relaxed)),
      interval_(settings.interval) {
  if (background_) thread_ = std::thread([this] { run(); });
}

Syncer::~Syncer() { stop(); }

void Syncer::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<void> Syncer::begin(std::uint64_t bytes) {
  auto begun = log_.begin_sync(bytes);
  if (!begun) failed_.store(true, std::memory_order_release);
  return begun;
}

Result<void> Syncer::sync(std::uint64_t sequence) {
  const std::lock_guard lock(sync_mutex_);
  return sync_locked(sequence);
}

Result<void> Syncer::sync_locked(std::uint64_t sequence) {
  if (failed())
    return Error(errc::writing_stopped, "an earlier sync of " + log_.path() + " failed");
  const auto begin = os::Monotonic::now();
  if (auto synced = log_.sync_concurrently(); !synced) {
    failed_.store(true, std::memory_order_release);
    return synced;
  }
  const auto took = os::Monotonic::now() - begin;
  counters_.sync_us.add(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  Counters::add(counters_.syncs);
  if (sequence > control_.durable.load(std::memory_order_relaxed)) {
    // Release: who sees it may rely on the disk; readers wait for it by value alone.
    // SYNC POINT: watched_. seq_cst, both: either main, which sets that and then looks at this,
    // finds it moved, or this finds main waiting.
    control_.durable.store(sequence, std::memory_order_seq_cst);
    if (watched_.load(std::memory_order_seq_cst)) on_durable_();
  }
  return {};
}

void Syncer::written(std::uint64_t sequence) {
  // Release: the bytes were written before; the thread's acquire makes it sync no less.
  // SYNC POINT: idle_. seq_cst, both: either this finds the thread idle, or it finds this.
  written_.store(sequence, std::memory_order_seq_cst);
  if (!idle_.load(std::memory_order_seq_cst)) return;
  { const std::lock_guard lock(mutex_); }  // it sleeps, or has not looked yet
  changed_.notify_all();
}

bool Syncer::anything_unsynced() const {
  return written_.load(std::memory_order_seq_cst) >
         control_.durable.load(std::memory_order_relaxed);
}

void Syncer::hurry() {
  {
    const std::lock_guard lock(mutex_);
    hurried_ = true;
  }
  changed_.notify_all();
}

void Syncer::set_interval(std::chrono::milliseconds interval) {
  {
    const std::lock_guard lock(mutex_);
    if (interval == interval_) return;
    interval_ = interval;
    hurried_ = true;  // the wait under way knows the old one
  }
  changed_.notify_all();
}

void Syncer::hold_off() {
  std::unique_lock lock(mutex_);
  held_off_until_ = os::Monotonic::now() + kLongestHoldOff;
  changed_.wait(lock, [this] { return !syncing_; });
}

void Syncer::go_on() {
  {
    const std::lock_guard lock(mutex_);
    held_off_until_ = {};
  }
  changed_.notify_all();
}

void Syncer::exclude(const std::function<void()>& replace) {
  const std::lock_guard lock(sync_mutex_);
  replace();
}

void Syncer::run() {
  os::name_thread("dfs-sync");
  std::unique_lock lock(mutex_);
  while (!ending_) {
    // With nothing to sync it does not wake at all; else once an interval.
    idle_.store(true, std::memory_order_seq_cst);
    changed_.wait(lock, [this] { return anything_unsynced() || hurried_ || ending_; });
    idle_.store(false, std::memory_order_relaxed);
    changed_.wait_for(lock, interval_, [this] { return hurried_ || ending_; });
    while (os::Monotonic::now() < held_off_until_ && !ending_) {
      changed_.wait_until(lock, held_off_until_);
    }
    hurried_ = false;
    if (ending_) return;
    // Only what was wholly written before the sync began is durable after it.
    const std::uint64_t sequence = written_.load(std::memory_order_acquire);
    if (sequence <= control_.durable.load(std::memory_order_relaxed)) continue;
    syncing_ = true;
    lock.unlock();
    auto synced = sync(sequence);
    lock.lock();
    syncing_ = false;
    changed_.notify_all();
    if (!synced) {
      lock.unlock();
      on_failure_(synced.error());
      return;
    }
  }
}

}  // namespace dfs::daemon
