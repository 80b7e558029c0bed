#include "daemon/writer.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "common/base/limits.hpp"
#include "common/log/encode.hpp"
#include "common/log/format.hpp"
#include "common/os/clock.hpp"
#include "common/os/process.hpp"
#include "common/wire/waiting.hpp"
#include "daemon/faults.hpp"

namespace dfs::daemon {

namespace {

// After a second of idleness the log says how far it is known to be synced, so that whoever edits
// or copies it then is told of any damage.
constexpr std::chrono::seconds kIdleBeforeMark{1};
// Longer than a client on another core needs to answer and come back; shorter than a sleep and a
// wake.
constexpr std::chrono::microseconds kSpin{20};
constexpr std::uint64_t kEventTag = 0;

wire::Refusal refusal_of(errc code, wire::Rule rule, std::uint64_t limit) {
  wire::Refusal refusal;
  refusal.code = code;
  refusal.rule = rule;
  refusal.limit = limit;
  return refusal;
}

}  // namespace

Result<std::unique_ptr<Writer>> Writer::make(WriterParts parts, WriterStart start,
                                             std::function<void()> on_news) {
  auto poller = os::Poller::make();
  if (!poller) return std::move(poller).error();
  auto event = os::Event::make();
  if (!event) return std::move(event).error();
  if (auto added = poller->add(event->fd(), {kEventTag, os::Poller::Trigger::level}); !added) {
    return std::move(added).error();
  }
  return std::unique_ptr<Writer>(new Writer(std::move(parts), std::move(start), std::move(on_news),
                                            std::move(*poller), std::move(*event)));
}

Writer::Writer(WriterParts parts, WriterStart start, std::function<void()> on_news,
               os::Poller poller, os::Event event)
    : parts_(std::move(parts)),
      on_news_(std::move(on_news)),
      durable_(parts_.options.durability == Durability::durable),
      spins_(os::processors() > 1),
      record_origins_(parts_.options.record_origins),
      event_(std::move(event)),
      begin_(std::move(start)),
      poller_(std::move(poller)),
      quota_(parts_.options.queue_bytes),
      check_(parts_.generation.index(), batch_, parts_.ledger, begin_.floors),
      last_(begin_.last),
      published_(begin_.last),
      next_(begin_.next),
      last_commit_at_(os::Monotonic::now()) {}

Writer::~Writer() {
  if (thread_.joinable()) {
    stop();
    thread_.join();
  }
}

Result<void> Writer::start() {
  auto armed = os::Event::make();
  if (!armed) return std::move(armed).error();
  std::optional<Error> failure;
  thread_ = std::thread([this, &armed, &failure] {
    os::name_thread("dfs-writer");
    auto word = os::DeathWord::arm(parts_.control.death_word, parts_.mark);
    if (word) {
      death_word_ = std::move(*word);
    } else {
      failure = word.error();
    }
    const bool lives = !failure;
    armed->ring();  // `failure` and `armed` are gone behind this
    if (lives) run();
  });
  os::wait_readable(armed->fd(), os::Deadline::never());
  if (!failure) return {};
  thread_.join();
  return *failure;
}

void Writer::stop() {
  stopping_.store(true, std::memory_order_release);
  event_.ring();
}

void Writer::fail() {
  failed_.store(true, std::memory_order_release);
  event_.ring();
}

WriterEnd Writer::join() {
  if (thread_.joinable()) thread_.join();
  return end_;
}

void Writer::add(std::shared_ptr<Session> session) {
  {
    const std::lock_guard lock(mutex_);
    arriving_.push_back(std::move(session));
  }
  kick();
}

void Writer::kick() {
  news_for_writer_.store(true, std::memory_order_release);
  event_.ring();
}

void Writer::run() {
  auto ended = loop();
  if (!ended) {
    end_.exit_code = 74;
    end_.reason = ended.error().text();
    refuse_everything();
  } else {
    // Stored while the file lock is still held, so no successor can acknowledge what its readers
    // would not hear of.
    parts_.control.closed.store(1, std::memory_order_seq_cst);
  }
  // After a failure nobody is told anything: what is prepared is for the next daemon to answer, and
  // this one is about to end, which every client sees.
  for (const auto& session : sessions_) ended ? session->end(quota_) : session->forget(quota_);
  for (auto& [session, request] : held_) quota_.give_back(session->identity().uid, request.charged);
  held_.clear();
  ended_.store(true, std::memory_order_release);
  on_news_();
}

Result<void> Writer::loop() {
  if (auto done = commit_hand_written(); !done) return done;
  while (!stopping_.load(std::memory_order_acquire)) {
    parts_.pulse.now(Doing::working);
    if (failed_.load(std::memory_order_acquire)) {
      return Error(errc::writing_stopped, "a background sync of " + parts_.log.path() + " failed");
    }
    if (news_for_writer_.exchange(false, std::memory_order_acq_rel)) admit_and_dismiss();
    auto busy = collect();
    if (!busy) return std::move(busy).error();
    if (*busy) {
      if (auto committed = commit(); !committed) return committed;
      continue;
    }
    if (auto marked = mark_if_idle(); !marked) return marked;
    wait_for_work();
  }
  return seal();
}

Result<void> Writer::commit_hand_written() {
  for (const log::HandWritten& line : begin_.hand_written) {
    batch_.begin({os::wall_clock_ms(), parts_.control.durable.load(std::memory_order_relaxed)});
    request_.clear();
    request_.writes.push_back({line.key, line.value, {}, line.erased});
    auto refused = accept({}, 0);
    if (!refused) return std::move(refused).error();
    if (auto committed = commit(); !committed) return committed;
  }
  begin_.hand_written.clear();
  return {};
}

void Writer::admit_and_dismiss() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& session : arriving_) {
      // Its tag is not used: every session is looked at after a wake-up.
      if (poller_.add(session->doorbell(),
                      {session->identity().connection, os::Poller::Trigger::edge})) {
        sessions_.push_back(std::move(session));
      } else {
        session->drop(wire::DropReason::ended);
        session->end(quota_);
        on_news_();
      }
    }
    arriving_.clear();
  }
  for (std::size_t i = sessions_.size(); i-- > 0;) {
    if (sessions_[i]->leaving()) dismiss(i);
  }
}

void Writer::dismiss(std::size_t index) {
  // Between batches only: nothing that this daemon still makes is in the client's ring unreleased.
  Session& session = *sessions_[index];
  poller_.remove(session.doorbell());
  session.end(quota_);
  if (session.dropped() != wire::DropReason::none) {
    Counters::add(parts_.counters.dropped_clients);
    on_news_();
  }
  sessions_.erase(sessions_.begin() + static_cast<std::ptrdiff_t>(index));
  count_received();
}

bool Writer::anything_to_do() {
  if (stopping_.load(std::memory_order_seq_cst) || failed_.load(std::memory_order_seq_cst) ||
      news_for_writer_.load(std::memory_order_seq_cst)) {
    return true;
  }
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [](const auto& session) { return session->has_work(); });
}

void Writer::wait_for_work() {
  if (spins_ && !sessions_.empty()) {
    const auto until = os::Monotonic::now() + kSpin;
    while (os::Monotonic::now() < until) {
      if (anything_to_do()) return;
      os::pause_processor();
    }
  }
  const auto deadline =
      marked_ ? os::Deadline::never()
              : os::Deadline::after(last_commit_at_ + kIdleBeforeMark - os::Monotonic::now());
  const DoingFor waiting(parts_.pulse, Doing::waiting);
  wire::sleep_unless(
      parts_.control.writer_asleep, [this] { event_.drain(); }, [this] { return anything_to_do(); },
      [this, &deadline] { static_cast<void>(poller_.wait(deadline)); });
}

Result<bool> Writer::collect() {
  batch_.begin({os::wall_clock_ms(), parts_.control.durable.load(std::memory_order_relaxed)});
  answered_.clear();
  if (auto synced = sync_if_due(); !synced) return std::move(synced).error();
  // Whoever was first last time is last now, so that a full batch keeps nobody out for ever.
  const std::size_t count = sessions_.size();
  if (count > 0) first_turn_ = (first_turn_ + 1) % count;
  for (std::size_t i = 0; i < count && !batch_.full(); ++i) {
    Session& session = *sessions_[(first_turn_ + i) % count];
    if (auto collected = collect_from(session); !collected) return std::move(collected).error();
  }
  count_received();
  return !answered_.empty();
}

Result<void> Writer::collect_from(Session& session) {
  std::size_t budget = kReceiveRoundBytes;
  bool moved = false;
  while (!batch_.full()) {
    ReceivedRequest received;
    wire::Refusal refusal;
    const Received what = session.receive(quota_, budget, received, refusal);
    moved = moved || budget != kReceiveRoundBytes;
    if (what == Received::request) {
      if (auto taken = take(session, std::move(received)); !taken) return taken;
      continue;
    }
    if (what == Received::refusal) {
      refuse(session, received.whole.number, refusal);
      continue;
    }
    if (what == Received::dropped) {
      session.leave();
      news_for_writer_.store(true, std::memory_order_release);
    }
    break;
  }
  if (moved) {
    session.give_back();
    session.wake();  // it may wait for room in its ring
  }
  return {};
}

Result<void> Writer::take(Session& session, ReceivedRequest received) {
  parts_.pulse.beat();
  const std::uint64_t number = received.whole.number;
  if (auto malformed = wire::decode(archive_, received.whole.buffer.bytes(), request_)) {
    refuse(session, number, *malformed);
    session.done(quota_, std::move(received));
    return {};
  }
  const ClientIdentity& client = session.identity();
  const std::string origin = record_origins_.load(std::memory_order_relaxed)
                                 ? std::to_string(client.uid) + "/" + client.origin
                                 : std::string();
  auto refused = accept(origin, static_cast<std::uint32_t>(client.connection));
  if (!refused) return std::move(refused).error();
  if (*refused) {
    refuse(session, number, **refused);
    session.done(quota_, std::move(received));
    return {};
  }
  wire::Reply reply;
  reply.kind = wire::ReplyKind::committed;
  reply.number = number;
  reply.commitment.sequence = plan_.records.empty() ? 0 : last_;
  reply.commitment.versions_left_out = plan_.versions.size() > kMaxReplyVersions;
  if (!reply.commitment.versions_left_out) reply.commitment.versions = plan_.versions;
  answer(session, reply);
  held_.emplace_back(&session, std::move(received));
  return {};
}

Result<std::optional<wire::Refusal>> Writer::accept(std::string_view origin,
                                                    std::uint32_t connection) {
  if (auto refused = check_.check(request_, last_, connection, plan_)) return refused;
  if (request_.durable) batch_.want_sync();
  if (plan_.records.empty()) return std::optional<wire::Refusal>();
  if (parts_.go) {
    if (auto written = rewrite_go_file(); !written) {
      if (parts_.syncer.failed() || failed_.load(std::memory_order_acquire)) return written.error();
      auto refusal = refusal_of(errc::store_full, wire::Rule::disk_full, 0);
      refusal.system_errno = written.error().system_error();
      return std::optional(refusal);
    }
  }
  if (auto refused = find_memory()) return refused;
  if (auto refused = find_disk()) return refused;
  last_ = next_++;
  batch_.add(plan_, last_, origin);
  return std::optional<wire::Refusal>();
}

std::optional<wire::Refusal> Writer::find_memory() {
  Generation& generation = parts_.generation;
  const bool fits =
      plan_.only_erases || generation.fits(batch_.needed_bytes() + plan_.needed_bytes);
  if (fits && generation.index().reserve(batch_.new_keys() + plan_.new_keys,
                                         batch_.index_bytes() + plan_.index_bytes)) {
    return std::nullopt;
  }
  return refusal_of(errc::store_full, wire::Rule::memory_limit, generation.memory_limit());
}

std::optional<wire::Refusal> Writer::find_disk() {
  // At the most, which is quickly said; only where that is near the end, line by line.
  std::uint64_t bytes = batch_.lines().size();
  for (const PlannedRecord& record : plan_.records) {
    bytes += log::kMaxRecordOverhead + 6 * record.key.size() + record.value.size();
  }
  if (parts_.log.has_room(bytes)) return std::nullopt;
  bytes = batch_.lines().size() + 6 * log::kMaxByBytes;
  for (const PlannedRecord& record : plan_.records) {
    log::Record line;
    line.key = record.key;
    line.value = record.value;
    line.version = record.version;
    line.sequence = next_;
    line.commit_records = static_cast<std::uint32_t>(plan_.records.size());
    line.erased = record.erased;
    line.watermark = line.time_ms = batch_.time_ms();
    bytes += log::record_line_bytes(line);
  }
  const DoingFor disk(parts_.pulse, Doing::in_kernel);
  auto room = parts_.log.make_room(bytes);
  if (room) return std::nullopt;
  auto refusal = refusal_of(errc::store_full, wire::Rule::disk_full, 0);
  refusal.system_errno = room.error().system_error();
  return refusal;
}

void Writer::answer(Session& session, const wire::Reply& reply) {
  if (!session.replies().has_unreleased()) answered_.push_back(&session);
  session.replies().prepare(reply);
}

void Writer::refuse(Session& session, std::uint64_t number, const wire::Refusal& refusal) {
  count(refusal);
  wire::Reply reply;
  reply.kind = wire::ReplyKind::refused;
  reply.number = number;
  reply.refusal = refusal;
  answer(session, reply);
}

void Writer::count(const wire::Refusal& refusal) {
  Counters::add(parts_.counters.refusals);
  if (refusal.code == errc::version_mismatch) Counters::add(parts_.counters.mismatches);
  if (refusal.code == errc::transaction_conflict) Counters::add(parts_.counters.conflicts);
}

void Writer::count_received() {
  parts_.counters.received_bytes.store(quota_.total(), std::memory_order_relaxed);
}

Result<void> Writer::commit() {
  if (batch_.commits() > 0) {
    // From here on a client may find its sequence in its ring, and ask about it.
    parts_.ledger.prepared(last_);
    for (Session* session : answered_) session->replies().publish_prepared();
    pass(StopPoint::prepared);
    parts_.pulse.now(Doing::in_kernel);
    if (auto appended = parts_.log.append(batch_.lines()); !appended) {
      if (appended.error() == errc::writing_stopped) return appended;
      if (auto refused = refuse_batch(appended.error()); !refused) return refused;
      release();
      return {};
    }
    pass(StopPoint::appended);
    unsynced_commits_ += batch_.commits();
    parts_.syncer.written(last_);
    if (durable_ || batch_.wants_sync()) {
      if (auto synced = parts_.syncer.sync(last_); !synced) return synced;
      unsynced_commits_ = 0;
    }
    pass(StopPoint::synced);
    if (auto there = parts_.log.check_place(); !there) return there;
    parts_.pulse.now(Doing::working);
    index_and_publish();
    pass(StopPoint::published);
    marked_ = false;
    last_commit_at_ = os::Monotonic::now();
  } else if (batch_.wants_sync() && !durable_) {
    // Commits that wrote nothing but ask for durability: what they depend on is to be on disk (I1).
    const DoingFor disk(parts_.pulse, Doing::in_kernel);
    if (auto synced = parts_.syncer.sync(last_); !synced) return synced;
  }
  release();
  return {};
}

void Writer::index_and_publish() {
  index::IndexWriter& index = parts_.generation.index();
  for (const PlannedRecord& record : batch_.records()) {
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
  index.publish(last_);
  published_ = last_;
  parts_.ledger.published(last_);
  Counters& counters = parts_.counters;
  Counters::add(counters.commits, batch_.commits());
  Counters::add(counters.records, batch_.records().size());
  Counters::add(counters.batches);
  counters.live_keys.store(index.live_keys(), std::memory_order_relaxed);
  counters.live_bytes.store(index.live_bytes(), std::memory_order_relaxed);
  counters.used_bytes.store(index.used(), std::memory_order_relaxed);
  counters.log_bytes.store(parts_.log.end(), std::memory_order_relaxed);
  parts_.generation.grow_ahead();
}

void Writer::release() {
  for (Session* session : answered_) session->replies().release();
  for (Session* session : answered_) session->wake();
  for (auto& [session, request] : held_) session->done(quota_, std::move(request));
  held_.clear();
  count_received();
  if (publishes_watched_.load(std::memory_order_seq_cst)) on_news_();
}

Result<void> Writer::refuse_batch(const Error& error) {
  // The cut and the line that skips the burnt sequences are on disk before anybody hears of the
  // refusal: given again, a sequence would let `resolve` answer for the wrong commit (I5).
  if (auto cut = parts_.log.cut_back(); !cut) return cut;
  std::string line;
  log::Start start;
  start.after = published_;
  start.next = next_;
  start.watermark = published_;
  start.time_ms = batch_.time_ms();
  log::append_start(line, start);
  if (auto appended = parts_.log.append(line); !appended) return appended;
  if (auto synced = parts_.syncer.sync(published_); !synced) return synced;
  unsynced_commits_ = 0;
  parts_.ledger.burnt({published_, next_});
  last_ = published_;
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
  parts_.syncer.exclude([&] { parts_.log.replace(std::move(written->file), written->end); });
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
  if (unsynced_commits_ + kMaxBatchCommits < kMaxUnsyncedCommits) return {};
  unsynced_commits_ = 0;
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
    return parts_.log.cut_back();
  }
  unsynced_commits_ = 0;
  if (auto synced = parts_.syncer.sync(published_); !synced) return synced;
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
    return parts_.log.cut_back();
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
    std::size_t budget = kRequestRingBytes;
    ReceivedRequest received;
    wire::Refusal why;
    for (;;) {
      const Received what = session->receive(quota_, budget, received, why);
      if (what != Received::request && what != Received::refusal) break;
      refuse(*session, received.whole.number, refusal);
      session->done(quota_, std::move(received));
    }
    session->replies().release();
    session->wake();
  }
}

}  // namespace dfs::daemon
