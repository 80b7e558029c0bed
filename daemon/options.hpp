// What a daemon is told: its store, and its settings. Plain data, filled from the command line
// once.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace dfs::daemon {

enum class Durability : std::uint8_t {
  durable,  ///< fdatasync before publish and reply
  written,  ///< the kernel has it; synced every sync_interval
};

struct Options {
  std::string store;   ///< path of the log, resolved
  std::string socket;  ///< where to listen; beside the log unless told otherwise
  Durability durability = Durability::durable;
  std::chrono::milliseconds sync_interval{100};
  std::chrono::milliseconds compaction_interval{60'000};
  std::chrono::milliseconds feed_retention{600'000};
  std::chrono::milliseconds snapshot_ttl{60'000};
  std::chrono::milliseconds idle_exit{0};  ///< 0: never
  std::uint64_t memory_limit = std::uint64_t{4} << 30;
  std::string log_level = "info";
  bool record_origins = false;
  bool read_only_store = false;

  // How a client starts a daemon; see docs/design.md, "Automatic start".
  bool detach = false;
  int ready_fd = -1;
  int lock_fd = -1;
};

struct ParsedOptions {
  Options options;
  bool finished = false;  ///< --help or --version was answered
  int exit_code = 0;
};

/// Reads the command line. Prints what --help and --version ask for, and what is wrong with the
/// rest.
ParsedOptions parse_options(const std::vector<std::string>& arguments);

/// `100ms`, `60s`, `10m`, `2h`; a number alone is refused, since nobody can know its unit.
Result<std::chrono::milliseconds> parse_duration(const std::string& text);
/// `512M`, `4G`, `65536` (bytes), K M G T being powers of 1024.
Result<std::uint64_t> parse_size(const std::string& text);

}  // namespace dfs::daemon
