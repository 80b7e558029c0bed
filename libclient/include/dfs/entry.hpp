// What reading gives: an entry (views) or a value (a copy).
#pragma once

#include <dfs/export.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace DFS_API dfs {

/// One key as a snapshot or transaction sees it. The two views point into shared memory (or into
/// the transaction, for its own writes) and live as long as what gave them; see there.
struct Entry {
  std::string_view key;
  std::string_view value;      ///< JSON text, without white space between its tokens
  std::uint64_t version = 0;   ///< 1, 2, 3, ... for each key; 0: this transaction's own write
  std::uint64_t sequence = 0;  ///< of the commit that wrote it; 0: this transaction's own write
  std::uint64_t time_ms = 0;   ///< when, in ms since 1970; 0 where it is not known
};

/// A copy of what stood under a key.
struct Value {
  std::string value;  ///< JSON text, without white space between its tokens
  std::uint64_t version = 0;
  std::uint64_t sequence = 0;
  std::uint64_t time_ms = 0;
};

}  // namespace dfs
