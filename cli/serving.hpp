// The stores that are served on this machine, and the command that lists them: stores.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace dfs::cli {

/// A store that has a daemon. Plain data.
struct Serving {
  std::string address;  ///< what to say behind -s: a name or a path
  /// The daemon's own description of itself, a JSON object; empty where it does not let us ask, or
  /// does not answer in time.
  std::string info;
  std::string state;  ///< "live", or why there is no description
};

/// Names in /run/dfs and $XDG_RUNTIME_DIR/dfs, and the logs of daemons that run here and that we
/// may see. Each was asked, for at most `patience`; none is started.
[[nodiscard]] std::vector<Serving> served_stores(std::chrono::milliseconds patience);

[[nodiscard]] Result<int> stores(const Common& common, Output& output);

}  // namespace dfs::cli
