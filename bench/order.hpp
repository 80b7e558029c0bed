// What the driver asks a process of the suite to do, and what it answers: a line each.
//
//     get keys=1000000 shape=user distribution=zipf operations=2000000
//     {"operations":2000000,"seconds":0.31,"cpu_seconds":0.31,...}
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "bench/histogram.hpp"
#include "bench/keys.hpp"

namespace dfs::bench {

/// One measurement. Members are named as in the line; what a workload does not need it ignores.
struct Order {
  std::string workload;
  Shape shape = Shape::user;
  Distribution distribution = Distribution::uniform;
  std::uint64_t keys = 0;        ///< those asked for are the numbers below
  std::uint64_t first = 0;       ///< number of the first new key
  std::uint64_t operations = 0;  ///< or, where 0:
  double seconds = 0;            ///< for so long
  std::uint64_t bytes = 120;     ///< of a value
  std::uint64_t seed = 1;
  bool look = true;   ///< at the value that was found
  bool timed = true;  ///< each operation by itself, not only all of them together

  /// Throws std::runtime_error at what it does not know.
  [[nodiscard]] static Order parse(std::string_view line);
};

/// What came of it.
struct Report {
  std::uint64_t operations = 0;
  double seconds = 0;
  double cpu_seconds = 0;      ///< of this process, all threads
  std::uint64_t attempts = 0;  ///< of transactions, those that conflicted included
  std::uint64_t absent = 0;    ///< keys that were asked for and not found
  std::uint64_t sum = 0;       ///< of what was read, so that reading cannot be left out
  std::uint64_t memory = 0;
  double longest_pause_ms = 0;  ///< without an acknowledgement
  Histogram latency;

  [[nodiscard]] std::string json() const;
};

/// Called when everything is prepared; returns when the measurement is to begin, so that several
/// processes begin together.
using Gate = std::function<void()>;

}  // namespace dfs::bench
