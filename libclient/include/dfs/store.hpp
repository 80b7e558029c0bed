// A store that many processes share: opening it, reading it, changing it.
//
//     auto store = dfs::Store::open("users.db").value();
//     store.set("user123", R"({"name":"Alice"})").value();
//     dfs::Snapshot snap = store.snapshot();
//     if (auto e = snap.get("user123")) std::cout << e->value << '\n';
#pragma once

#include <dfs/batch.hpp>
#include <dfs/committed.hpp>
#include <dfs/entry.hpp>
#include <dfs/error.hpp>
#include <dfs/expect.hpp>
#include <dfs/export.hpp>
#include <dfs/limits.hpp>
#include <dfs/options.hpp>
#include <dfs/pending.hpp>
#include <dfs/position.hpp>
#include <dfs/range.hpp>
#include <dfs/result.hpp>
#include <dfs/snapshot.hpp>
#include <dfs/transaction.hpp>
#include <dfs/watch.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace DFS_API dfs {

namespace client {
class Core;
}  // namespace client

enum class StoreState : std::uint8_t {
  live,    ///< A daemon serves it.
  stale,   ///< Nobody does; reads go on from its last state, commits look for a daemon.
  closed,  ///< `close()` was called.
  forked,  ///< This is a child of the process that opened it; `reopen()` connects anew.
};

/// A handle on one store. It follows the store from daemon to daemon by itself; only a log put in
/// place of another (another store id) is refused. What it gives may outlive it. The library starts
/// no thread and touches no signal. Threads: any, all at once, but
/// for `reopen`.
class Store {
 public:
  /// Connects to the store at an address: a path of a log (`users.db`, `./users`), whose daemon is
  /// started if none runs and the options allow it; a path of a socket or of the directory that
  /// holds one; or a name without slash and dot, of a store that the system runs.
  /// no_store, no_daemon, not_permitted, damaged, incompatible and the like say what stands in the
  /// way, and the text says what helps.
  [[nodiscard]] static Result<Store> open(std::string_view address, Options options = {});

  Store(Store&& other) noexcept;
  Store& operator=(Store&& other) noexcept;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store();

  /// The store as it is now: holds every commit acknowledged to anybody before the call, or says
  /// that it is stale. No lock, no system call while the daemon lives; never fails itself.
  [[nodiscard]] Snapshot snapshot() const;
  /// A copy of what stands under a key now. absent where nothing does.
  [[nodiscard]] Result<Value> get(std::string_view key) const;

  /// Sets a key to a value, JSON text, as a commit of its own. version_mismatch where it was not as
  /// expected; bad_key, bad_value, too_large where the arguments break a rule; timeout, busy,
  /// daemon_gone: nothing was written; unknown: ask `resolve`.
  [[nodiscard]] Result<Committed> set(std::string_view key, std::string_view value,
                                      const WriteOptions& options = {});
  [[nodiscard]] Result<Committed> set(std::string_view key, std::string_view value, Expect expect);
  /// Erases a key. One that is absent is no error: version 0, and nothing is written.
  [[nodiscard]] Result<Committed> erase(std::string_view key, const WriteOptions& options = {});
  [[nodiscard]] Result<Committed> erase(std::string_view key, Expect expect);

  /// Hands several writes over as one commit and does not wait for the outcome, only for room in
  /// the queue, or for a daemon, where there is none. Whatever is wrong with it is answered by
  /// `Pending::wait`; busy beyond `kMaxInFlight` of them.
  [[nodiscard]] Pending submit(const Batch& batch, const CommitOptions& options = {});

  /// A transaction on the store as it is now. Costs no more than a snapshot.
  [[nodiscard]] Transaction begin(const TransactionOptions& options = {});
  /// Runs `f(Transaction&)` and commits, again from the start after a conflict, with back-off,
  /// until the timeout has passed. `f` returns nothing (commit), a bool (false: roll back; the
  /// sequence answered is 0), or a Result, whose error rolls back and is answered. It may run
  /// several times, so it must change nothing outside but at its end. What it throws passes
  /// through, and nothing is written.
  template <class F>
  [[nodiscard]] Result<Committed> transact(F&& f, const TransactionOptions& options = {}) {
    using Outcome = std::invoke_result_t<F&, Transaction&>;
    return transact_with(
        [&f](Transaction& tx) -> Result<bool> {
          if constexpr (std::is_void_v<Outcome>) {
            f(tx);
            return true;
          } else if constexpr (std::is_same_v<Outcome, bool>) {
            return f(tx);
          } else {
            auto outcome = f(tx);
            if (!outcome) return std::move(outcome).error();
            if constexpr (std::is_same_v<Outcome, Result<bool>>) return *outcome;
            return true;
          }
        },
        options);
  }

  /// Follows the changes of the keys that begin with `prefix`, behind the position `after`; without
  /// one, from now on. compacted where what follows that position is not there any more, or it is
  /// of another store: begin with a snapshot, and watch from its position.
  [[nodiscard]] Result<Watch> watch(std::string_view prefix = {},
                                    const std::optional<Position>& after = std::nullopt) const;

  /// Waits until a commit, and all before it, are on disk; where they are, as always in a store
  /// whose durability is `durable`, it returns at once. compacted where the store has no such
  /// commit: it was lost in a crash, or never given.
  [[nodiscard]] Result<void> sync(std::uint64_t sequence) const;
  /// What became of a commit whose answer was lost: `Error::commit()` of errc::unknown. Waits for
  /// its batch. One that was lost in a crash is not_committed; compacted where the id is of another
  /// store, bad_argument where it is none.
  [[nodiscard]] Result<Resolution> resolve(std::string_view commit) const;

  [[nodiscard]] StoreState state() const noexcept;
  /// A descriptor for poll and epoll: readable when answers or changes may have come; then ask
  /// `ready()` of every Pending and `next(0ms)` of every Watch, until that answers timeout. With
  /// neither it is not. The same for the life of this handle. -1 in a child.
  int fd() const;  // NOLINT(modernize-use-nodiscard)
  /// The absolute path or name that was opened.
  [[nodiscard]] std::string address() const;

  /// Connects anew: in a child of fork, or after `close()`. What the handle gave before stays what
  /// it is, but `fd()` is another. Threads: alone, while no other call on this handle runs.
  [[nodiscard]] Result<void> reopen();
  /// Ends the connection; every later call answers closed. What is in flight is answered unknown
  /// where the daemon had taken it, else closed, and is not written. Snapshots stay good.
  void close() noexcept;

 private:
  friend class Admin;
  explicit Store(std::shared_ptr<client::Core> core) noexcept;
  [[nodiscard]] Result<Committed> transact_with(const std::function<Result<bool>(Transaction&)>& f,
                                                const TransactionOptions& options);

  std::shared_ptr<client::Core> core_;
};

}  // namespace dfs
