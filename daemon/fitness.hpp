// Whether a file may be a store's log: each refusal says what helps.
#pragma once

#include <string>
#include <vector>

#include "common/os/file.hpp"

namespace dfs::daemon {

/// unsupported where a file system keeps no promise.
[[nodiscard]] Result<void> check_file_system(const std::string& path);

/// Opens the log that is there for writing.
[[nodiscard]] Result<os::File> open_log(const std::string& path, const os::FileStatus& there);

/// Refuses what a log may not be: a second name lets a rename part the two, another's daemon could
/// not keep owner and mode (root's can), and some file systems keep no promise. A second name that
/// an interrupted rewrite left goes, with a notice.
[[nodiscard]] Result<void> check_log(const os::File& file, std::vector<std::string>& notices);

/// Locks the log itself: its lock file may have been taken away, or stand elsewhere for whoever
/// came by another path. Waits for a holder that is ending.
[[nodiscard]] Result<void> lock_log(const os::File& file);

}  // namespace dfs::daemon
