// The compactor: the thread that looks for garbage, rewrites log and index without it, and gives
// old generations back when nobody holds them.
//
// It stands beside the way of a write. The writer meets it between two batches only: to hand over
// when a compaction is nearly level with it, and to wait where it would otherwise run ahead for
// ever.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/checkpoint.hpp"
#include "daemon/compaction.hpp"
#include "daemon/counters.hpp"
#include "daemon/garbage.hpp"
#include "daemon/journal.hpp"
#include "daemon/options.hpp"
#include "daemon/pace.hpp"

namespace dfs::daemon {

/// Threads: start, stop by main; note, turn and the questions about turns by the writer; ask, look
/// and the figures by any; its own thread does the rest.
class Compactor {
 public:
  struct Parts {
    Journal& journal;
    Generations& generations;
    LogFile& log;
    const Ledger& ledger;
    Counters& counters;
    Syncer& syncer;
    std::string store_id;
    VersionFloors floors;
  };
  /// What may change while it runs.
  struct Settings {
    std::chrono::milliseconds interval{0};        ///< how often to look for garbage
    std::uint64_t least_garbage = 0;              ///< bytes: less is not worth it
    std::chrono::milliseconds feed_retention{0};  ///< what the tail keeps for watchers
    std::chrono::milliseconds snapshot_ttl{0};    ///< younger snapshots are never revoked
  };
  /// `wake_writer` makes the writer look again; `on_news` is called when a compaction ended.
  Compactor(Parts parts, const Settings& settings, std::function<void()> wake_writer,
            std::function<void()> on_news);
  ~Compactor();
  Compactor(const Compactor&) = delete;
  Compactor& operator=(const Compactor&) = delete;

  void start();
  /// Gives up what is under way, and ends the thread. After the writer's end.
  void stop();

  // Writer, between two batches.

  /// Where log and index stand now.
  void note(const Checkpoint& now) { checkpoints_.note(now); }
  /// A compaction is ready to be handed over: call turn().
  [[nodiscard]] bool wants_turn() const { return wants_turn_.load(std::memory_order_acquire); }
  [[nodiscard]] Result<Compaction::Handed> turn(const Checkpoint& now);
  /// The writer is to append nothing while its log is as long as this: each round of catching up is
  /// half as long as the one before.
  [[nodiscard]] std::uint64_t pause_at() const { return pace_.pause_at(); }
  /// The writer will look once more, and then wait until it is woken.
  void about_to_wait() { pace_.about_to_wait(); }
  /// Where in the index the tail of the compaction under way begins: what is added behind it, the
  /// next generation needs too. UINT64_MAX: none is under way.
  [[nodiscard]] std::uint64_t tail_from() const {
    return tail_from_.load(std::memory_order_relaxed);
  }
  /// Memory is short. True while that may change by itself: a compaction is under way or about to
  /// be, so it pays to wait.
  [[nodiscard]] bool relieve();

  // Any.

  /// What the next generation would not have.
  [[nodiscard]] const Garbage& garbage() const { return garbage_; }

  void set(const Settings& settings);
  /// Asks for a compaction that begins from now on. Its number, for `ended`.
  std::uint64_t ask();
  struct Ended {
    bool over = false;
    std::optional<Error> failure;  ///< nothing: it came through
  };
  [[nodiscard]] Ended ended(std::uint64_t number) const;
  /// The version floors of the current log. Asked after a snapshot was taken, they are those of its
  /// generation or higher.
  [[nodiscard]] VersionFloors floors() const;

  struct Figures {
    bool running = false;
    std::uint64_t records_done = 0;
    std::uint64_t records_all = 0;
    std::uint64_t compactions = 0;
    std::uint64_t failures = 0;
    std::uint64_t last_ms = 0;  ///< when the last one ended, since 1970; 0: never
    std::uint64_t last_took_ms = 0;
    std::uint64_t longest_stall_us = 0;  ///< of the writer, in a hand-over
  };
  [[nodiscard]] Figures figures() const;

 private:
  void run();
  void attempt();
  [[nodiscard]] Result<void> compact();
  [[nodiscard]] Result<void> catch_up();
  [[nodiscard]] Result<void> copy_round();
  [[nodiscard]] Result<void> hand_over();
  void drop_compaction();
  /// `took` 0: there was nothing to do.
  void finish(const Result<void>& outcome, std::chrono::nanoseconds took);
  void make_room();
  [[nodiscard]] Settings settings() const;

  // Constant after construction.
  Parts parts_;
  const Garbage garbage_;
  const std::function<void()> wake_writer_;
  Pace pace_;
  const std::function<void()> on_news_;

  Checkpoints checkpoints_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> wants_turn_{false};
  std::atomic<std::uint64_t> tail_from_{UINT64_MAX};

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Settings settings_;
  std::unique_ptr<Compaction> compaction_;  // what it does is its own thread's, and turn()'s
  Compaction::Handed handed_;
  VersionFloors floors_;
  std::uint64_t asked_ = 0;       // the number of the last one asked for
  std::uint64_t begun_ = 0;       // the number of the last one that began
  std::uint64_t over_ = 0;        // and of the last one that ended
  std::optional<Error> failure_;  // of the last one
  bool turn_over_ = false;
  bool ending_ = false;
  bool memory_is_short_ = false;
  std::uint64_t helpless_at_ = 0;  // garbage left when the last one did not relieve
  int failures_in_a_row_ = 0;
  os::Monotonic::time_point not_before_;
  Figures figures_;

  std::thread thread_;
};

/// Of a daemon's options, those that concern it.
[[nodiscard]] Compactor::Settings compactor_settings(const Options& options);

}  // namespace dfs::daemon
