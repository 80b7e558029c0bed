// What `dfsctl check FILE` and `dfsctl log FILE` say about a log, in words for people; over bytes,
// without a daemon.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/log/recovery.hpp"

namespace dfs::log {

/// What was found in a file.
struct Report {
  Recovery recovery;
  /// One finding a line, the verdict last, each line ended by a newline.
  std::string text;
  /// True where a daemon would serve the file as it is, with nothing cut off.
  bool whole = false;
  /// What `dfsctl check` ends with where it is not whole.
  std::optional<Error> error;
};

/// Reads the whole file as a daemon would, and every value as well, which a daemon does not where
/// the seal fits. `name` is the file's, for the text.
[[nodiscard]] Report check(std::string_view bytes, std::string_view name);

/// Calls `print` with one line of text (without its newline) for each line of the file, good or
/// not: number, sequence, time, what it does. Local time is not used: times are UTC.
void describe_lines(std::string_view bytes, const std::function<void(std::string_view)>& print);

}  // namespace dfs::log
