// For the tests of programs that use dfs: a store of a test's own, and the ways in which a daemon
// fails that a program cannot bring about by itself. docs/testing.md shows each.
//
//     auto temporary = dfs::testing::TemporaryStore::make().value();
//     auto store = temporary.open().value();
//     temporary.pause().value();
//     assert(store.set("a", "1", {.timeout = 50ms}).error() == dfs::errc::timeout);
#pragma once

#include <dfs/export.hpp>
#include <dfs/options.hpp>
#include <dfs/result.hpp>
#include <dfs/store.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace DFS_API dfs {
namespace testing {

/// A store in a directory of its own under $TMPDIR, served by a daemon of its own: the installed
/// dfsd, in which no fault is planted; what goes wrong goes wrong from outside. Both end with it.
/// When the test is killed, the daemon ends within seconds, and the directory stays.
///
/// The handles it opens start no daemon. Its own connection, under the origin "dfs-testing", is
/// among the clients. In a child of fork it does nothing. Threads: one at a time; its handles, as
/// Store.
class TemporaryStore {
 public:
  /// Starts the daemon and returns when it serves. What is left out of `daemon`: `written`, since
  /// nothing of it survives the test; 64 MiB of memory, so that it is quickly full; and a
  /// `snapshot_ttl` of 1 ms, so that `revoke_snapshots` need not wait. `socket` and `idle_exit` are
  /// its own, whatever is said of them.
  [[nodiscard]] static Result<TemporaryStore> make(DaemonOptions daemon = {});
  TemporaryStore(TemporaryStore&& other) noexcept;
  TemporaryStore& operator=(TemporaryStore&& other) noexcept;
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;
  ~TemporaryStore();

  /// The path of its log: an address for any program.
  [[nodiscard]] const std::string& path() const noexcept;
  [[nodiscard]] Result<Store> open(Options options = {}) const;
  /// What its daemons have said so far, for the message of a failing test.
  [[nodiscard]] std::string said() const;

  /// SIGKILL; returns when the daemon is gone. Handles answer daemon_gone, and read on.
  void kill() noexcept;
  /// SIGTERM; returns when the daemon has closed the store.
  [[nodiscard]] Result<void> stop();
  /// Starts the next daemon, after a SIGKILL where one runs, and returns when it serves. Handles go
  /// on with it.
  [[nodiscard]] Result<void> restart();
  /// SIGSTOP, until `resume`: calls that need the daemon time out, reads go on.
  [[nodiscard]] Result<void> pause();
  [[nodiscard]] Result<void> resume();

  /// The log can no longer be written: the next commit is taken and never acknowledged, and the
  /// daemon ends, as after a failed sync. The caller is told unknown; after `restart`, `resolve`
  /// says not_committed.
  [[nodiscard]] Result<void> fail_next_commit();
  /// The log may grow by `bytes` more: a commit that needs more is refused store_full (errno
  /// EFBIG), smaller ones go on. Until `make_room`. bad_argument below 65536, which the daemon's
  /// own lines need.
  [[nodiscard]] Result<void> limit_log(std::uint64_t bytes);
  /// Fills the store's memory, with keys that begin with "~", until nothing more can be set: each
  /// is refused store_full. Reading and erasing go on.
  [[nodiscard]] Result<void> fill();
  /// Revokes every snapshot taken so far, as a daemon does with old ones when memory is short:
  /// their calls answer snapshot_too_old, and their views turn to NUL bytes. Compacts until that is
  /// so.
  [[nodiscard]] Result<void> revoke_snapshots();
  /// Takes `limit_log` and `fill` back; after the latter with a restart and twice the memory.
  [[nodiscard]] Result<void> make_room();

 private:
  struct State;
  explicit TemporaryStore(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace testing
}  // namespace dfs
