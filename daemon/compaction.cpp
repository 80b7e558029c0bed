#include "daemon/compaction.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "common/index/cursor.hpp"
#include "common/index/feed.hpp"
#include "common/log/base_part.hpp"
#include "common/os/attributes.hpp"
#include "common/os/clock.hpp"
#include "daemon/faults.hpp"
#include "daemon/version.hpp"

namespace dfs::daemon {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
// Records that go into the next index together.
constexpr std::size_t kGathered = 64;

Error gave_up() { return Error(errc::stopped, "the daemon is ending"); }

Error broken(index::Outcome outcome) {
  return Error(errc::system,
               "the index cannot be walked (" + std::to_string(static_cast<int>(outcome)) + ")");
}

}  // namespace

Compaction::~Compaction() {
  if (renamed_) return;
  if (next_) parts_.generations.drop_next(next_);
  if (file_.is_open()) static_cast<void>(os::remove(file_.path()));
}

Result<void> Compaction::fill() {
  all_.store(parts_.live_keys, std::memory_order_relaxed);
  auto next = parts_.generations.make_next(parts_.live_keys);
  if (!next) return std::move(next).error();
  next_ = std::move(*next);
  if (auto opened = open_file(); !opened) return opened;
  if (auto written = write_base(); !written) return written;
  if (auto flushed = flush(); !flushed) return flushed;
  next_->index().begin_feed(begin_.sequence);
  tail_begin_ = begin_;
  tail_begin_.log_end = written_;
  tail_begin_.used = next_->index().used();
  copied_ = begin_;
  read_to_ = begin_.log_end;
  pass(StopPoint::base_written);
  return {};
}

Result<void> Compaction::open_file() {
  const std::string path = parts_.log.path() + ".new";
  if (auto gone = os::remove(path); !gone) return gone;
  auto opened =
      os::File::open(path, {.write = true, .create = true, .exclusive = true, .mode = 0600});
  if (!opened) return std::move(opened).error();
  file_ = std::move(*opened);
  // Before it has the log's name, so that no other daemon takes it in between.
  auto locked = file_.try_lock();
  if (!locked) return std::move(locked).error();
  if (!*locked) return Error(errc::system, "lock " + path + ": held by another process");
  return {};
}

Result<void> Compaction::write_base() {
  log::First first;
  first.store = parts_.store_id;
  first.base = begin_.sequence;
  first.dfs = kVersion;
  log::BasePart part(buffer_, first);

  log::Base base;
  base.restored = parts_.floors.restored;
  floors_ = parts_.floors;
  index::Cursor cursor(parts_.generations.current().index().view(), begin_.sequence,
                       index::Cursor::Show::also_erased);
  for (cursor.seek_first(); cursor.valid(); cursor.next()) {
    if (parts_.stopping.load(std::memory_order_relaxed)) return gave_up();
    const index::RecordHeader& record = cursor.record();
    if (record.erased()) {
      floors_.floor = std::max(floors_.floor, record.version);
      continue;
    }
    log::Record line;
    line.key = record.key();
    line.value = record.value();
    line.version = record.version;
    line.sequence = record.sequence;
    if (record.time_ms != 0) line.time_ms = record.time_ms;
    part.add(line);
    if (auto added = add(record, true); !added) return added;
    if (auto flushed = flush_if_large(); !flushed) return flushed;
    done_.store(part.records(), std::memory_order_relaxed);
  }
  if (cursor.outcome() != index::Outcome::absent) return broken(cursor.outcome());
  if (auto added = add_gathered(); !added) return added;
  base.floor = floors_.floor;
  // Those that were skipped behind the snapshot stand in the tail, as start lines.
  const log::Gaps gaps = parts_.ledger.gaps();
  for (const log::Gap& gap : gaps.list()) {
    if (gap.next <= begin_.next && gap.after <= begin_.sequence) base.gaps.add(gap.after, gap.next);
  }
  base.time_ms = os::wall_clock_ms();
  part.end(base);
  return {};
}

Result<void> Compaction::add(const index::RecordHeader& record, bool in_base) {
  index::NewRecord& made = gathered_.emplace_back();
  made.key = record.key();
  made.value = record.value();
  made.version = record.version;
  made.sequence = record.sequence;
  made.time_ms = record.time_ms;
  made.connection = in_base ? 0 : record.connection;
  made.erased = record.erased();
  made.last_of_commit = in_base || record.last_of_commit();
  return gathered_.size() < kGathered ? Result<void>() : add_gathered();
}

Result<void> Compaction::add_gathered() {
  index::IndexWriter& index = next_->index();
  std::span<const index::NewRecord> left = gathered_;
  while (!left.empty()) {
    auto some = left;
    // What a group may need at the most is more than what its records need one after the other.
    if (!index.reserve(some)) some = left.first(1);
    if (!index.reserve(some)) {
      const std::uint64_t limit = parts_.generations.budget().limit();
      return Error(errc::store_full,
                   "no memory to write the index anew beside the one in use; raise memory_limit (" +
                       std::to_string(limit) + " bytes), or delete")
          .with_limit(limit);
    }
    index.add_all(some);
    left = left.subspan(some.size());
  }
  gathered_.clear();
  // For what is copied last the writer waits, and else for this.
  next_->grow_ahead();
  if (in_background_) parts_.pace.give_way();
  return {};
}

Result<void> Compaction::catch_up(const Checkpoint& to) {
  if (auto copied = copy(to); !copied) return copied;
  pass(StopPoint::caught_up);
  return {};
}

Result<void> Compaction::sync() const { return file_.sync_data(); }

Result<void> Compaction::copy(const Checkpoint& to) {
  if (auto copied = copy_records(to); !copied) return copied;
  if (auto copied = copy_bytes(to.log_end); !copied) return copied;
  if (auto flushed = flush(); !flushed) return flushed;
  copied_ = to;
  next_->index().publish(to.sequence);
  return {};
}

Result<void> Compaction::copy_bytes(std::uint64_t to) {
  while (read_to_ < to) {
    if (parts_.stopping.load(std::memory_order_relaxed)) return gave_up();
    auto bytes =
        parts_.log.file().read_at(read_to_, std::min<std::uint64_t>(kBufferBytes, to - read_to_));
    if (!bytes) return std::move(bytes).error();
    if (bytes->empty()) {
      return Error(errc::writing_stopped, "the log " + parts_.log.path() + " ends at byte " +
                                              std::to_string(read_to_) + " where " +
                                              std::to_string(to) + " were written");
    }
    read_to_ += bytes->size();
    buffer_ += *bytes;
    if (auto flushed = flush_if_large(); !flushed) return flushed;
  }
  return {};
}

Result<void> Compaction::copy_records(const Checkpoint& to) {
  const index::View view = parts_.generations.current().index().view();
  if (feed_at_ == 0) {
    const index::FeedStep step = index::first_after(view, begin_.sequence);
    if (step.outcome != index::Outcome::found) return broken(step.outcome);
    feed_at_ = step.next;
  }
  const double bytes_each =
      static_cast<double>(to.log_end - copied_.log_end) /
      static_cast<double>(std::max<std::uint64_t>(to.sequence - copied_.sequence, 1));
  for (;;) {
    const index::FeedStep step = index::feed_step(view, feed_at_, to.sequence);
    feed_at_ = step.next;
    if (step.outcome == index::Outcome::absent) return add_gathered();
    if (step.outcome != index::Outcome::found) return broken(step.outcome);
    if (auto added = add(*step.record, false); !added) return added;
    if (!gathered_.empty() || !in_background_) continue;
    // About so far, and the bytes of the log no later: the writer goes by what is copied.
    const auto done = static_cast<std::uint64_t>(
        bytes_each * static_cast<double>(step.record->sequence - copied_.sequence));
    const std::uint64_t at = std::min(copied_.log_end + done, to.log_end);
    if (at >= read_to_ + kBufferBytes) {
      if (auto copied = copy_bytes(at); !copied) return copied;
    }
    parts_.pace.copied(at - copied_.log_end);
  }
}

Result<void> Compaction::flush_if_large() {
  return buffer_.size() < kBufferBytes ? Result<void>() : flush();
}

Result<void> Compaction::flush() {
  if (buffer_.empty()) return {};
  if (auto written = file_.write_at(buffer_, written_); !written) return written;
  if (auto begun = file_.begin_write_back(written_, buffer_.size()); !begun) return begun;
  written_ += buffer_.size();
  buffer_.clear();
  return {};
}

Result<Compaction::Handed> Compaction::hand_over(const Checkpoint& now, Syncer& syncer,
                                                 Checkpoints& checkpoints) {
  in_background_ = false;
  const auto ready = [&]() -> Result<void> {
    if (auto copied = copy(now); !copied) return copied;
    // Last, so that nobody could open it before it was whole.
    if (auto kept = os::copy_attributes(parts_.log.file(), file_); !kept) return kept;
    if (auto synced = file_.sync_all(); !synced) return synced;
    return parts_.log.check_place();
  }();
  Handed handed;
  if (!ready) {
    handed.why = ready.error();
    return handed;
  }
  pass(StopPoint::before_rename);
  renamed_ = true;
  if (auto there = rename_into_place(); !there) return std::move(there).error();
  syncer.exclude([&] {
    // Closed with this, by the compactor: what was renamed away is freed as it is closed, all its
    // pages with it, and the writer waits here.
    old_log_ = parts_.log.replace(std::move(file_), written_);
    // All of it was synced above.
    parts_.generations.page().durable.store(now.sequence, std::memory_order_release);
  });
  checkpoints.move(begin_, tail_begin_);
  parts_.generations.make_current(next_);
  pass(StopPoint::switched);
  handed.done = true;
  handed.floors = floors_;
  return handed;
}

Result<void> Compaction::rename_into_place() {
  const std::string path = parts_.log.path();
  if (auto renamed = os::rename(file_.path(), path); !renamed) return renamed;
  pass(StopPoint::renamed);
  if (auto synced = os::sync_directory_of(path); !synced) return synced;
  file_.rename_to(path);
  return {};
}

}  // namespace dfs::daemon
