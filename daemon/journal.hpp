// What the daemon says to its operator: on standard error, in the journal of systemd, or in a file
// that rotates. Off the commit path: main and start-up only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace dfs::daemon {

/// Threads: any, but for set(), which is main's. What is said is written at once.
class Journal {
 public:
  struct Settings {
    std::string level = "info";  ///< trace, debug, info, warn, error, off
    std::string file{};          ///< empty: standard error
    std::uint64_t file_bytes = 0;
    std::uint64_t kept_files = 0;
  };
  /// On standard error; where that is the journal of systemd, with its priorities and without
  /// times, which it has itself.
  Journal();
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// From now on. A file is opened, also if it was open before: who renamed it wants another. An
  /// error leaves everything as it was. Its directory must be there.
  [[nodiscard]] Result<void> set(const Settings& settings);

  void debug(std::string_view text);
  void info(std::string_view text);
  void warn(std::string_view text);
  void error(std::string_view text);

 private:
  struct Log;
  std::unique_ptr<Log> log_;
};

}  // namespace dfs::daemon
