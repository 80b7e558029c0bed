// A file of the Go library that is served as it is, until its first commit has it written anew.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/log/go_file.hpp"
#include "common/os/file.hpp"

namespace dfs::daemon {

/// What the new log begins with, and how it takes the old one's place. Threads: the writer.
class GoConversion {
 public:
  struct Written {
    os::File file;          ///< locked, under the log's name
    std::uint64_t end = 0;  ///< where the next append goes
  };
  /// `image` is the whole new log (log::append_go_conversion).
  GoConversion(std::string image, std::uint64_t base) : image_(std::move(image)), base_(base) {}

  /// The last sequence that the image stands for.
  [[nodiscard]] std::uint64_t base() const { return base_; }
  /// Writes `.new` with the old file's owner and mode, synced; gives the old one a second name
  /// `.original`, synced; renames, synced. A failure before the rename leaves everything as it was
  /// and may be tried again.
  [[nodiscard]] Result<Written> replace(const os::File& old) const;

 private:
  std::string image_;
  std::uint64_t base_;
};

}  // namespace dfs::daemon
