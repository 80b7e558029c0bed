// One compaction: the next log and the next generation, filled beside the ones in use from a
// snapshot, brought up to date, and put in their place between two batches.
//
// The next log is a first line, one line for each live key, a base line, and then the old log from
// the snapshot's end on, byte for byte. Until the rename any failure leaves everything as it was;
// from the rename on it is one of a sync (I9).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/checkpoint.hpp"
#include "daemon/commit_check.hpp"
#include "daemon/generations.hpp"
#include "daemon/ledger.hpp"
#include "daemon/log_file.hpp"
#include "daemon/pace.hpp"
#include "daemon/syncer.hpp"

namespace dfs::daemon {

/// Threads: everything by the compactor's, but hand_over by the writer's, in turn.
class Compaction {
 public:
  /// What it works on; all of it outlives it.
  struct Parts {
    Generations& generations;
    LogFile& log;
    const Ledger& ledger;
    std::string store_id;
    VersionFloors floors;
    std::uint64_t live_keys = 0;  ///< about
    Pace& pace;
    std::atomic<bool>& stopping;  ///< set: give up soon
  };
  Compaction(const Parts& parts, const Checkpoint& begin) : parts_(parts), begin_(begin) {}
  ~Compaction();
  Compaction(const Compaction&) = delete;
  Compaction& operator=(const Compaction&) = delete;

  /// Writes the base. Reads the current generation as any reader does.
  [[nodiscard]] Result<void> fill();
  /// Copies what came up to `to`, and tells the pace how far it is.
  [[nodiscard]] Result<void> catch_up(const Checkpoint& to);
  /// Syncs what was copied.
  [[nodiscard]] Result<void> sync() const;
  /// Bytes of the log between what was copied and `to`.
  [[nodiscard]] std::uint64_t behind(const Checkpoint& to) const {
    return to.log_end - copied_.log_end;
  }

  struct Handed {
    bool done = false;  ///< false: everything is as it was, `why` says why
    Error why = errc::system;
    VersionFloors floors;
  };
  /// The rest, the rename, the switch. On the writer's thread, between two batches; `now` is that
  /// point. An error is one of a sync.
  [[nodiscard]] Result<Handed> hand_over(const Checkpoint& now, Syncer& syncer,
                                         Checkpoints& checkpoints);

  /// Those of the next log. Requires: filled.
  [[nodiscard]] VersionFloors floors() const { return floors_; }

  // For whoever watches it; any thread.
  [[nodiscard]] std::uint64_t records_done() const { return done_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t records_all() const { return all_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] Result<void> open_file();
  [[nodiscard]] Result<void> write_base();
  [[nodiscard]] Result<void> write(std::string_view bytes);
  [[nodiscard]] Result<void> flush_if_large();
  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<void> copy(const Checkpoint& to);
  [[nodiscard]] Result<void> copy_bytes(std::uint64_t to);
  [[nodiscard]] Result<void> copy_records(const Checkpoint& to);
  [[nodiscard]] Result<void> add(const index::RecordHeader& record, bool in_base);
  /// Puts into the next index what add() has gathered.
  [[nodiscard]] Result<void> add_gathered();
  [[nodiscard]] Result<void> rename_into_place();

  // Constant after construction.
  const Parts parts_;
  const Checkpoint begin_;

  std::shared_ptr<Generation> next_;
  os::File file_;
  std::optional<os::File> old_log_;  // once it was replaced
  std::string buffer_;
  std::vector<index::NewRecord> gathered_;  // views of the generation that is copied
  std::uint64_t written_ = 0;               // bytes of the file, without buffer_
  std::uint64_t read_to_ = 0;               // of the old log, from begin_ on
  Checkpoint tail_begin_;                   // begin_ as it lies in the new log and index
  Checkpoint copied_;
  std::uint64_t feed_at_ = 0;  // the place in the old generation's feed behind copied_
  VersionFloors floors_;
  bool in_background_ = true;  // false: the writer waits
  bool renamed_ = false;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::uint64_t> all_{0};
};

}  // namespace dfs::daemon
