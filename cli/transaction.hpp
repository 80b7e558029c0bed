// The command that makes one commit of many steps: tx.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace dfs::cli {

struct TxOptions {
  std::string file = "-";
};
/// Every line is read before the first step is taken, so that a line that cannot be read changes
/// and creates nothing.
[[nodiscard]] Result<int> tx(const TxOptions& options, const Common& common, Output& output);

}  // namespace dfs::cli
