// Time and processor time of a measurement.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

#include "bench/order.hpp"

namespace dfs::bench {

using Clock = std::chrono::steady_clock;

[[nodiscard]] inline std::uint64_t ns_between(Clock::time_point begin, Clock::time_point end) {
  return static_cast<std::uint64_t>((end - begin).count());
}

/// Runs from construction to `finish`.
class Stopwatch {
 public:
  Stopwatch() : cpu_(std::clock()), begin_(Clock::now()) {}
  [[nodiscard]] Clock::time_point begin() const { return begin_; }
  void finish(Report& report) const {
    report.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    report.cpu_seconds = static_cast<double>(std::clock() - cpu_) / CLOCKS_PER_SEC;
  }

 private:
  std::clock_t cpu_;
  Clock::time_point begin_;
};

/// Does `operation(i)` as often or as long as the order says; each is timed if it wants that.
template <class Operation>
void measure(const Order& order, Report& report, const Operation& operation) {
  const Stopwatch watch;
  if (!order.timed && order.operations > 0) {
    for (std::uint64_t i = 0; i < order.operations; ++i) operation(i);
    report.operations = order.operations;
  } else {
    const auto end =
        watch.begin() + std::chrono::duration<double>(order.operations > 0 ? 1e6 : order.seconds);
    auto before = watch.begin();
    for (std::uint64_t i = 0; order.operations == 0 || i < order.operations; ++i) {
      operation(i);
      const auto after = Clock::now();
      report.latency.add(ns_between(before, after));
      ++report.operations;
      before = after;
      if (after >= end) break;
    }
  }
  watch.finish(report);
}

}  // namespace dfs::bench
