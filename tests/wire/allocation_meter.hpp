// How much operator new gives out, for tests that state a bound on memory. The executable's own
// operators count; see allocation_meter.cpp.
#pragma once

#include <cstddef>

namespace dfs {

/// Counts what this thread allocates while it lives. Not nested.
class AllocationMeter {
 public:
  AllocationMeter() noexcept;
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;
  ~AllocationMeter();

  /// All bytes asked for, given back or not.
  [[nodiscard]] std::size_t total_bytes() const noexcept;
};

}  // namespace dfs
