#include "daemon/log_reader.hpp"

#include <algorithm>

#include "common/os/process.hpp"

namespace dfs::daemon {

namespace {

// Small enough that what was read is still in the processor's cache when it is recovered.
constexpr std::size_t kPieceBytes = std::size_t{512} << 10;

}  // namespace

Result<std::unique_ptr<LogReader>> LogReader::start(const os::File& file) {
  if (auto synced = file.sync_data(); !synced) return std::move(synced).error();
  if (auto dropped = file.drop_cache(); !dropped) return std::move(dropped).error();
  auto status = file.status();
  if (!status) return std::move(status).error();
  auto buffer = os::LargeBuffer::make(status->size);
  if (!buffer) return std::move(buffer).error();
  std::unique_ptr<LogReader> reader(new LogReader(file, std::move(*buffer)));
  reader->thread_ = std::thread([raw = reader.get()] { raw->run(); });
  return reader;
}

LogReader::~LogReader() {
  stopping_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

std::size_t LogReader::wait_beyond(std::size_t have) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return over_ || arrived_ > have; });
  return over_ ? buffer_.bytes().size() : arrived_;
}

Result<void> LogReader::finish() {
  if (thread_.joinable()) thread_.join();
  if (failure_) return *failure_;
  return {};
}

void LogReader::run() {
  os::name_thread("dfs-read");
  auto done = read();
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    if (!done) failure_ = std::move(done).error();
  }
  changed_.notify_all();
}

Result<void> LogReader::read() {
  const std::span<char> all = buffer_.bytes();
  for (std::size_t at = 0; at < all.size() && !stopping_.load(std::memory_order_relaxed);) {
    const std::span<char> piece = all.subspan(at, std::min(kPieceBytes, all.size() - at));
    auto bytes = file_.read_into(piece, at);
    if (!bytes) return std::move(bytes).error();
    if (*bytes < piece.size()) {
      return Error(errc::system, "read " + file_.path() + ": it became shorter meanwhile");
    }
    at += *bytes;
    {
      const std::lock_guard lock(mutex_);
      arrived_ = at;
    }
    changed_.notify_all();
  }
  return {};
}

}  // namespace dfs::daemon
