// How far two words are from each other, to guess what was meant.
#pragma once

#include <cstddef>
#include <string>

namespace dfs::cli {

/// How many letters must be put in, left out, changed or swapped with their neighbour to make one
/// of the other.
[[nodiscard]] std::size_t edit_distance(const std::string& a, const std::string& b);

}  // namespace dfs::cli
