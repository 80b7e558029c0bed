// Restore: the log of a new store from a backup, or from any log that is a base and no more.
#include <dfs/backup.hpp>
#include <dfs/limits.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/log/base_part.hpp"
#include "common/log/recovery.hpp"
#include "common/os/clock.hpp"
#include "common/os/file.hpp"
#include "common/os/random.hpp"
#include "libclient/address.hpp"
#include "libclient/new_file.hpp"

namespace dfs {

namespace {

// Sequences and versions that are left out behind those of the backup. What the old store gave
// after it lies there, if it was not more: no key changes more often than there are commits.
constexpr std::uint64_t kLeftOut = 1'000'000'000;
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

/// What versions there are in a backup.
class Versions final : public log::RecordVisitor {
 public:
  Result<void> record(const log::Record& record) override {
    highest_ = std::max(highest_, record.version);
    return {};
  }
  [[nodiscard]] std::uint64_t highest() const { return highest_; }

 private:
  std::uint64_t highest_ = 0;
};

/// Writes them into the new log.
class Copy final : public log::RecordVisitor {
 public:
  Copy(client::NewFile& file, const log::First& first, const RestoreOptions& options)
      : file_(file), options_(options), part_(text_, first) {}

  Result<void> record(const log::Record& record) override {
    part_.add(record);
    if (text_.size() < kPieceBytes) return {};
    if (options_.progress) options_.progress(part_.records());
    return write();
  }
  Result<void> end(const log::Base& base, const log::Start& start) {
    part_.end(base);
    log::append_start(text_, start);
    return write();
  }
  [[nodiscard]] std::uint64_t records() const { return part_.records(); }

 private:
  Result<void> write() {
    auto written = file_.write(text_);
    text_.clear();
    return written;
  }

  client::NewFile& file_;
  const RestoreOptions& options_;
  std::string text_;
  log::BasePart part_;
};

Error no_backup(const std::string& file, std::string_view why) {
  return Error(errc::bad_argument, file + " is no backup: " + std::string(why));
}

Result<std::string> bytes_of(const std::string& path) {
  constexpr std::string_view kNoFile = "it is not a file";
  // Asked before it is opened, since a pipe there would keep us.
  if (const auto there = os::status_of(path); there && !there->regular) {
    return no_backup(path, kNoFile);
  }
  auto file = os::File::open(path, {});
  if (!file && file.error().system_error() == ENOENT) {
    return Error(errc::no_store, "there is no file " + path);
  }
  if (!file && file.error().system_error() == EACCES) {
    return Error(errc::not_permitted, std::string(file.error().text())).with_errno(EACCES);
  }
  if (!file) return std::move(file).error();
  auto status = file->status();
  if (!status) return std::move(status).error();
  if (!status->regular) return no_backup(path, kNoFile);
  return file->read_all();
}

Result<void> check(const log::Recovery& found, const std::string& file) {
  switch (found.kind) {
    case log::RecoveryKind::empty:
      return no_backup(file, "it is empty");
    case log::RecoveryKind::go_file:
      return no_backup(file, "it is a file of the Go library, which dfsd serves as it is");
    case log::RecoveryKind::cut:
      return Error(errc::damaged, file + ": line " + std::to_string(found.bad_line) + " (offset " +
                                      std::to_string(found.bad_offset) + "): " + found.reason)
          .with_place(found.bad_line, found.bad_offset);
    case log::RecoveryKind::whole:
      break;
    default:
      return found.error(file);
  }
  if (found.first.base == 0 || found.commits > 0 || !found.hand_written.empty()) {
    return no_backup(file,
                     "it is the log of a store with its commits; dfsd serves a copy of it, "
                     "and that can be backed up");
  }
  if (found.edited_lines.empty()) return {};
  const std::uint64_t line = found.edited_lines.front();
  return Error(errc::damaged, file + ": line " + std::to_string(line) +
                                  " has no checksum: it was edited; dfsctl repair " + file +
                                  " -o NEW takes it as it is")
      .with_place(line, 0);
}

}  // namespace

Result<Restored> restore(const std::string& file, const RestoreOptions& options) {
  const Error exists(errc::bad_argument,
                     options.into + " exists; a restore makes a new store and changes none");
  if (auto good = client::check_new_log(options.into); !good) return std::move(good).error();
  if (os::status_of(options.into)) return exists;
  auto bytes = bytes_of(file);
  if (!bytes) return std::move(bytes).error();
  Versions versions;
  log::Recovery found = log::recover(*bytes, versions);
  if (auto good = check(found, file); !good) return std::move(good).error();
  const std::uint64_t highest = std::max({versions.highest(), found.floor, found.restored});
  if (highest > kMaxVersion - kLeftOut || found.next > log::kMaxSequence - kLeftOut) {
    return Error(errc::damaged, file + ": its versions or sequences are used up");
  }
  auto status = os::status_of(file);
  if (!status) return std::move(status).error();

  Restored done;
  done.store = os::random_hex(log::kStoreIdDigits / 2);
  done.from = found.first.store;
  done.sequence = found.last();
  done.versions_above = highest + kLeftOut;
  log::First first = found.first;
  first.store = done.store;
  first.dfs = DFS_VERSION;
  auto made = client::NewFile::make(options.into, status->mode);
  if (!made) return std::move(made).error();
  Copy copy(*made, first, options);
  const log::Recovery again = log::recover(*bytes, copy);
  if (again.visitor_error) return *again.visitor_error;
  const std::uint64_t now = os::wall_clock_ms();
  const log::Base base{
      .floor = found.floor, .restored = done.versions_above, .gaps = found.gaps, .time_ms = now};
  const log::Start start{
      .after = first.base, .next = found.next + kLeftOut, .watermark = first.base, .time_ms = now};
  if (auto ended = copy.end(base, start); !ended) return std::move(ended).error();
  if (auto there = made->put_in_place(client::NewFile::Existing::refuse); !there) {
    if (there.error().system_error() == EEXIST) return exists;
    return std::move(there).error();
  }
  done.records = copy.records();
  return done;
}

}  // namespace dfs
