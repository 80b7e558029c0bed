#include "daemon/room.hpp"

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/log/encode.hpp"
#include "common/log/format.hpp"
#include "daemon/refusal.hpp"

namespace dfs::daemon {

namespace {

// Of a record that nobody writes: one of a common size.
constexpr std::size_t kTrialKey = 64;
constexpr std::size_t kTrialValue = 1024;

void say_relief(const Relief& relief, wire::Refusal& refusal) {
  refusal.index = static_cast<std::uint32_t>(relief.what);
  refusal.offset = relief.bytes;
}

}  // namespace

std::optional<wire::Refusal> Room::make(const Question& question) {
  if (auto refused = make_memory(question.batch, question.plan)) return refused;
  return make_on_disk(question);
}

std::optional<wire::Refusal> Room::make_for_a_trial(const Batch& batch) {
  CommitPlan trial;
  trial.only_erases = false;
  trial.new_keys = 1;
  trial.index_bytes = trial.needed_bytes = index::record_bytes(kTrialKey, kTrialValue, true);
  if (auto refused = make_memory(batch, trial)) return refused;
  return make_on_disk(batch.lines().size() + log::kMaxRecordOverhead + 6 * kTrialKey + kTrialValue);
}

bool Room::must_wait() {
  Generations& generations = places_.generations;
  const std::uint64_t reserve =
      std::max(std::min<std::uint64_t>(kMaxCommitBytes,
                                       generations.budget().limit() / MemoryBudget::kReservePart),
               largest_refused_);
  if (generations.current().fits(reserve)) return false;
  if (places_.compactor.relieve()) return true;
  largest_refused_ = 0;  // nothing helps: no reason to keep that much free
  return false;
}

std::optional<wire::Refusal> Room::make_memory(const Batch& batch, const CommitPlan& plan) {
  const Memory needs{batch.new_keys() + plan.new_keys, batch.index_bytes() + plan.index_bytes,
                     batch.needed_bytes() + plan.needed_bytes};
  if (needs.within(known_) || make_more_memory(needs, plan)) return std::nullopt;
  Generations& generations = places_.generations;
  Generation& current = generations.current();
  const bool fits = plan.only_erases || current.fits(needs.bytes);
  // Deleting goes on when nothing else does.
  if (plan.only_erases) current.open_reserve(true);
  const bool there = fits && current.index().reserve(needs.new_keys, needs.index_bytes);
  if (plan.only_erases) current.open_reserve(false);
  if (there) return std::nullopt;
  // So that the next one as large waits for a compaction before it is taken, if one may help.
  largest_refused_ = std::max(largest_refused_, plan.needed_bytes);
  auto refusal =
      refusal_of(errc::store_full, wire::Rule::memory_limit, generations.budget().limit());
  say_relief(places_.compactor.garbage().memory_relief(), refusal);
  return refusal;
}

bool Room::make_more_memory(const Memory& needs, const CommitPlan& plan) {
  // For what is likely to come too, so that it need not ask. What only erases asks for itself.
  constexpr std::uint64_t kBytes = std::uint64_t{64} << 10;
  constexpr std::uint64_t kKeys = 64;
  const Memory more{needs.new_keys + (plan.new_keys > 0 ? kKeys : 0), needs.index_bytes + kBytes,
                    needs.bytes + kBytes};
  Generation& generation = places_.generations.current();
  if (plan.only_erases || !generation.fits(more.bytes) ||
      !generation.index().reserve(more.new_keys, more.index_bytes)) {
    return false;
  }
  known_ = more;
  return true;
}

std::optional<wire::Refusal> Room::make_on_disk(const Question& question) {
  const Batch& batch = question.batch;
  const CommitPlan& plan = question.plan;
  // At the most, which is quickly said; only where that is near the end, line by line.
  std::uint64_t bytes = batch.lines().size();
  for (const PlannedRecord& record : plan.records) {
    bytes += log::kMaxRecordOverhead + 6 * record.key.size() + record.value.size();
  }
  if (places_.log.has_room(bytes)) return std::nullopt;
  bytes = batch.lines().size() + 6 * log::kMaxByBytes;
  for (const PlannedRecord& record : plan.records) {
    log::Record line;
    line.key = record.key;
    line.value = record.value;
    line.version = record.version;
    line.sequence = question.sequence;
    line.commit_records = static_cast<std::uint32_t>(plan.records.size());
    line.erased = record.erased;
    line.watermark = line.time_ms = batch.time_ms();
    bytes += log::record_line_bytes(line);
  }
  return make_on_disk(bytes);
}

std::optional<wire::Refusal> Room::make_on_disk(std::uint64_t bytes) {
  const DoingFor disk(places_.pulse, Doing::in_kernel);
  auto room = places_.log.make_room(bytes);
  if (room) return std::nullopt;
  auto refusal = refusal_of(errc::store_full, wire::Rule::disk_full, places_.log.end());
  refusal.system_errno = room.error().system_error();
  say_relief(places_.compactor.garbage().disk_relief(), refusal);
  return refusal;
}

}  // namespace dfs::daemon
