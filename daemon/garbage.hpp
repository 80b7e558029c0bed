// What memory and disk hold that the next generation would not: how much, whether that is enough to
// compact, and what would free most. All of it is estimated from counters that the writer keeps.
#pragma once

#include <cstdint>
#include <string>

#include "common/os/file.hpp"
#include "common/wire/reply.hpp"
#include "daemon/counters.hpp"
#include "daemon/generations.hpp"
#include "daemon/log_file.hpp"

namespace dfs::daemon {

struct Relief {
  wire::Relief what = wire::Relief::unknown;
  std::uint64_t bytes = 0;
};

/// Refers to what it counts. Threads: any.
class Garbage {
 public:
  Garbage(const Generations& generations, const Counters& counters, const LogFile& log)
      : generations_(generations), counters_(counters), directory_(os::directory_of(log.path())) {}

  /// What the live keys take.
  [[nodiscard]] std::uint64_t live_records() const;
  /// Bytes of the current generation that hold nothing live, what every generation takes among
  /// them.
  [[nodiscard]] std::uint64_t of_current() const;
  /// Of these, what the next generation would not have.
  [[nodiscard]] std::uint64_t dead() const;
  /// Those of the current generation, and the generations that are superseded.
  [[nodiscard]] std::uint64_t all() const;
  /// Whether to compact: half of the index is garbage and no less than `least` bytes, or the disk
  /// soon has no room to.
  [[nodiscard]] bool is_due(std::uint64_t least) const;

  /// What would free most memory.
  [[nodiscard]] Relief memory_relief() const;
  /// Of the log: garbage, as far as it is worth a word.
  [[nodiscard]] Relief disk_relief() const;

 private:
  /// What a copy of the log without garbage would take.
  [[nodiscard]] std::uint64_t copy_bytes() const;
  /// The disk has room for a copy, and soon may not.
  [[nodiscard]] bool disk_is_nearly_too_small() const;

  // Constant after construction.
  const Generations& generations_;
  const Counters& counters_;
  const std::string directory_;  // the log's, whose path is the writer's
};

}  // namespace dfs::daemon
