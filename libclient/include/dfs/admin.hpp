// Talking to a store's daemon about itself: what `dfsctl info, clients, ping, compact, backup` and
// `stop` do.
#pragma once

#include <dfs/backup.hpp>
#include <dfs/export.hpp>
#include <dfs/result.hpp>
#include <dfs/store.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace DFS_API dfs {

/// The administration of one store, through an open handle, which it keeps alive. Each call is one
/// exchange on the socket within the store's timeout; daemon_gone where nobody serves the store.
/// Threads: any.
class Admin {
 public:
  explicit Admin(const Store& store);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  /// A JSON object: what the daemon is, its limits, sizes, counters.
  [[nodiscard]] Result<std::string> info() const;
  /// A JSON array: who is connected.
  [[nodiscard]] Result<std::string> clients() const;
  /// A JSON object: the daemon's settings as they are in force.
  [[nodiscard]] Result<std::string> settings() const;
  /// The daemon's socket answers.
  [[nodiscard]] Result<void> ping() const;
  /// The daemon's writer answers, and would write: a commit without writes passes through the
  /// queue. store_full where one small record would find no room; writing_stopped.
  [[nodiscard]] Result<void> ping_writer() const;
  /// Writes log and index anew without garbage, and returns when that is done. Everybody goes on
  /// meanwhile. Not within the store's timeout but within `timeout`: it takes its time. timeout: it
  /// goes on. store_full (memory or disk) or system: it failed, nothing was lost. not_permitted for
  /// a handle that only reads.
  [[nodiscard]] Result<void> compact(std::chrono::milliseconds timeout) const;
  /// Writes all that the store holds, as of one commit, into a file, while everybody goes on. The
  /// file is a log of its own that `dfsctl check` and `log` read and `dfs::restore` makes a store
  /// of. Until it is whole and on disk nothing stands there; only its owner may read it.
  /// bad_argument where something does that is not to be replaced; snapshot_too_old where it took
  /// longer than `snapshot_ttl` and memory was short.
  [[nodiscard]] Result<BackedUp> backup(const std::string& file,
                                        const BackupOptions& options = {}) const;
  /// The same bytes, one piece after the other: of a backup that broke off, the last line is
  /// missing, so that no reader takes it for whole.
  [[nodiscard]] Result<BackedUp> backup(const BackupSink& sink,
                                        const BackupOptions& options = {}) const;
  /// Ends the daemon cleanly, as SIGTERM does; returns when it has closed the store. not_permitted
  /// unless the caller is root, the daemon's own user or the log's owner.
  [[nodiscard]] Result<void> stop() const;

 private:
  std::shared_ptr<client::Core> core_;
};

}  // namespace dfs
