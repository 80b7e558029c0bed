// The interactive mode: dfsctl's commands at a prompt, on one store, and transactions by hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace dfs::cli {

/// Reads commands until the input ends. At a terminal an error is shown and the next line is read;
/// elsewhere the first one ends it, with its exit code.
[[nodiscard]] Result<int> shell(const Common& common, Output& output);

/// A line as words. Quotes and backslashes are taken off as a shell does; but where JSON stands,
/// behind the key of set and patch, it is taken as it is: set a {"b": "c d"}.
[[nodiscard]] std::vector<std::string> shell_words(std::string_view line);

}  // namespace dfs::cli
