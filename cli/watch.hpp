// The command that follows a store: watch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/command.hpp"

namespace dfs::cli {

struct WatchOptions {
  std::string prefix;
  std::optional<std::string> since;  ///< a position, or a sequence of this store
  bool snapshot = false;             ///< first what is there
  std::optional<std::uint64_t> count;
};
/// Prints each change as it comes, until so many came, or for ever.
[[nodiscard]] Result<int> watch(const WatchOptions& options, const Common& common, Output& output);

}  // namespace dfs::cli
