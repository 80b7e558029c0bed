// The commands about a log that need no daemon: check, log, repair.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace dfs::cli {

struct LogFileOptions {
  std::string file;
};
/// Whether a daemon would serve the file as it is. Nothing is changed.
[[nodiscard]] Result<int> check(const LogFileOptions& options, const Common& common,
                                Output& output);
/// Each line of it in words.
[[nodiscard]] Result<int> show_log(const LogFileOptions& options, const Common& common,
                                   Output& output);

struct RepairOptions {
  std::string file;
  std::string into;  ///< the file to be made; nothing may stand there
  bool accept_edits = false;
};
/// Writes what can be saved of a log into a new file; the old one is only read. What is lost is
/// said, line by line.
[[nodiscard]] Result<int> repair(const RepairOptions& options, const Common& common,
                                 Output& output);

}  // namespace dfs::cli
