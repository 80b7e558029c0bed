#include "daemon/log_file.hpp"

#include <cerrno>
#include <utility>

#include "daemon/faults.hpp"

namespace dfs::daemon {

namespace {

// Reserved at once where the disk has it, so that the file system is asked seldom.
constexpr std::uint64_t kAhead = 1 << 20;

}  // namespace

LogFile::LogFile(os::File file, std::uint64_t end) : file_(std::move(file)) { begin_at(end); }

void LogFile::begin_at(std::uint64_t end) {
  end_ = end;
  reserved_to_ = end;
  if (auto status = file_.status()) place_ = *status;
  // Where there is no room now, the first commit is told.
  static_cast<void>(make_room(0).has_value());
}

Result<void> LogFile::make_room(std::uint64_t bytes) {
  if (has_room(bytes)) return {};
  const std::uint64_t wanted = end_ + bytes + kOwnLines;
  auto reserved = file_.reserve(end_, wanted + kAhead - end_);
  if (reserved) {
    reserved_to_ = wanted + kAhead;
    return {};
  }
  reserved = file_.reserve(end_, wanted - end_);
  if (reserved) {
    reserved_to_ = wanted;
    return {};
  }
  const int number = reserved.error().system_error();
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) return reserved;
  return {};  // it cannot tell: the append will
}

Error LogFile::edited(std::uint64_t bytes) const {
  return Error(errc::writing_stopped,
               "the log " + path() + " has " + std::to_string(bytes) + " bytes where " +
                   std::to_string(end_) +
                   " were written; edit a log only while its daemon is stopped");
}

Result<void> LogFile::append(std::string_view lines) {
  // What was cut off behind our back would become NULs between good lines, at the right size.
  auto status = file_.status();
  if (!status) return std::move(status).error();
  if (status->size != end_) return edited(status->size);
  if (is_due(StopPoint::torn)) {
    static_cast<void>(file_.write_at(lines.substr(0, lines.size() - 2), end_).has_value());
  }
  pass(StopPoint::torn);
  auto written = file_.write_at(lines, end_);
  if (!written) return written;
  end_ += lines.size();
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
  if (there->size != end_) return edited(there->size);
  return {};
}

Result<void> LogFile::cut_back() {
  if (auto cut = file_.truncate(end_); !cut) return cut;
  // What was reserved went with it.
  reserved_to_ = end_;
  static_cast<void>(make_room(0).has_value());
  return {};
}

os::File LogFile::replace(os::File file, std::uint64_t end) {
  os::File old = std::exchange(file_, std::move(file));
  begin_at(end);
  return old;
}

}  // namespace dfs::daemon
