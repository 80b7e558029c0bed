// The commands about a log that need no daemon: check, log.
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

}  // namespace dfs::cli
