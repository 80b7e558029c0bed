// The writer: the one thread that owns log, index and rings. A write goes through it in the order
// of its functions: collect (take, check, give a sequence, prepare the reply), append, sync, index,
// publish, release, wake. What needs no disk is done beside a sync: the index is changed, where
// nobody looks before the publish, and the clients of the batch before are woken.
//
// Nothing here logs; counters tell. It waits for the disk, and for nobody else (I8).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/os/poller.hpp"
#include "common/os/process.hpp"
#include "common/os/spin.hpp"
#include "common/wire/request.hpp"
#include "daemon/batch.hpp"
#include "daemon/commit_check.hpp"
#include "daemon/quota.hpp"
#include "daemon/request_group.hpp"
#include "daemon/room.hpp"
#include "daemon/session.hpp"
#include "daemon/writer_parts.hpp"

namespace dfs::daemon {

/// Threads: start, stop, join by main; add, kick by main; all else is its own thread's.
class Writer {
 public:
  /// `on_news`: a client was dropped, or somebody waits for a publish; called from the writer.
  static Result<std::unique_ptr<Writer>> make(WriterParts parts, WriterStart start,
                                              std::function<void()> on_news);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Starts the thread and returns when its death word is set: before that, no hello is answered.
  Result<void> start();
  /// Finishes the batch, seals the log with a stop line, ends.
  void stop();
  /// Waits for the end.
  WriterEnd join();
  [[nodiscard]] bool ended() const { return ended_.load(std::memory_order_acquire); }

  void add(std::shared_ptr<Session> session);
  /// Looks again at who is leaving.
  void kick();
  /// While somebody waits for a sequence, every publish is news.
  void watch_publishes(bool on) { publishes_watched_.store(on, std::memory_order_seq_cst); }
  /// Whether commits say in the log who made them, from the next on.
  void record_origins(bool on) { record_origins_.store(on, std::memory_order_relaxed); }
  /// Looks again at what the compactor wants.
  void wake() { event_.ring(); }
  /// From the syncer: its sync failed.
  void fail();

 private:
  Writer(WriterParts parts, WriterStart start, std::function<void()> on_news, os::Poller poller,
         os::Event event);
  struct Candidate {
    const wire::CommitRequest& request;
    std::string_view origin;
    std::uint32_t connection;
    index::Location likely;  // as in CommitCheck::Question
  };

  void run();
  Result<void> loop();
  Result<void> commit_hand_written();
  [[nodiscard]] Error hand_written_left(std::string_view why) const;
  [[nodiscard]] Result<void> forget_hand_written();
  void admit_and_dismiss();
  void dismiss(std::size_t index);
  [[nodiscard]] bool anything_to_do();
  void wait_for_work();

  // Between two batches.
  [[nodiscard]] Result<void> take_turn();
  [[nodiscard]] bool must_wait_for_compactor();
  void wait_for_compactor();
  [[nodiscard]] Checkpoint checkpoint(os::Monotonic::time_point time) const;
  void note_checkpoint();

  // Collect: writer_collect.cpp.
  [[nodiscard]] Result<bool> collect();
  [[nodiscard]] Result<void> collect_from(Session& session);
  [[nodiscard]] Result<void> take(Session& session, const RequestGroup::Taken& taken);
  [[nodiscard]] Result<std::optional<wire::Refusal>> accept(const Candidate& candidate);
  void will_answer(Session& session);
  void refuse(Session& session, std::uint64_t number, const wire::Refusal& refusal);
  void count(const wire::Refusal& refusal);
  void count_received();

  // Commit: writer_commit.cpp.
  [[nodiscard]] Result<void> commit();
  [[nodiscard]] Result<void> cut_back();
  [[nodiscard]] Result<void> refuse_batch(const Error& error);
  [[nodiscard]] Result<void> sync_batch();
  void index_batch();
  void publish();
  void release();
  /// Those of them who sleep. Before anything that takes long, but for a sync: beside that.
  void wake_answered();
  [[nodiscard]] Result<void> rewrite_go_file();
  [[nodiscard]] Result<void> sync_if_due();
  [[nodiscard]] Result<void> mark_if_idle();
  [[nodiscard]] Result<void> seal();
  void refuse_everything();
  void count_state();

  // After a second of idleness the log says how far it is known to be synced, so that whoever edits
  // or copies it then is told of any damage.
  static constexpr std::chrono::seconds kIdleBeforeMark{1};

  // Constant after construction.
  WriterParts parts_;
  const std::function<void()> on_news_;
  const bool durable_;

  // Shared with main.
  // The kernel reads it when the thread ends: it outlives that.
  std::unique_ptr<os::DeathWord> death_word_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};
  std::atomic<bool> ended_{false};
  std::atomic<bool> publishes_watched_{false};
  std::atomic<bool> record_origins_;
  std::atomic<bool> news_for_writer_{false};
  os::Event event_;
  // Guarded by mutex_.
  std::mutex mutex_;
  std::vector<std::shared_ptr<Session>> arriving_;

  // Writer thread only.
  WriterStart begin_;
  WriterEnd end_;
  os::Poller poller_;
  os::Spin spin_;
  bool event_rang_ = true;  // since it was drained, as far as `poller_` has said
  std::vector<std::shared_ptr<Session>> sessions_;
  std::size_t first_turn_ = 0;
  Quota quota_;
  Batch batch_;
  CommitCheck check_;
  CommitPlan plan_;
  Room room_;
  RequestGroup group_;
  std::vector<Session*> answered_;  // who has unreleased replies
  std::vector<Session*> asleep_;    // released to, and still to be woken
  std::uint64_t last_;              // the last sequence given
  std::uint64_t published_;         // the last sequence published
  std::uint64_t next_;
  bool marked_ = true;  // nothing was committed since the last mark
  os::Monotonic::time_point last_commit_at_;
};

}  // namespace dfs::daemon
