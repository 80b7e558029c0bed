// How much a process test does: all of it, or a tenth under sanitizers, where it is ten times as
// slow.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace dfs::test {

/// True for the counts that are demanded: in builds without sanitizers, and wherever
/// DFS_TEST_SCALE=full says so. DFS_TEST_SCALE=tenth asks for less.
[[nodiscard]] inline bool full_scale() {
  const char* asked = std::getenv("DFS_TEST_SCALE");
  if (asked != nullptr && std::string_view(asked) == "full") return true;
  if (asked != nullptr && std::string_view(asked) == "tenth") return false;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#else
  return true;
#endif
}

/// `full`, or a tenth of it and at least `least`; says so where it is less.
[[nodiscard]] inline int scaled(const char* what, int full, int least = 1) {
  if (full_scale()) return full;
  const int less = std::min(full, std::max(least, full / 10));
  std::printf("%s: %d of %d (DFS_TEST_SCALE=full runs all)\n", what, less, full);
  return less;
}

}  // namespace dfs::test
