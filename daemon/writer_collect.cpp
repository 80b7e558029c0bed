// Collecting: from the rings of all clients in turn to a batch, each request checked, given its
// sequence, and its reply prepared. The rest of Writer is in writer.cpp and writer_commit.cpp.
#include <algorithm>
#include <optional>

#include "common/base/limits.hpp"
#include "common/os/clock.hpp"
#include "daemon/faults.hpp"
#include "daemon/refusal.hpp"
#include "daemon/writer.hpp"

namespace dfs::daemon {

namespace {

// Of so many bytes in a batch nobody who sleeps has to wait for more.
constexpr std::size_t kLittle = std::size_t{64} << 10;

}  // namespace

Result<bool> Writer::collect() {
  batch_.begin({os::wall_clock_ms(), parts_.control.durable.load(std::memory_order_relaxed)},
               durable_);
  answered_.clear();
  group_.clear();  // of those that were withdrawn
  room_.begin();
  if (auto synced = sync_if_due(); !synced) return std::move(synced).error();
  // Whoever was first last time is last now, so that a full batch keeps nobody out for ever.
  const std::size_t count = sessions_.size();
  if (count > 0) first_turn_ = (first_turn_ + 1) % count;
  for (std::size_t i = 0; i < count && !batch_.full(); ++i) {
    Session& session = *sessions_[(first_turn_ + i) % count];
    if (batch_.lines().size() > kLittle) wake_answered();
    if (auto collected = collect_from(session); !collected) return std::move(collected).error();
  }
  count_received();
  return !answered_.empty();
}

Result<void> Writer::collect_from(Session& session) {
  Session::Receiving with{quota_, group_.intake(), kReceiveRoundBytes};
  do {
    // A batch is never more than full by a commit's lines, nor by a commit.
    const std::size_t most = std::min(RequestGroup::kMost, batch_.commits_left());
    group_.receive(session, with, most, parts_.generations.current().index());
    for (const RequestGroup::Taken& one : group_.requests()) {
      if (auto taken = take(session, one); !taken) return taken;
    }
    if (group_.end() == Received::refusal) {
      refuse(session, group_.refused().number, *group_.refused().malformed);
    }
    session.answered();
  } while (!batch_.full() &&
           (group_.end() == Received::request || group_.end() == Received::refusal));
  if (group_.end() == Received::dropped) {
    session.leave();
    news_for_writer_.store(true, std::memory_order_release);
  }
  if (with.budget != kReceiveRoundBytes) {
    session.give_back();
    session.wake_for_room();
  }
  return {};
}

Result<void> Writer::take(Session& session, const RequestGroup::Taken& taken) {
  parts_.pulse.beat();
  if (taken.malformed) {
    refuse(session, taken.number, *taken.malformed);
    return {};
  }
  const ClientIdentity& client = session.identity();
  const std::string origin = record_origins_.load(std::memory_order_relaxed)
                                 ? std::to_string(client.uid) + "/" + client.origin
                                 : std::string();
  auto refused = accept(
      {taken.request, origin, static_cast<std::uint32_t>(client.connection), group_.likely(taken)});
  if (!refused) return std::move(refused).error();
  if (*refused) {
    refuse(session, taken.number, **refused);
    return {};
  }
  wire::Commitment commitment;
  commitment.sequence = plan_.records.empty() ? 0 : last_;
  commitment.versions_left_out = plan_.versions.size() > kMaxReplyVersions;
  if (!commitment.versions_left_out) commitment.versions = plan_.versions;
  will_answer(session);
  session.replies().prepare(taken.number, commitment);
  for (const PlannedRecord& record : plan_.records) {
    parts_.generations.current().index().prefetch_change(record.location);
  }
  return {};
}

Result<std::optional<wire::Refusal>> Writer::accept(const Candidate& candidate) {
  const wire::CommitRequest& request = candidate.request;
  if (auto refused =
          check_.check({request, last_, candidate.connection, candidate.likely}, plan_)) {
    return refused;
  }
  if (request.durable) batch_.want_sync();
  if (request.writes.empty() && request.checks.empty() && request.reads.empty() &&
      request.ranges.empty()) {
    return room_.make_for_a_trial(batch_);
  }
  if (plan_.records.empty()) return std::optional<wire::Refusal>();
  if (parts_.go) {
    if (auto written = rewrite_go_file(); !written) {
      if (written.error() == errc::writing_stopped || parts_.syncer.failed() ||
          failed_.load(std::memory_order_acquire)) {
        return written.error();
      }
      auto refusal = refusal_of(errc::store_full, wire::Rule::disk_full, 0);
      refusal.system_errno = written.error().system_error();
      return std::optional(refusal);
    }
  }
  if (auto refused = room_.make({batch_, plan_, next_})) return refused;
  last_ = next_++;
  batch_.add(plan_, last_, candidate.origin);
  return std::optional<wire::Refusal>();
}

void Writer::will_answer(Session& session) {
  if (!session.replies().has_unreleased()) answered_.push_back(&session);
}

void Writer::refuse(Session& session, std::uint64_t number, const wire::Refusal& refusal) {
  count(refusal);
  will_answer(session);
  session.replies().prepare(number, refusal);
}

void Writer::count(const wire::Refusal& refusal) {
  Counters::add(parts_.counters.refusals);
  if (refusal.code == errc::version_mismatch) Counters::add(parts_.counters.mismatches);
  if (refusal.code == errc::transaction_conflict) Counters::add(parts_.counters.conflicts);
}

void Writer::count_received() {
  parts_.counters.received_bytes.store(quota_.total(), std::memory_order_relaxed);
}

}  // namespace dfs::daemon
