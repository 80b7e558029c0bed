// A command of dfsctl as the command line asked for it: what every command gets, and what it gives.
#pragma once

#include <functional>
#include <string>

#include "cli/output.hpp"
#include "common/base/result.hpp"

namespace dfs {
class Transaction;
}  // namespace dfs

namespace dfs::cli {

/// What all commands share. Plain data.
struct Common {
  std::string address;  ///< of the store; empty where neither --store nor $DFS_STORE gave one
  bool json = false;    ///< results and errors are for programs
  /// The transaction that the command is a part of, or null: it reads and writes there alone.
  Transaction* transaction = nullptr;
};

/// Runs a command: its data goes to the output; the exit code, or the error that ends it.
using Command = std::function<Result<int>(const Common&, Output&)>;

}  // namespace dfs::cli
