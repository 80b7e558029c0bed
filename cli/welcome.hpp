// What dfsctl shows to a person who said nothing: the first commands, and the stores there are.
#pragma once

#include "cli/command.hpp"

namespace dfs::cli {

[[nodiscard]] Result<int> welcome(const Common& common, Output& output);

}  // namespace dfs::cli
