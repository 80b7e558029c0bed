// The commands backup and restore: everything a store holds in one file, and a store made from it.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace dfs::cli {

struct BackupCommandOptions {
  std::string file;      ///< "-": standard output
  bool replace = false;  ///< a file that stands there
};
/// While the store runs; starts its daemon if none does.
[[nodiscard]] Result<int> backup(const BackupCommandOptions& options, const Common& common,
                                 Output& output);

struct RestoreCommandOptions {
  std::string file;
  std::string into;  ///< the log to make
};
/// Without a daemon.
[[nodiscard]] Result<int> restore(const RestoreCommandOptions& options, const Common& common,
                                  Output& output);

}  // namespace dfs::cli
