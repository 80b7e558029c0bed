// Collecting: from the rings of all clients in turn to a batch, each request checked, given its
// sequence, and its reply prepared. The rest of Writer is in writer.cpp and writer_commit.cpp.
#include <algorithm>
#include <optional>

#include "common/base/limits.hpp"
#include "common/log/encode.hpp"
#include "common/log/format.hpp"
#include "common/os/clock.hpp"
#include "daemon/faults.hpp"
#include "daemon/refusal.hpp"
#include "daemon/writer.hpp"

namespace dfs::daemon {

namespace {

// Of a record that nobody writes: one of a common size.
constexpr std::size_t kTrialKey = 64;
constexpr std::size_t kTrialValue = 1024;
// Of so many bytes in a batch nobody who sleeps has to wait for more.
constexpr std::size_t kLittle = std::size_t{64} << 10;

}  // namespace

Result<bool> Writer::collect() {
  batch_.begin({os::wall_clock_ms(), parts_.control.durable.load(std::memory_order_relaxed)});
  answered_.clear();
  group_.clear();  // of those that were withdrawn
  room_ = {};
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
    const std::size_t most = std::min(RequestGroup::kMost, kMaxBatchCommits - batch_.commits());
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
    return find_room();
  }
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
  batch_.add(plan_, last_, candidate.origin);
  return std::optional<wire::Refusal>();
}

std::optional<wire::Refusal> Writer::find_memory() {
  const Needs needs{batch_.new_keys() + plan_.new_keys, batch_.index_bytes() + plan_.index_bytes,
                    batch_.needed_bytes() + plan_.needed_bytes};
  if (needs.within(room_) || find_more_memory(needs)) return std::nullopt;
  Generations& generations = parts_.generations;
  const bool fits =
      plan_.only_erases || generations.current().fits(batch_.needed_bytes() + plan_.needed_bytes);
  // Deleting goes on when nothing else does.
  if (plan_.only_erases) generations.current().open_reserve(true);
  const bool there =
      fits && generations.current().index().reserve(batch_.new_keys() + plan_.new_keys,
                                                    batch_.index_bytes() + plan_.index_bytes);
  if (plan_.only_erases) generations.current().open_reserve(false);
  if (there) return std::nullopt;
  // So that the next one as large waits for a compaction before it is taken, if one may help.
  largest_refused_ = std::max(largest_refused_, plan_.needed_bytes);
  auto refusal =
      refusal_of(errc::store_full, wire::Rule::memory_limit, generations.budget().limit());
  const Relief relief = parts_.compactor.garbage().memory_relief();
  refusal.index = static_cast<std::uint32_t>(relief.what);
  refusal.offset = relief.bytes;
  return refusal;
}

bool Writer::find_more_memory(const Needs& needs) {
  // For what is likely to come too, so that it need not ask. What only erases asks for itself.
  constexpr std::uint64_t kBytes = std::uint64_t{64} << 10;
  constexpr std::uint64_t kKeys = 64;
  const Needs more{needs.new_keys + (plan_.new_keys > 0 ? kKeys : 0), needs.index_bytes + kBytes,
                   needs.bytes + kBytes};
  Generation& generation = parts_.generations.current();
  if (plan_.only_erases || !generation.fits(more.bytes) ||
      !generation.index().reserve(more.new_keys, more.index_bytes)) {
    return false;
  }
  room_ = more;
  return true;
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
  return find_disk(bytes);
}

std::optional<wire::Refusal> Writer::find_disk(std::uint64_t bytes) {
  const DoingFor disk(parts_.pulse, Doing::in_kernel);
  auto room = parts_.log.make_room(bytes);
  if (room) return std::nullopt;
  auto refusal = refusal_of(errc::store_full, wire::Rule::disk_full, parts_.log.end());
  refusal.system_errno = room.error().system_error();
  const Relief relief = parts_.compactor.garbage().disk_relief();
  refusal.index = static_cast<std::uint32_t>(relief.what);
  refusal.offset = relief.bytes;
  return refusal;
}

std::optional<wire::Refusal> Writer::find_room() {
  plan_.only_erases = false;
  plan_.new_keys = 1;
  plan_.index_bytes = plan_.needed_bytes = index::record_bytes(kTrialKey, kTrialValue, true);
  if (auto refused = find_memory()) return refused;
  return find_disk(batch_.lines().size() + log::kMaxRecordOverhead + 6 * kTrialKey + kTrialValue);
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
