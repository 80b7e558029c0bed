// What a program may choose when it opens a store, and for single calls. What the daemon decides
// for everybody stands in its own configuration.
#pragma once

#include <dfs/expect.hpp>
#include <dfs/export.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace DFS_API dfs {

/// When a commit is acknowledged and seen.
enum class Durability : std::uint8_t {
  written,  ///< The kernel has it: survives any crash of ours, not of the machine.
  durable,  ///< It is on disk.
};

/// Whether opening a path may start the store's daemon.
enum class Autostart : std::uint8_t {
  never,
  allowed,  ///< Not for another user's log, in a system service or in a setuid program.
  always,   ///< In a system service too, and by root for another's log.
};

/// Settings of a daemon that this call starts; one that runs already keeps its own. What is left
/// out is the daemon's default.
struct DaemonOptions {
  /// Path of `dfsd`. Empty: `$DFS_DAEMON`, else the one that was installed with the library.
  std::string program = {};
  std::string config = {};                    ///< A file to read instead of `LOG.toml`.
  std::string socket = {};                    ///< Where to listen instead of `LOG.socket`.
  std::optional<Durability> durability = {};  ///< What the store promises.
  std::optional<std::chrono::milliseconds> sync_interval = {};
  std::optional<std::chrono::milliseconds> compaction_interval = {};
  std::optional<std::chrono::milliseconds> feed_retention = {};
  std::optional<std::chrono::milliseconds> snapshot_ttl = {};
  std::optional<std::chrono::milliseconds> idle_exit = {};
  std::optional<std::uint64_t> memory_limit = {};  ///< bytes
  std::optional<std::uint64_t> queue_bytes =
      {};  ///< received and not yet committed, for all clients
  std::string log_level = {};
};

struct Options {
  /// Whether a log that does not exist may be made. Reading alone never makes one.
  bool create = true;
  Autostart autostart = Autostart::allowed;
  /// Every mutation answers `read_only`; the log need only be readable.
  bool read_only = false;
  /// What this client's commits ask for where the call says nothing; never less than the store's.
  Durability durability = Durability::written;
  /// How long a call waits for its answer.
  std::chrono::milliseconds timeout = std::chrono::seconds(5);
  /// How long opening, and a commit within its timeout, wait for a daemon that is not there and may
  /// not be started. 0: `no_daemon` or `daemon_gone` at once.
  std::chrono::milliseconds wait_for_daemon = std::chrono::milliseconds(0);
  /// A name for who writes: printable ASCII, at most `kMaxOriginBytes`.
  std::string origin = {};
  /// Told of what a caller does not see: that a daemon is started, that the next one was found.
  /// Called by the thread whose call does it; must not call the store.
  std::function<void(std::string_view)> logger = {};
  DaemonOptions daemon = {};
};

/// What one `set` or `erase` may choose.
struct WriteOptions {
  Expect expect = expect_any;
  std::optional<Durability> durability =
      std::nullopt;  ///< more than the store promises, never less
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;
};

/// What one commit of a batch may choose.
struct CommitOptions {
  std::optional<Durability> durability = std::nullopt;
  /// How long `submit` may take to hand it over; `Pending::wait` goes by `Options::timeout`.
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;
};

struct TransactionOptions {
  /// Skips the check of what was read: conflicts are found between writes only by what the
  /// transaction expects of keys.
  bool snapshot_isolation = false;
  std::optional<Durability> durability = std::nullopt;
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;
};

}  // namespace dfs
