// What a commit gave: its sequence and the versions it made.
#pragma once

#include <dfs/export.hpp>

#include <cstdint>
#include <vector>

namespace DFS_API dfs {

/// A commit that happened. What it wrote is in every snapshot taken from now on, by any process.
struct Committed {
  /// Its number in the store; 0 where nothing was written (a commit without writes, or that only
  /// erased absent keys).
  std::uint64_t sequence = 0;
  /// The new version of the key written (of several, the first); 0: an absent key was erased.
  std::uint64_t version = 0;
  /// The new version of each key written, in the order in which the commit first wrote them; 0 for
  /// an absent key that was erased.
  std::vector<std::uint64_t> versions;
};

/// What became of a commit whose answer was lost (`errc::unknown`).
enum class Resolution : std::uint8_t {
  committed,      ///< It happened, and is in the store.
  not_committed,  ///< It did not, and never will; it may be submitted again.
};

}  // namespace dfs
