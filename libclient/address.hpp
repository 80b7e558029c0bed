// Where a store is: what the caller wrote, and where its log, its socket and its lock are. The
// first station of every call, and of every reconnection.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace dfs::client {

/// A resolved address. Plain data.
struct Address {
  std::string given;    ///< As the caller wrote it; for texts.
  std::string log;      ///< Absolute path; empty where the address names a socket alone.
  std::string socket;   ///< Absolute path.
  std::string command;  ///< What starts its daemon, for a shell; for texts.

  /// The lock that starter and daemon hold. Requires: a log.
  [[nodiscard]] std::string lock() const { return log + ".lock"; }
  /// The log, or the socket where there is none.
  [[nodiscard]] const std::string& place() const noexcept { return log.empty() ? socket : log; }
};

/// A text without slash and dot (and `system:NAME`, `user:NAME`) is a name: the socket of a store
/// that the system runs. Anything else is a path: of a log, which need not exist, of a socket,
/// which need not either, or of a directory that holds one.
///
/// no_store or no_daemon where nothing can be meant: with what was looked for where, what is there
/// instead, and what helps. Looks at the file system each time: an answer is of the moment.
[[nodiscard]] Result<Address> resolve_address(std::string_view given);

/// Whether a new log may be made at that path and be found there. bad_argument where addresses mean
/// something else by it, with what would be right: a store's name, its socket, a file beside its
/// log; or where the files beside it would have no room for their names.
[[nodiscard]] Result<void> check_new_log(const std::string& given);

/// Whether a text is a name and no path.
[[nodiscard]] bool is_name(std::string_view given);
/// Whether it begins as `system:NAME` or `user:NAME`, and so is one whatever stands behind.
[[nodiscard]] bool is_name_of_unit(std::string_view given);
/// `system:NAME`, `user:NAME`, or NAME alone, which must be one of the two.
[[nodiscard]] Result<Address> resolve_name(std::string_view given);

}  // namespace dfs::client
