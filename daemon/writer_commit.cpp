// Committing: append, sync, index, publish, release, and what the log says when nothing happens.
// The rest of Writer is in writer.cpp and writer_collect.cpp.
#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <string_view>

#include "common/base/limits.hpp"
#include "common/log/encode.hpp"
#include "common/os/clock.hpp"
#include "daemon/faults.hpp"
#include "daemon/refusal.hpp"
#include "daemon/writer.hpp"

namespace dfs::daemon {

Result<void> Writer::commit() {
  if (batch_.commits() > 0) {
    // From here on a client may find its sequence in its ring, and ask about it.
    parts_.ledger.prepared(last_);
    for (Session* session : answered_) session->replies().publish_prepared();
    pass(StopPoint::prepared);
    parts_.pulse.now(Doing::in_kernel);
    if (auto appended = parts_.log.append(batch_.lines()); !appended) {
      wake_answered();
      if (appended.error() == errc::writing_stopped) return appended;
      if (auto refused = refuse_batch(appended.error()); !refused) return refused;
      release();
      return {};
    }
    pass(StopPoint::appended);
    parts_.syncer.written(last_);
    const bool syncs = batch_.wants_sync();
    if (syncs) {
      if (auto synced = sync_batch(); !synced) return synced;
    }
    pass(StopPoint::synced);
    if (auto there = parts_.log.check_place(); !there) return there;
    last_commit_at_ = os::Monotonic::now();
    parts_.pulse.now(Doing::working, last_commit_at_);
    if (!syncs) index_batch();
    publish();
    pass(StopPoint::published);
    marked_ = false;
  } else if (batch_.wants_sync() && !durable_) {
    // Commits that wrote nothing but ask for durability: what they depend on is to be on disk (I1).
    const DoingFor disk(parts_.pulse, Doing::in_kernel);
    if (auto synced = parts_.syncer.sync(last_); !synced) return synced;
  }
  release();
  return {};
}

Result<void> Writer::sync_batch() {
  // Those of the batch before are woken, and the records made, while the disk works already. For
  // nobody asleep it is not worth the call.
  if (!asleep_.empty()) {
    if (auto begun = parts_.syncer.begin(batch_.lines().size()); !begun) return begun;
  }
  parts_.pulse.now(Doing::working);
  wake_answered();
  index_batch();
  parts_.pulse.now(Doing::in_kernel);
  return parts_.syncer.sync(last_);
}

void Writer::index_batch() {
  index::IndexWriter& index = parts_.generations.current().index();
  std::array<std::string_view, index::IndexWriter::kMostPrefetched> new_keys;
  for (std::span rest(batch_.records()); !rest.empty();) {
    const auto group = rest.first(std::min(new_keys.size(), rest.size()));
    rest = rest.subspan(group.size());
    std::size_t count = 0;
    for (const PlannedRecord& record : group) {
      if (record.location.record == 0) new_keys[count++] = record.key;
    }
    index.prefetch_order(std::span(new_keys).first(count));
    for (const PlannedRecord& record : group) {
      index::NewRecord made;
      made.key = record.key;
      made.value = record.value;
      made.version = record.version;
      made.sequence = record.sequence;
      made.time_ms = batch_.time_ms();
      made.connection = record.connection;
      made.erased = record.erased;
      made.last_of_commit = record.last_of_commit;
      index.add(record.location, made);
    }
  }
}

void Writer::publish() {
  parts_.generations.current().index().publish(last_);
  published_ = last_;
  parts_.ledger.published(last_);
  Counters& counters = parts_.counters;
  Counters::add(counters.commits, batch_.commits());
  Counters::add(counters.records, batch_.records().size());
  Counters::add(counters.batches);
  counters.batch_commits.add(batch_.commits());
  counters.batch_bytes.add(batch_.lines().size());
  count_state();
  parts_.compactor.note(checkpoint(last_commit_at_));
  parts_.generations.current().grow_ahead();
}

void Writer::count_state() {
  const Generation& generation = parts_.generations.current();
  const index::IndexWriter& index = generation.index();
  const std::uint64_t tail = index.used() - std::min(index.used(), parts_.compactor.tail_from());
  parts_.generations.budget().promise(generation.needed_by_next() + tail);
  Counters& counters = parts_.counters;
  counters.live_keys.store(index.live_keys(), std::memory_order_relaxed);
  counters.live_bytes.store(index.live_bytes(), std::memory_order_relaxed);
  counters.used_bytes.store(index.used(), std::memory_order_relaxed);
  counters.log_bytes.store(parts_.log.end(), std::memory_order_relaxed);
}

void Writer::release() {
  wake_answered();  // those of the batch before
  for (Session* session : answered_) {
    session->replies().release();
    session->done(quota_);
    if (session->sleeps()) asleep_.push_back(session);
  }
  if (!durable_) wake_answered();
  group_.clear();
  count_received();
  // SYNC POINT: publishes_watched_. seq_cst, behind the seq_cst store of what is published: either
  // main, which looks at that after it has set this, finds it, or this finds main waiting.
  if (publishes_watched_.load(std::memory_order_seq_cst)) on_news_();
}

void Writer::wake_answered() {
  for (Session* session : asleep_) session->wake();
  asleep_.clear();
}

Result<void> Writer::cut_back() {
  if (auto cut = parts_.log.cut_back(); !cut) return cut;
  // By the syncer, as every sync of the log: the kernel tells of a failure once.
  return parts_.syncer.sync(published_);
}

Result<void> Writer::refuse_batch(const Error& error) {
  // The cut and the line that skips the burnt sequences are on disk before anybody hears of the
  // refusal: given again, a sequence would let `resolve` answer for the wrong commit (I5).
  if (auto cut = cut_back(); !cut) return cut;
  std::string line;
  log::Start start;
  start.after = published_;
  start.next = next_;
  start.watermark = published_;
  start.time_ms = batch_.time_ms();
  log::append_start(line, start);
  if (auto appended = parts_.log.append(line); !appended) return appended;
  if (auto synced = parts_.syncer.sync(published_); !synced) return synced;
  parts_.ledger.burnt({published_, next_});
  last_ = published_;
  note_checkpoint();
  const int number = error.system_error();
  const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  wire::Refusal refusal =
      refusal_of(full ? errc::store_full : errc::system, wire::Rule::disk_full, 0);
  refusal.system_errno = number;
  for (std::size_t i = 0; i < batch_.commits(); ++i) count(refusal);
  for (Session* session : answered_) session->replies().overwrite_prepared_with(refusal);
  return {};
}

Result<void> Writer::rewrite_go_file() {
  const DoingFor disk(parts_.pulse, Doing::in_kernel);
  auto written = parts_.go->replace(parts_.log.file());
  if (!written) return std::move(written).error();
  std::optional<os::File> old;
  parts_.syncer.exclude([&] { old = parts_.log.replace(std::move(written->file), written->end); });
  std::string line;
  log::Start start;
  start.after = parts_.go->base();
  start.next = next_;
  start.watermark = parts_.go->base();
  start.time_ms = os::wall_clock_ms();
  log::append_start(line, start);
  parts_.go.reset();
  // From the rename on a failure is that of a sync: the old file is no longer the log (I9).
  auto started = parts_.log.append(line);
  if (started) started = parts_.syncer.sync(published_);
  if (!started) failed_.store(true, std::memory_order_release);
  return started;
}

Result<void> Writer::sync_if_due() {
  const std::uint64_t durable = parts_.control.durable.load(std::memory_order_relaxed);
  const std::uint64_t unsynced = last_ - std::min(last_, durable);
  if (unsynced < kMaxUnsyncedCommits / 2) return {};
  if (unsynced + kMaxBatchCommits < kMaxUnsyncedCommits) {
    // In the background, so that nobody has to wait here.
    parts_.syncer.hurry();
    return {};
  }
  const DoingFor disk(parts_.pulse, Doing::in_kernel);
  return parts_.syncer.sync(published_);
}

Result<void> Writer::mark_if_idle() {
  if (marked_ || os::Monotonic::now() < last_commit_at_ + kIdleBeforeMark) return {};
  const DoingFor disk(parts_.pulse, Doing::in_kernel);
  if (auto synced = parts_.syncer.sync(published_); !synced) return synced;
  std::string line;
  log::append_mark(line, published_);
  marked_ = true;
  if (auto appended = parts_.log.append(line); !appended) {
    if (appended.error() == errc::writing_stopped) return appended;
    // A mark is not worth a refusal to anybody: the log goes on without it.
    return cut_back();
  }
  if (auto synced = parts_.syncer.sync(published_); !synced) return synced;
  note_checkpoint();
  return parts_.log.check_place();
}

Result<void> Writer::seal() {
  if (parts_.go) return {};  // nothing of ours is in the file
  const DoingFor disk(parts_.pulse, Doing::in_kernel);
  if (auto synced = parts_.syncer.sync(published_); !synced) return synced;
  std::string line;
  log::append_stop(line, published_);
  if (auto appended = parts_.log.append(line); !appended) {
    if (appended.error() == errc::writing_stopped) return appended;
    return cut_back();
  }
  return parts_.syncer.sync(published_);
}

void Writer::refuse_everything() {
  // What was not taken is told that nothing will be written; what was taken stays prepared, and its
  // client asks the next daemon. A ring whose first unreleased reply is a prepared commit cannot be
  // released past it.
  const wire::Refusal refusal = refusal_of(errc::writing_stopped, wire::Rule::none, 0);
  for (const auto& session : sessions_) {
    if (session->replies().has_unreleased()) continue;
    Session::Receiving with{quota_, group_.intake(), kRequestRingBytes};
    ReceivedRequest received;
    wire::Refusal why;
    for (;;) {
      const Received what = session->receive(with, received, why);
      if (what != Received::request && what != Received::refusal) break;
      refuse(*session, received.number, refusal);
      session->answered();
    }
    session->done(quota_);
    session->replies().release();
    session->wake();
  }
}

}  // namespace dfs::daemon
