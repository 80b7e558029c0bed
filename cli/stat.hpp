// The command stat: what a store's daemon does, since its start or from moment to moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "cli/command.hpp"

namespace dfs::cli {

struct StatOptions {
  std::optional<std::chrono::milliseconds>
      interval;                        ///< a line each time; else once, since its start
  std::optional<std::uint64_t> count;  ///< so many lines; else until interrupted
};
[[nodiscard]] Result<int> stat(const StatOptions& options, const Common& common, Output& output);

}  // namespace dfs::cli
