// Syncs of the log: one at a time, the first failure final (I9); and, in a store that promises
// `written`, a thread that syncs every sync_interval in the background.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "common/base/result.hpp"
#include "common/index/control_page.hpp"
#include "common/os/clock.hpp"
#include "daemon/counters.hpp"
#include "daemon/log_file.hpp"

namespace dfs::daemon {

/// Threads: sync() and written() by the writer, hurry() by any, its own thread in the background.
class Syncer {
 public:
  struct Settings {
    bool background = false;
    std::chrono::milliseconds interval{100};
  };
  /// `on_durable` is called, from whichever thread synced, after the durable sequence has moved
  /// while it is watched; `on_failure` once.
  Syncer(LogFile& log, index::ControlPage& control, Counters& counters, Settings settings,
         std::function<void()> on_durable, std::function<void(const Error&)> on_failure);
  ~Syncer();
  Syncer(const Syncer&) = delete;
  Syncer& operator=(const Syncer&) = delete;

  /// The disk begins with the last `bytes` of the log. The writer's sync is to follow.
  [[nodiscard]] Result<void> begin(std::uint64_t bytes);
  /// Syncs now. What is in the log up to `sequence` is durable afterwards. Never again after a
  /// failure.
  [[nodiscard]] Result<void> sync(std::uint64_t sequence);
  /// The log holds everything up to `sequence`, unsynced.
  void written(std::uint64_t sequence);
  /// Somebody waits: do not wait for the interval.
  void hurry();
  /// While somebody waits for the durable sequence, it is told. Any thread; before it looks.
  void watch(bool on) { watched_.store(on, std::memory_order_seq_cst); }
  /// From now on the thread syncs that often. Any thread.
  void set_interval(std::chrono::milliseconds interval);
  /// Whether a sync has failed.
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_acquire); }
  /// Ends the thread, without a last sync.
  void stop();
  /// The background begins no sync until `go_on`, for 50 ms at the most: what was promised of the
  /// interval holds but for these. Returns when none is under way. The writer's own go on as ever.
  void hold_off();
  void go_on();
  /// The log is another file now: no sync is under way while `replace` runs.
  void exclude(const std::function<void()>& replace);

 private:
  void run();
  [[nodiscard]] bool anything_unsynced() const;
  [[nodiscard]] Result<void> sync_locked(std::uint64_t sequence);

  LogFile& log_;
  index::ControlPage& control_;
  Counters& counters_;
  const bool background_;
  const std::function<void()> on_durable_;
  const std::function<void(const Error&)> on_failure_;

  // One sync at a time: the kernel reports a failed write-back to one caller only, and the other's
  // "OK" would lie.
  std::mutex sync_mutex_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> watched_{false};
  std::atomic<std::uint64_t> written_{0};
  std::atomic<bool> idle_{false};  // the thread sleeps until something is written

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::chrono::milliseconds interval_;
  bool hurried_ = false;
  os::Monotonic::time_point held_off_until_;
  bool syncing_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace dfs::daemon
