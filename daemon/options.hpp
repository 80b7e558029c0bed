// What a daemon is told: its store, and its settings. Plain data, filled from the defaults, the
// config (config.hpp) and the command line, each over the one before.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/limits.hpp"
#include "daemon/principal.hpp"
#include "daemon/quantity.hpp"

namespace dfs::daemon {

struct Setting;

enum class Durability : std::uint8_t {
  durable,  ///< fdatasync before publish and reply
  written,  ///< the kernel has it; synced every sync_interval
};

/// Of those that whoever starts a daemon hands on.
inline constexpr int kNoDescriptor = -1;

struct Options {
  std::string store;  ///< path of the log, resolved

  // Settings: setting.cpp says of each what it means, its bounds and whether it changes at run
  // time.
  std::string socket;  ///< where to listen; empty: beside the log
  Durability durability = Durability::durable;
  std::chrono::milliseconds sync_interval{100};
  std::chrono::milliseconds compaction_interval{60'000};
  std::uint64_t compaction_garbage = std::uint64_t{64} << 20;  ///< less is not worth it
  std::chrono::milliseconds feed_retention{600'000};
  std::chrono::milliseconds snapshot_ttl{60'000};
  std::chrono::milliseconds idle_exit{0};  ///< 0: never
  std::uint64_t memory_limit = std::uint64_t{4} << 30U;
  std::uint64_t queue_bytes = kMaxReceivedBytes;
  std::vector<Principal> readers;  ///< empty: the log's owner and mode decide
  std::vector<Principal> writers;
  bool record_origins = false;
  std::string log_level = "info";
  std::string log_file;  ///< empty: standard error
  std::uint64_t log_file_size = std::uint64_t{10} << 20U;
  std::uint64_t log_file_count = 5;

  // How a client starts a daemon; see docs/design.md, "Automatic start".
  bool detach = false;
  int ready_fd = kNoDescriptor;
  int lock_fd = kNoDescriptor;
};

/// A setting that the command line names, as it was written there.
struct GivenSetting {
  const Setting* setting = nullptr;
  std::string text;
};

enum class Task : std::uint8_t { serve, check_config, print_config };

struct ParsedOptions {
  Options options;  ///< the defaults, and the command line over them
  std::vector<GivenSetting> given;
  std::string config;  ///< the file named there, or empty
  Task task = Task::serve;
  bool finished = false;  ///< --help or --version was answered, or something is wrong
  int exit_code = 0;
};

/// Reads the command line. Prints what --help and --version ask for, and what is wrong with the
/// rest.
ParsedOptions parse_options(const std::vector<std::string>& arguments);

}  // namespace dfs::daemon
