// What the writer did, in numbers: the only thing the commit path says. Read by `info`.
#pragma once

#include <atomic>
#include <cstdint>

#include "daemon/histogram.hpp"

namespace dfs::daemon {

/// Threads: the writer adds, any reads; relaxed, since no number depends on another.
struct Counters {
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> records{0};
  std::atomic<std::uint64_t> batches{0};
  std::atomic<std::uint64_t> refusals{0};
  std::atomic<std::uint64_t> mismatches{0};
  std::atomic<std::uint64_t> conflicts{0};
  std::atomic<std::uint64_t> withdrawn{0};
  std::atomic<std::uint64_t> syncs{0};
  std::atomic<std::uint64_t> dropped_clients{0};
  // Of the syncs, microseconds; of the batches, commits and bytes of log.
  Histogram sync_us;
  Histogram batch_commits;
  Histogram batch_bytes;
  // Received from clients and not yet committed, now.
  std::atomic<std::uint64_t> received_bytes{0};
  // The state of the index after the last batch.
  std::atomic<std::uint64_t> live_keys{0};
  std::atomic<std::uint64_t> live_bytes{0};
  std::atomic<std::uint64_t> used_bytes{0};
  std::atomic<std::uint64_t> log_bytes{0};

  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t n = 1) {
    counter.fetch_add(n, std::memory_order_relaxed);
  }
};

}  // namespace dfs::daemon
