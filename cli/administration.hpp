// The commands about a store's daemon: info, clients, ping, compact, stop, sync,
// resolve.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace dfs::cli {

[[nodiscard]] Result<int> info(const Common& common, Output& output);
[[nodiscard]] Result<int> clients(const Common& common, Output& output);

struct PingOptions {
  bool write = false;  ///< its writer, too
};
[[nodiscard]] Result<int> ping(const PingOptions& options, const Common& common, Output& output);

/// Writes log and index anew without garbage; waits, with progress at a terminal.
[[nodiscard]] Result<int> compact(const Common& common, Output& output);
[[nodiscard]] Result<int> stop(const Common& common, Output& output);
/// Waits until all that is committed now is on disk.
[[nodiscard]] Result<int> sync(const Common& common, Output& output);

struct ResolveOptions {
  std::string commit;
};
[[nodiscard]] Result<int> resolve(const ResolveOptions& options, const Common& common,
                                  Output& output);

}  // namespace dfs::cli
