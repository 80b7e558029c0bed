#include "bench/histogram.hpp"

namespace dfs::bench {

std::uint64_t Histogram::upper_end(std::size_t bucket) noexcept {
  constexpr std::size_t kFine = std::size_t{1} << kFineBits;
  if (bucket < 2 * kFine) return bucket;
  const std::size_t magnitude = bucket / kFine - 1;
  return ((bucket % kFine + kFine + 1) << magnitude) - 1;
}

std::string Histogram::json() const {
  std::string out = "[";
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    if (out.size() > 1) out += ',';
    out += '[' + std::to_string(upper_end(i)) + ',' + std::to_string(counts_[i]) + ']';
  }
  return out + ']';
}

}  // namespace dfs::bench
