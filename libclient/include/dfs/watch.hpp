// The feed: every change of a store in the order of its commits.
//
//     dfs::Watch watch = store.watch("user/").value();
//     while (auto change = watch.next(std::chrono::hours(1))) use(change->key, change->value);
#pragma once

#include <dfs/export.hpp>
#include <dfs/position.hpp>
#include <dfs/result.hpp>
#include <dfs/snapshot.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace DFS_API dfs {

namespace client {
class Core;
class Follower;
}  // namespace client

/// One change of one key. The views point into shared memory and live until the watch's next
/// `next`, `restart` or end.
struct Change {
  std::string_view key;
  std::string_view value;  ///< JSON text, without white space between its tokens; empty if erased
  bool erased = false;
  std::uint64_t version = 0;
  std::uint64_t sequence = 0;   ///< of its commit
  std::uint64_t time_ms = 0;    ///< when, in ms since 1970; 0 where it is not known
  bool own = false;             ///< written by this handle's connection of the moment
  bool last_of_commit = false;  ///< nothing more of this commit begins with the prefix
};

/// Follows a store: the changes of all keys with a prefix, in commit order, none left out, none
/// twice, whole commits only; across compactions and from daemon to daemon. While it stands it
/// holds what it has not read, as a snapshot does; see `snapshot_ttl` there. Moves, and may outlive
/// its Store. Threads: one at a time; `stop` from any, and from signal handlers.
class Watch {
 public:
  Watch(Watch&& other) noexcept;
  Watch& operator=(Watch&& other) noexcept;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  /// The next change; waits for it so long at the most. Errors:
  /// timeout: there was none. With 0 ms it does not wait for one, and afterwards `Store::fd`
  /// becomes readable when there is one.
  /// daemon_gone: there was none, and nobody serves the store: the watch goes on by itself when
  /// somebody does. It starts no daemon, and meanwhile `Store::fd` tells nothing.
  /// compacted: what follows the position was compacted away, or lost in a crash, or the position
  /// is of another store: `restart`.
  /// stopped: `stop` was called, now or before.
  [[nodiscard]] Result<Change> next(
      std::chrono::milliseconds timeout = std::chrono::milliseconds::max());

  /// Behind the last commit whose changes `next` has all given; moves on when nothing matched, too.
  /// Saved, it is where another watch goes on, of any process and after any restart.
  [[nodiscard]] Position position() const;
  /// Takes a snapshot, from which the watch goes on: what to do after compacted. While a snapshot
  /// is held, a watch from its position is never compacted.
  [[nodiscard]] Snapshot restart();
  /// Whether the change that `next` gave last is good: to be asked after using one for longer than
  /// `snapshot_ttl`. snapshot_too_old: its views may have turned to NUL bytes; `next` goes on.
  [[nodiscard]] Result<void> check() const;
  /// Makes this and every later `next` answer stopped. Safe in signal handlers.
  void stop() noexcept;

 private:
  friend class Store;
  explicit Watch(std::unique_ptr<client::Follower> follower) noexcept;

  std::unique_ptr<client::Follower> follower_;
};

}  // namespace dfs
