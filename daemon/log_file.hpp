// The log as a file that is only ever appended to: one write and one sync for each batch, the look
// at the path between sync and publish, and the cut after an append that failed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/os/file.hpp"

namespace dfs::daemon {

/// Threads: sync_concurrently() from any; all else the writer only.
class LogFile {
 public:
  /// Takes over an open, locked file whose good end is `end`.
  LogFile(os::File file, std::uint64_t end);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// Makes sure that the disk has room for `bytes` more, and for the few lines of our own that may
  /// follow: to be asked before anything is promised, since a refusal then costs no sequence. An
  /// error has the errno (ENOSPC, EDQUOT). True on file systems that cannot tell.
  [[nodiscard]] Result<void> make_room(std::uint64_t bytes);
  /// Whether that is known without asking.
  [[nodiscard]] bool has_room(std::uint64_t bytes) const noexcept {
    return end_ + bytes + kOwnLines <= reserved_to_;
  }
  /// Writes at our own end (never O_APPEND). writing_stopped, and nothing written, where that is no
  /// longer the file's end: I9. After any other error call cut_back().
  [[nodiscard]] Result<void> append(std::string_view lines);
  /// Has the disk begin with the last `bytes`, and does not wait. An error is one of `sync`.
  [[nodiscard]] Result<void> begin_sync(std::uint64_t bytes) const {
    return file_.begin_write_back(end_ - bytes, bytes);
  }
  /// fdatasync. After an error nothing may be written or acknowledged any more (I9).
  [[nodiscard]] Result<void> sync() const;
  /// The same, for a thread beside the writer.
  [[nodiscard]] Result<void> sync_concurrently() const { return sync(); }
  /// An error unless the path still names our inode with our size: an edit of a live log must stop
  /// acknowledgements, not lose them.
  [[nodiscard]] Result<void> check_place() const;
  /// Cuts what a failed append may have left behind the good end; the syncer is to sync that. After
  /// an error: I9.
  [[nodiscard]] Result<void> cut_back();
  /// Another file took the log's place, by compaction or for a Go file. The one before, which may
  /// take long to close.
  [[nodiscard]] os::File replace(os::File file, std::uint64_t end);

  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
  [[nodiscard]] const os::File& file() const noexcept { return file_; }
  [[nodiscard]] const std::string& path() const noexcept { return file_.path(); }

 private:
  // Room for lines of our own behind a batch: the start line that skips the sequences of a refused
  // one, marks, the stop. A refusal must not fail for want of the disk that it is about.
  static constexpr std::uint64_t kOwnLines = std::uint64_t{64} << 10;

  void begin_at(std::uint64_t end);
  [[nodiscard]] Error edited(std::uint64_t bytes) const;

  // Writer thread only, but for the descriptor.
  os::File file_;
  std::uint64_t end_ = 0;
  std::uint64_t reserved_to_ = 0;  // the disk has room up to here
  os::FileStatus place_;
};

}  // namespace dfs::daemon
