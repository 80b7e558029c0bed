// Walking the keys of a snapshot in shared memory.
#pragma once

#include <dfs/snapshot.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "common/index/cursor.hpp"
#include "libclient/generation.hpp"
#include "libclient/source.hpp"

namespace dfs::client {

/// Threads: one at a time. Valid while the snapshot that holds the generation is.
class SnapshotWalk final : public Walk {
 public:
  SnapshotWalk(const Generation& generation, std::uint64_t sequence, Bounds bounds);
  SnapshotWalk& operator=(const SnapshotWalk&) = delete;
  [[nodiscard]] std::unique_ptr<Walk> copy() const override;

  [[nodiscard]] bool first() override;
  [[nodiscard]] bool last() override;
  [[nodiscard]] bool next() override;
  [[nodiscard]] bool prev() override;
  [[nodiscard]] Error problem() const override { return problem_; }

 private:
  SnapshotWalk(const SnapshotWalk& other) = default;
  /// Where a move has come to: an entry, one beyond the bounds, or none that counts.
  enum class Stood : std::uint8_t { within, outside, nowhere };

  /// Makes a move of the cursor, again with a larger mapping where that is needed.
  template <index::Way way, class Move>
  [[nodiscard]] bool make(Move move);
  template <index::Way way, class Move>
  [[nodiscard]] bool make_again(Move move);
  template <index::Way way>
  [[nodiscard]] Stood stand() noexcept;
  [[nodiscard]] bool ended(Error problem) noexcept;

  const Generation& generation_;
  const std::uint64_t sequence_;
  const Bounds bounds_;
  std::optional<index::Cursor> cursor_;
  Error problem_{errc::absent};
};

/// A walk that gives nothing but an error.
class FailedWalk final : public Walk {
 public:
  explicit FailedWalk(Error error) : error_(std::move(error)) {}
  [[nodiscard]] std::unique_ptr<Walk> copy() const override {
    return std::make_unique<FailedWalk>(error_);
  }
  [[nodiscard]] bool first() override { return false; }
  [[nodiscard]] bool last() override { return false; }
  [[nodiscard]] bool next() override { return false; }
  [[nodiscard]] bool prev() override { return false; }
  [[nodiscard]] Error problem() const override { return error_; }

 private:
  const Error error_;
};

/// A walk over a snapshot, or over its error.
[[nodiscard]] std::unique_ptr<Walk> make_walk(const Generation* generation, std::uint64_t sequence,
                                              const Error& error, Bounds bounds);

/// What stands in a record. Requires: a lookup or cursor found it; look() afterwards.
[[nodiscard]] inline Entry entry_from(const index::RecordHeader& record) noexcept {
  return {record.key(), record.value(), record.version, record.sequence, record.time_ms};
}

/// What a call answers for an outcome that is neither found nor absent.
[[nodiscard]] Error error_from(index::Outcome outcome, const Generation& generation);

}  // namespace dfs::client
