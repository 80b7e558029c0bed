// Reads from one snapshot, writes kept until commit, and a commit that happens only if what was
// read still holds.
#pragma once

#include <dfs/committed.hpp>
#include <dfs/entry.hpp>
#include <dfs/expect.hpp>
#include <dfs/export.hpp>
#include <dfs/range.hpp>
#include <dfs/result.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace DFS_API dfs {

class Store;

namespace client {
class Core;
class Overlay;
}  // namespace client

/// Serializable, strictly: it takes effect at its commit as if nothing else had happened since it
/// began, ranges that were read included; or not at all (transaction_conflict: begin anew).
///
/// Views it gave live until it ends (commit, rollback, destruction), those of its own writes until
/// it writes that key again. Destroyed without a commit, it is rolled back. Errors of every read:
/// those of Snapshot, and finished after its end. Threads: one at a time.
class Transaction {
 public:
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&& other) noexcept;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  /// What stands under a key: its own write, else what its snapshot holds. absent where nothing
  /// does.
  [[nodiscard]] Result<Entry> get(std::string_view key) &;
  Result<Entry> get(std::string_view key) && = delete;
  /// As Snapshot's, its own writes seen. Only what a loop has stepped over counts as read.
  [[nodiscard]] Range prefix(std::string_view prefix) &;
  Range prefix(std::string_view prefix) && = delete;
  [[nodiscard]] Range range(std::string_view from, std::string_view to) &;
  Range range(std::string_view from, std::string_view to) && = delete;
  [[nodiscard]] Range all() &;
  Range all() && = delete;

  // Each keeps a copy of its arguments. A wrong one (bad_key, bad_value, too_large) is kept for
  // `commit`, which then answers it and writes nothing.

  /// Refuses the commit with version_mismatch unless the key is as expected right before it.
  Transaction& check(std::string_view key, Expect expect);
  /// `value` is JSON text. A key written twice counts once, with the last value; expectations all
  /// count.
  Transaction& set(std::string_view key, std::string_view value, Expect expect = expect_any);
  Transaction& erase(std::string_view key, Expect expect = expect_any);

  /// Makes all its writes happen, or none. transaction_conflict (a key or range that it read has
  /// changed), version_mismatch, transaction_too_large, timeout, unknown and the like say why not;
  /// see `errc`. One that wrote and checked nothing commits without the daemon; unless its snapshot
  /// was stale, since nobody served the store: then it may lack what a daemon had acknowledged, and
  /// the next one is asked (of a handle that only reads it is daemon_gone: begin again). Ends the
  /// transaction in every case.
  [[nodiscard]] Result<Committed> commit();
  /// Ends it; nothing is written. Safe to call at any time.
  void rollback() noexcept;

  /// The sequence of its snapshot.
  [[nodiscard]] std::uint64_t sequence() const noexcept;

 private:
  friend class Store;
  Transaction(std::shared_ptr<client::Core> core,
              std::shared_ptr<client::Overlay> overlay) noexcept;

  std::shared_ptr<client::Core> core_;
  std::shared_ptr<client::Overlay> overlay_;
};

}  // namespace dfs
