// Backup: a snapshot, written as the log that a compaction at its commit would have begun.
#include <dfs/admin.hpp>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "common/index/cursor.hpp"
#include "common/log/base_part.hpp"
#include "common/log/line.hpp"
#include "common/os/clock.hpp"
#include "common/wire/commit_id.hpp"
#include "libclient/connection.hpp"
#include "libclient/core.hpp"
#include "libclient/new_file.hpp"
#include "libclient/snapshot_source.hpp"
#include "libclient/snapshot_walk.hpp"

namespace dfs {

namespace {

// What is handed over at once.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

/// Version floors and gaps of the store as the daemon knows them now.
Result<log::Base> history_of(client::Core& core) {
  auto answer = core.ask(wire::AdminKind::history, 0, core.deadline({}));
  if (!answer) return std::move(answer).error();
  std::string_view text = answer->text;
  if (text.ends_with('\n')) text.remove_suffix(1);
  log::Line line;
  log::decode(text, line);
  if (line.kind != log::LineKind::base || !line.sealed) {
    return Error(errc::incompatible,
                 "the daemon's answer is none that this version knows; upgrade the older of both");
  }
  return line.base;
}

/// The records of a snapshot, tombstones too, in key order. Threads: one.
class Records {
 public:
  Records(const client::Generation& generation, std::uint64_t sequence)
      : generation_(generation), sequence_(sequence) {}

  /// The next one; null at the end.
  Result<const index::RecordHeader*> next() {
    if (generation_.connection().forked()) return errc::forked;
    if (cursor_ && cursor_->valid()) {
      cursor_->next();
    } else {
      begin();
    }
    while (cursor_->outcome() == index::Outcome::outgrown) {
      if (auto larger = generation_.connection().enlarge(generation_); !larger) {
        return std::move(larger).error();
      }
      begin();
    }
    if (cursor_->outcome() == index::Outcome::absent) return nullptr;
    if (!cursor_->valid()) return client::error_from(cursor_->outcome(), generation_);
    last_ = &cursor_->record();
    return last_;
  }
  /// Whether what was read of the last one is what stood there.
  [[nodiscard]] Result<void> check() const {
    if (cursor_->stands()) return {};
    return client::error_from(index::Outcome::given_back, generation_);
  }

 private:
  /// To the first one, or behind the last one that was given.
  void begin() {
    cursor_.emplace(generation_.view(), sequence_, index::Cursor::Show::also_erased);
    if (last_ == nullptr) return cursor_->seek_first();
    cursor_->seek(last_->key());
    if (cursor_->valid() && cursor_->record().key() == last_->key()) cursor_->next();
  }

  const client::Generation& generation_;
  const std::uint64_t sequence_;
  std::optional<index::Cursor> cursor_;
  const index::RecordHeader* last_ = nullptr;  // its mapping stays as long as the snapshot
};

log::Record line_of(const index::RecordHeader& record) {
  log::Record line;
  line.key = record.key();
  line.value = record.value();
  line.version = record.version;
  line.sequence = record.sequence;
  if (record.time_ms != 0) line.time_ms = record.time_ms;
  return line;
}

/// Hands the bytes on, and counts them.
class Pieces {
 public:
  explicit Pieces(const BackupSink& sink) : sink_(sink) {}
  [[nodiscard]] std::string& text() { return text_; }
  [[nodiscard]] bool large() const { return text_.size() >= kPieceBytes; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  Result<void> hand_on() {
    if (auto taken = sink_(text_); !taken) return taken;
    bytes_ += text_.size();
    text_.clear();
    return {};
  }

 private:
  const BackupSink& sink_;
  std::string text_;
  std::uint64_t bytes_ = 0;
};

/// Whether the file of a backup may come in the place of what stands there.
Result<void> check_place(const std::string& file, bool replace) {
  const auto there = os::status_of(file);
  if (!there) return {};
  if (!there->regular) {
    return Error(errc::bad_argument,
                 file + " is a " + (there->directory ? "directory" : "device, pipe or socket") +
                     ", and a backup replaces a regular file only; dfsctl backup - writes to "
                     "standard output");
  }
  if (!replace) {
    return Error(errc::bad_argument,
                 file + " exists, and a backup replaces a file only where that was said");
  }
  // A daemon holds its log locked. What it gave after the backup would be given again (I5).
  // Locked for this moment, for which a daemon that starts waits: /proc/locks tells without, but
  // not of a daemon in another pid name space.
  const auto log = os::File::open(file, {});
  if (!log) return {};
  if (const auto locked = log->try_lock(); locked && !*locked) {
    return Error(errc::bad_argument,
                 file +
                     " is in use, as the log of a store is while it is served, and no backup "
                     "comes in its place; name another file");
  }
  return {};
}

}  // namespace

Result<BackedUp> Admin::backup(const BackupSink& sink, const BackupOptions& options) const {
  client::SnapshotSource snapshot(core_->snapshot());
  if (auto good = snapshot.check(); !good) return std::move(good).error();
  // Asked behind the snapshot: what its generation dropped is in these floors, and what it did not
  // drop it still shows.
  auto base = history_of(*core_);
  if (!base) return std::move(base).error();
  BackedUp done;
  done.store =
      Position(snapshot.mapped()->connection().store(), 0).text().substr(0, log::kStoreIdDigits);
  done.sequence = snapshot.sequence();
  log::First first;
  first.store = done.store;
  first.base = std::max<std::uint64_t>(done.sequence, 1);
  first.dfs = DFS_VERSION;
  Pieces pieces(sink);
  log::BasePart part(pieces.text(), first);
  Records records(*snapshot.mapped(), snapshot.sequence());
  for (;;) {
    auto record = records.next();
    if (!record) return std::move(record).error();
    if (*record == nullptr) break;
    if ((*record)->erased()) {
      base->floor = std::max(base->floor, (*record)->version);
      continue;
    }
    part.add(line_of(**record));
    if (!pieces.large()) continue;
    if (auto good = records.check(); !good) return std::move(good).error();
    if (auto taken = pieces.hand_on(); !taken) return std::move(taken).error();
    if (options.progress) options.progress(part.records());
  }
  if (auto good = records.check(); !good) return std::move(good).error();
  log::Gaps gaps;
  for (const log::Gap& gap : base->gaps.list()) {
    if (gap.next <= first.base || gap.after == first.base) gaps.add(gap.after, gap.next);
  }
  part.end({.floor = base->floor,
            .restored = base->restored,
            .gaps = gaps,
            .time_ms = os::wall_clock_ms()});
  if (auto taken = pieces.hand_on(); !taken) return std::move(taken).error();
  done.records = part.records();
  done.bytes = pieces.bytes();
  return done;
}

Result<BackedUp> Admin::backup(const std::string& file, const BackupOptions& options) const {
  if (auto good = check_place(file, options.replace); !good) return std::move(good).error();
  // Whoever may read it may read all that the store holds.
  auto made = client::NewFile::make(file, 0600);
  if (!made) return std::move(made).error();
  auto done = backup([&made](std::string_view bytes) { return made->write(bytes); }, options);
  if (!done) return done;
  if (auto good = check_place(file, options.replace); !good) return std::move(good).error();
  using Existing = client::NewFile::Existing;
  if (auto there = made->put_in_place(options.replace ? Existing::replace : Existing::refuse);
      !there) {
    if (there.error().system_error() == EEXIST) {
      return Error(errc::bad_argument,
                   file + " exists, and a backup replaces a file only where that was said");
    }
    return std::move(there).error();
  }
  return done;
}

}  // namespace dfs
