// What the daemon says to its operator. Off the commit path: main and start-up only.
#pragma once

#include <string>
#include <string_view>

namespace dfs::daemon {

/// Threads: any; what is said is written at once, to standard error.
class Journal {
 public:
  /// `level`: trace, debug, info, warn, error, off.
  explicit Journal(const std::string& level);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void info(std::string_view text);
  void warn(std::string_view text);
  void error(std::string_view text);
  [[nodiscard]] static bool is_level(const std::string& level);
};

}  // namespace dfs::daemon
