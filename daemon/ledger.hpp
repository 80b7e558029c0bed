// What became of each sequence: prepared, published, or lost in a gap. The answer to `resolve`.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "common/log/gaps.hpp"

namespace dfs::daemon {

enum class Fate : std::uint8_t {
  committed,      ///< in the log, at or below the last published, in no gap
  in_flight,      ///< its batch is neither published nor refused
  not_committed,  ///< and it never will be
};

/// Threads: prepared(), published() and burnt() by the writer; the rest by any.
class Ledger {
 public:
  Ledger(log::Gaps gaps, std::uint64_t last)
      : prepared_(last), published_(last), gaps_(std::move(gaps)) {}

  /// Sequences up to `sequence` may be in clients' hands from here on. Before their replies can be
  /// seen.
  void prepared(std::uint64_t sequence) { prepared_.store(sequence, std::memory_order_seq_cst); }
  void published(std::uint64_t sequence) { published_.store(sequence, std::memory_order_seq_cst); }
  /// The sequences between were refused, or skipped by a start line: a gap.
  void burnt(log::Gap gap);

  [[nodiscard]] Fate fate(std::uint64_t sequence) const;
  /// True for a sequence of a history that was lost: no snapshot or position at it counts.
  [[nodiscard]] bool lost(std::uint64_t sequence) const;
  /// Those of the whole history so far.
  [[nodiscard]] log::Gaps gaps() const;
  [[nodiscard]] std::uint64_t last_published() const {
    return published_.load(std::memory_order_acquire);
  }

 private:
  std::atomic<std::uint64_t> prepared_;
  std::atomic<std::uint64_t> published_;
  // Guarded by mutex_.
  mutable std::mutex mutex_;
  log::Gaps gaps_;
};

}  // namespace dfs::daemon
