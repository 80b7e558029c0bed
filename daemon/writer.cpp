#include "daemon/writer.hpp"

#include <algorithm>
#include <cerrno>
#include <future>
#include <utility>

#include "common/log/encode.hpp"
#include "common/log/format.hpp"
#include "common/os/clock.hpp"
#include "common/os/process.hpp"
#include "common/wire/waiting.hpp"
#include "daemon/faults.hpp"

namespace dfs::daemon {

namespace {

constexpr std::uint64_t kEventTag = 0;

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
      record_origins_(parts_.options.record_origins),
      event_(std::move(event)),
      begin_(std::move(start)),
      poller_(std::move(poller)),
      quota_(parts_.options.queue_bytes),
      check_(parts_.generations.current().index(), batch_, parts_.ledger, begin_.floors),
      room_({parts_.log, parts_.generations, parts_.compactor, parts_.pulse}),
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
  std::promise<Result<void>> armed;
  auto outcome = armed.get_future();
  thread_ = std::thread([this, armed = std::move(armed)]() mutable {
    os::name_thread("dfs-writer");
    auto word = os::DeathWord::arm(parts_.control.death_word, parts_.mark);
    if (!word) {
      armed.set_value(Result<void>(std::move(word).error()));
      return;
    }
    death_word_ = std::move(*word);
    armed.set_value(Result<void>());
    run();
  });
  Result<void> begun = outcome.get();
  if (!begun) thread_.join();
  return begun;
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
  wake_answered();
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
  ended_.store(true, std::memory_order_release);
  on_news_();
}

Result<void> Writer::loop() {
  count_state();
  if (!parts_.go) note_checkpoint();
  if (auto done = commit_hand_written(); !done) return done;
  while (!stopping_.load(std::memory_order_acquire)) {
    parts_.pulse.now(Doing::working);
    if (failed_.load(std::memory_order_acquire)) {
      return Error(errc::writing_stopped, "a background sync of " + parts_.log.path() + " failed");
    }
    if (news_for_writer_.exchange(false, std::memory_order_acq_rel)) admit_and_dismiss();
    if (parts_.compactor.wants_turn()) {
      if (auto switched = take_turn(); !switched) return switched;
    }
    if (must_wait_for_compactor()) {
      wait_for_compactor();
      continue;
    }
    auto busy = collect();
    if (!busy) return std::move(busy).error();
    if (*busy) {
      if (auto committed = commit(); !committed) return committed;
      continue;
    }
    wake_answered();
    if (auto marked = mark_if_idle(); !marked) return marked;
    wait_for_work();
  }
  return seal();
}

Result<void> Writer::take_turn() {
  wake_answered();
  const DoingFor disk(parts_.pulse, Doing::in_kernel);
  auto handed = parts_.compactor.turn(checkpoint(os::Monotonic::now()));
  if (!handed) return std::move(handed).error();
  if (!handed->done) return {};
  begin_.floors = handed->floors;
  check_.use(parts_.generations.current().index(), handed->floors);
  note_checkpoint();
  count_state();
  on_news_();  // who waits for the disk
  return {};
}

bool Writer::must_wait_for_compactor() {
  return parts_.log.end() >= parts_.compactor.pause_at() || room_.must_wait();
}

void Writer::wait_for_compactor() {
  wake_answered();
  // Only the compactor, main and the syncer ring this bell: what clients send waits in their rings,
  // from where they may withdraw it.
  event_.drain();
  parts_.compactor.about_to_wait();
  if (stopping_.load(std::memory_order_acquire) || failed_.load(std::memory_order_acquire) ||
      news_for_writer_.load(std::memory_order_acquire) || parts_.compactor.wants_turn() ||
      !must_wait_for_compactor()) {
    return;
  }
  const DoingFor waiting(parts_.pulse, Doing::waiting);
  os::wait_readable(event_.fd(), os::Deadline::never());
}

Checkpoint Writer::checkpoint(os::Monotonic::time_point time) const {
  return {published_, next_, parts_.log.end(), parts_.generations.current().index().used(), time};
}

void Writer::note_checkpoint() { parts_.compactor.note(checkpoint(os::Monotonic::now())); }

Result<void> Writer::commit_hand_written() {
  for (const log::HandWritten& line : begin_.hand.lines) {
    if (auto synced = sync_if_due(); !synced) return synced;
    batch_.begin({os::wall_clock_ms(), parts_.control.durable.load(std::memory_order_relaxed)},
                 durable_);
    room_.begin();
    wire::CommitRequest request;
    request.writes.push_back({line.key, line.value, {}, line.erased});
    auto refused = accept({request, {}, 0, {}});
    if (!refused) return std::move(refused).error();
    if (*refused) return hand_written_left(wire::to_error(**refused).text());
    const std::uint64_t sequence = last_;
    if (auto committed = commit(); !committed) return committed;
    // A batch that could not be appended is refused; here there is nobody who would hear of it.
    if (published_ < sequence) return hand_written_left("the log cannot be appended to");
  }
  return forget_hand_written();
}

Error Writer::hand_written_left(std::string_view why) const {
  return Error(errc::store_full, "cannot commit all that was written by hand in " +
                                     parts_.log.path() + ": " + std::string(why) +
                                     "; each start tries the rest again, from " + begin_.hand.file +
                                     ": make room, or take that file away");
}

Result<void> Writer::forget_hand_written() {
  if (begin_.hand.file.empty()) return {};
  // Before anybody else commits: by what stands behind it the next start knows what of it is left.
  const DoingFor disk(parts_.pulse, Doing::in_kernel);
  if (auto synced = parts_.syncer.sync(published_); !synced) return synced;
  if (auto removed = os::remove(begin_.hand.file); !removed) return removed;
  pass(StopPoint::hand_removed);
  if (auto synced = os::sync_directory_of(begin_.hand.file); !synced) return synced;
  begin_.hand = {};
  return {};
}

void Writer::admit_and_dismiss() {
  wake_answered();
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
      news_for_writer_.load(std::memory_order_seq_cst) || parts_.compactor.wants_turn()) {
    return true;
  }
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [](const auto& session) { return session->has_work(); });
}

void Writer::wait_for_work() {
  if (!sessions_.empty() && spin_.finds([this] { return anything_to_do(); })) return;
  const auto deadline =
      marked_ ? os::Deadline::never()
              : os::Deadline::after(last_commit_at_ + kIdleBeforeMark - os::Monotonic::now());
  const DoingFor waiting(parts_.pulse, Doing::waiting);
  wire::sleep_unless(
      parts_.control.writer_asleep,
      [this] {
        // A ring that is not drained ends the next sleep, and is drained before the one after.
        if (std::exchange(event_rang_, false)) event_.drain();
      },
      [this] { return anything_to_do(); },
      [this, &deadline] {
        for (const os::Ready& ready : poller_.wait(deadline)) {
          event_rang_ = event_rang_ || ready.tag == kEventTag;
        }
      });
}

}  // namespace dfs::daemon
