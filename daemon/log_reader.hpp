// Reads a log from the disk at the start, on a thread of its own, while what has come is recovered.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "common/log/arrival.hpp"
#include "common/os/file.hpp"
#include "common/os/large_buffer.hpp"

namespace dfs::daemon {

/// Threads: its own reads; everything else by one other.
class LogReader final : public log::Arrival {
 public:
  /// Begins to read the bytes as the disk has them: after a failed sync the page cache says
  /// otherwise (I9). `file` outlives it.
  static Result<std::unique_ptr<LogReader>> start(const os::File& file);
  ~LogReader() override;
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  /// All of the log; zeros where it has not arrived.
  [[nodiscard]] std::string_view bytes() const {
    return {buffer_.bytes().data(), buffer_.bytes().size()};
  }
  [[nodiscard]] std::size_t wait_beyond(std::size_t have) override;
  /// Waits for the rest; an error where not all of it could be read.
  [[nodiscard]] Result<void> finish();

 private:
  LogReader(const os::File& file, os::LargeBuffer buffer)
      : file_(file), buffer_(std::move(buffer)) {}
  void run();
  [[nodiscard]] Result<void> read();

  // Constant after construction; the bytes are its thread's until they have arrived.
  const os::File& file_;
  const os::LargeBuffer buffer_;

  std::atomic<bool> stopping_{false};

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t arrived_ = 0;
  bool over_ = false;
  std::optional<Error> failure_;
  std::thread thread_;
};

}  // namespace dfs::daemon
