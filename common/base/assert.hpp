// Assertions that stay on in release: our own bug ends the process before it can spread.
//
// A store is better gone than wrong: the log is the truth, and the next start reads it. Invariants
// are numbered (I1 to I11) in docs/design.md; an assertion that guards one names it.
#pragma once

#include <string_view>

namespace dfs {

/// Prints what broke and where to stderr, then aborts.
[[noreturn]] void assertion_failed(std::string_view expression, std::string_view why,
                                   std::string_view file, int line) noexcept;

}  // namespace dfs

#define DFS_ASSERT(condition, why)                   \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::dfs::assertion_failed(#condition, why, __FILE__, __LINE__))
