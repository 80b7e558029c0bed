// The command that brings many keys in: load.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace dfs::cli {

struct LoadOptions {
  std::string file = "-";
  bool replace = false;  ///< what is not in the file goes
  bool atomic = false;   ///< in one commit
};
/// Lines of `dump`, of `list` or of a log, applied in their order. Not atomic: in commits of some
/// thousand lines, and a line that cannot be read ends it there, what came before it loaded.
[[nodiscard]] Result<int> load(const LoadOptions& options, const Common& common, Output& output);

}  // namespace dfs::cli
