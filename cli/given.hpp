// What was given for an option or an argument, as it stood on the command line.
//
// The parser takes some words apart or for its own: [a,b] where several may stand, ++. They pass it
// behind a byte that it knows nothing of. Options are read by their raw results, never converted.
#pragma once

#include <CLI/Option.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace dfs::cli {

constexpr char kGuard = '\x01';

/// A word as the parser may see it.
[[nodiscard]] std::string guarded(const std::string& word);

[[nodiscard]] std::vector<std::string> all_given(const CLI::Option* option);
/// The last one; nothing where there was none.
[[nodiscard]] std::optional<std::string> given(const CLI::Option* option);
[[nodiscard]] Result<std::optional<std::uint64_t>> number(const CLI::Option* option);
/// What -i takes: 1, or 0.1.
[[nodiscard]] Result<std::chrono::milliseconds> seconds(const std::string& text);

}  // namespace dfs::cli
