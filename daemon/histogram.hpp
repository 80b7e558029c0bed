// How often something was how large: counts by powers of two.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace dfs::daemon {

/// Threads: one at a time adds, any reads; relaxed, since no number depends on another. No locks,
/// no memory but its own: it stands on the commit path.
class Histogram {
 public:
  /// Bucket i counts values below 2^i that are not below 2^(i-1); bucket 0 the zeros. The last one
  /// takes whatever is larger.
  static constexpr std::size_t kBuckets = 40;

  void add(std::uint64_t value) noexcept {
    bump(buckets_.at(std::min<std::size_t>(std::bit_width(value), kBuckets - 1)), 1);
    bump(sum_, value);
    if (value > max()) max_.store(value, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t count_in(std::size_t bucket) const noexcept {
    return buckets_.at(bucket).load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_.load(std::memory_order_relaxed); }

 private:
  using Count = std::atomic<std::uint64_t>;
  /// One thread at a time writes, so no read-modify-write.
  static void bump(Count& count, std::uint64_t by) noexcept {
    count.store(count.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::array<Count, kBuckets> buckets_{};
  Count sum_{0};
  Count max_{0};
};

}  // namespace dfs::daemon
