// The store as it was after one commit, read straight from shared memory.
#pragma once

#include <dfs/entry.hpp>
#include <dfs/export.hpp>
#include <dfs/position.hpp>
#include <dfs/range.hpp>
#include <dfs/result.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace DFS_API dfs {

namespace client {
class Core;
class Generation;
class SnapshotSource;
}  // namespace client

/// What every key held after one commit; never changes, whatever is written meanwhile. Costs
/// nothing to take and to hold, but while it is held the memory of its generation stays: never
/// revoked in its first `snapshot_ttl` (60 s), later only when memory is short. A revoked one
/// answers snapshot_too_old, never absent, and its views turn to NUL bytes.
///
/// Views it gave live as long as it does; it may outlive its Store. One that could not be taken
/// answers its error in every call. Errors of every call: that one, snapshot_too_old (take a new
/// one), forked. Threads: a const Snapshot, any.
class Snapshot {
 public:
  Snapshot(Snapshot&& other) noexcept;
  Snapshot& operator=(Snapshot&& other) noexcept;
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot();

  /// What stands under a key. absent where nothing does; bad_key for a key that cannot be.
  [[nodiscard]] Result<Entry> get(std::string_view key) const&;
  Result<Entry> get(std::string_view key) const&& = delete;

  /// Several keys at once, faster than one by one: `entries[i]` becomes what `get(keys[i])` gives.
  /// Requires: entries.size() >= keys.size().
  void get_many(std::span<const std::string_view> keys, std::span<Result<Entry>> entries) const&;
  void get_many(std::span<const std::string_view> keys,
                std::span<Result<Entry>> entries) const&& = delete;

  /// The keys that begin with `prefix`, in the order of their bytes.
  [[nodiscard]] Range prefix(std::string_view prefix) const&;
  Range prefix(std::string_view prefix) const&& = delete;
  /// The keys from `from` up to, and without, `to`; an empty `to` is the end of all keys.
  [[nodiscard]] Range range(std::string_view from, std::string_view to) const&;
  Range range(std::string_view from, std::string_view to) const&& = delete;
  [[nodiscard]] Range all() const&;
  Range all() const&& = delete;
  /// The entries that `filter` lets pass, in key order.
  [[nodiscard]] Result<std::vector<Entry>> list(
      const std::function<bool(const Entry&)>& filter) const&;
  Result<std::vector<Entry>> list(const std::function<bool(const Entry&)>& filter) const&& = delete;

  /// Whether what was read so far is good: to be asked after using views of a snapshot held for
  /// longer than `snapshot_ttl`.
  [[nodiscard]] Result<void> check() const;
  /// The sequence of the last commit it holds; 0 for one that could not be taken.
  [[nodiscard]] std::uint64_t sequence() const noexcept;
  /// The place in the store's history behind which a watch goes on from here.
  [[nodiscard]] Position position() const;
  /// True where nobody served the store when it was taken: it may lack the newest commits.
  [[nodiscard]] bool stale() const noexcept;

 private:
  friend class client::Core;
  friend class client::SnapshotSource;
  Snapshot(const client::Generation* generation, std::uint64_t sequence, bool stale) noexcept;
  explicit Snapshot(Error error) noexcept;
  void release() noexcept;
  [[nodiscard]] Range make_range(std::string from, std::string to) const;

  const client::Generation* generation_;  // null: it could not be taken, and error_ says why
  std::uint64_t sequence_ = 0;
  bool stale_ = false;
  Error error_{errc::closed};
};

}  // namespace dfs
