// How much a process test does: all of it, or a tenth under sanitizers, where it is ten times as
// slow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace dfs::test {

/// True for the counts that are demanded: in builds without sanitizers, and wherever
/// DFS_TEST_SCALE=full says so. DFS_TEST_SCALE=tenth asks for less.
[[nodiscard]] inline bool full_scale() {
  const char* asked = std::getenv("DFS_TEST_SCALE");
  const std::string_view scale = asked == nullptr ? "" : asked;
  if (scale == "full" || scale == "nightly") return true;
  if (scale == "tenth") return false;
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

/// What a night is for: `whole` where DFS_TEST_SCALE=nightly, else a hundredth of it, or a
/// thousandth.
[[nodiscard]] inline std::uint64_t nightly(const char* what, std::uint64_t whole) {
  const char* asked = std::getenv("DFS_TEST_SCALE");
  const bool all = asked != nullptr && std::string_view(asked) == "nightly";
  const std::uint64_t size = all ? whole : whole / (full_scale() ? 100 : 1000);
  std::printf("%s: %llu of %llu (tests/nightly.sh runs all)\n", what,
              static_cast<unsigned long long>(size), static_cast<unsigned long long>(whole));
  return size;
}

}  // namespace dfs::test
