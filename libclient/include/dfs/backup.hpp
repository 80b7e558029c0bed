// Backups: everything a store holds, as of one commit, in one file; and a store made from such a
// file.
//
//     dfs::Admin(store).backup("users.backup").value();               // while everybody goes on
//     dfs::restore("users.backup", {.into = "users.db"}).value();     // a store of its own
#pragma once

#include <dfs/export.hpp>
#include <dfs/result.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace DFS_API dfs {

struct BackupOptions {
  /// A file that stands there is replaced, when the new one is whole; else it is refused. What is
  /// no regular file (a device, a pipe, a directory), and the log of a store that is served, is
  /// refused either way: bad_argument.
  bool replace = false;
  /// Told from time to time how many records are done.
  std::function<void(std::uint64_t records)> progress = {};
};

/// Takes the bytes of a backup one after the other; an error of its ends the backup.
using BackupSink = std::function<Result<void>(std::string_view bytes)>;

/// What a backup holds. Plain value.
struct BackedUp {
  std::string store;           ///< the id of the store, 32 hex digits
  std::uint64_t sequence = 0;  ///< everything up to this commit
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
};

struct RestoreOptions {
  /// The log to make. Nothing may stand there, and no address may mean something else by it, as it
  /// does by `users.db.socket` or `system:users`.
  std::string into = {};
  /// Told from time to time how many records are done.
  std::function<void(std::uint64_t records)> progress = {};
};

/// The store that a restore made. Plain value.
struct Restored {
  std::string store;           ///< its new id
  std::string from;            ///< the id of the store that was backed up
  std::uint64_t sequence = 0;  ///< of the last commit in the backup
  std::uint64_t records = 0;
  /// Versions of every key go on above this one.
  std::uint64_t versions_above = 0;
};

/// Makes the log of a new store from a backup, every key with its version and time. Needs no
/// daemon. The new store has an id of its own, so no position or commit of the old one means
/// anything in it; and 10^9 sequences and versions are left out behind the backup's, so that what
/// the old store gave after it, in up to so many commits, is not given again.
/// The file is checked wholly before anything is written: damaged names line and offset;
/// bad_argument where it is no backup, or where no log can be made at `into`; not_permitted where
/// it may not be read. Until all of the log is on disk nothing stands there. It gets the mode of
/// the backup, which its owner may change.
[[nodiscard]] Result<Restored> restore(const std::string& file, const RestoreOptions& options);

}  // namespace dfs
