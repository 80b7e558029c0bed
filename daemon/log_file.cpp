#include "daemon/log_file.hpp"

#include "daemon/faults.hpp"

namespace dfs::daemon {

namespace {

// Space kept behind the end, so that a start line still fits when a batch did not: after a refused
// append its burnt sequences must be skipped in the log before the refusal leaves.
constexpr std::uint64_t kReserve = 64 << 10;

}  // namespace

LogFile::LogFile(os::File file, std::uint64_t end) : file_(std::move(file)), end_(end) {
  if (auto status = file_.status()) place_ = *status;
  keep_reserve();
}

void LogFile::keep_reserve() {
  if (end_ + kReserve / 2 <= reserved_to_) return;
  reserved_to_ = end_ + kReserve;
  file_.reserve(end_, kReserve);
}

Result<void> LogFile::append(std::string_view lines) {
  auto written = file_.write_at(lines, end_);
  if (!written) return written;
  end_ += lines.size();
  keep_reserve();
  return {};
}

Result<void> LogFile::sync() const {
  if (sync_is_planted_out()) return {};
  return file_.sync_data();
}

Result<void> LogFile::check_place() const {
  auto there = os::status_of(path());
  if (!there) {
    return Error(errc::writing_stopped, "the log " + path() + " is gone from its place: " +
                                            std::string(there.error().text()) +
                                            "; put it back, then start the daemon again");
  }
  if (!there->same_file(place_)) {
    return Error(errc::writing_stopped,
                 "the log " + path() +
                     " was replaced by another file while it was in use; edit a log only "
                     "while its daemon is stopped");
  }
  if (there->size != end_) {
    return Error(errc::writing_stopped,
                 "the log " + path() + " has " + std::to_string(there->size) + " bytes where " +
                     std::to_string(end_) +
                     " were written; edit a log only while its daemon is stopped");
  }
  return {};
}

Result<void> LogFile::cut_back() const {
  if (auto cut = file_.truncate(end_); !cut) return cut;
  return file_.sync_data();
}

void LogFile::replace(os::File file, std::uint64_t end) {
  file_ = std::move(file);
  end_ = end;
  reserved_to_ = 0;
  if (auto status = file_.status()) place_ = *status;
  keep_reserve();
}

}  // namespace dfs::daemon
