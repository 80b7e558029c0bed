#include "daemon/commit_check.hpp"

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/index/cursor.hpp"
#include "common/index/feed.hpp"
#include "common/index/lookup.hpp"
#include "common/log/key.hpp"

namespace dfs::daemon {

namespace {

wire::Refusal refusal(errc code, wire::Subject subject, std::size_t index) {
  wire::Refusal r;
  r.code = code;
  r.subject = subject;
  r.index = static_cast<std::uint32_t>(index);
  return r;
}

wire::Refusal about_key(errc code, wire::Subject subject, std::size_t index, std::string_view key) {
  wire::Refusal r = refusal(code, subject, index);
  r.key = key;
  return r;
}

/// The refusal for a key that check_key does not take; the rule comes from what is wrong with it.
wire::Refusal bad_key(const Error& error, wire::Subject subject, std::size_t index,
                      std::string_view key) {
  wire::Refusal r = about_key(error.code(), subject, index, key.substr(0, kMaxKeyBytes));
  r.offset = error.offset();
  r.limit = error.limit();
  if (key.empty()) {
    r.rule = wire::Rule::key_empty;
  } else if (key.size() > kMaxKeyBytes) {
    r.rule = wire::Rule::key_too_long;
  } else if (r.offset < key.size() && key[r.offset] == '\0') {
    r.rule = wire::Rule::key_has_nul;
  } else {
    r.rule = wire::Rule::key_not_utf8;
  }
  // A reply's key is shown to people; what is no text is not.
  if (r.rule != wire::Rule::key_too_long) r.key = {};
  return r;
}

wire::Refusal mismatch(wire::Subject subject, std::size_t index, std::string_view key,
                       std::uint64_t version) {
  wire::Refusal r = about_key(errc::version_mismatch, subject, index, key);
  r.version = version;
  return r;
}

bool in_range(std::string_view key, const wire::ReadRange& range) {
  if (key < range.from) return false;
  switch (range.end) {
    case wire::RangeEnd::exclusive:
      return key < range.to;
    case wire::RangeEnd::inclusive:
      return key <= range.to;
    case wire::RangeEnd::everything:
      return true;
  }
  return false;
}

bool meets(const wire::Expectation& expect, bool live, std::uint64_t version) {
  switch (expect.kind) {
    case wire::Expect::any:
      return true;
    case wire::Expect::present:
      return live;
    case wire::Expect::absent:
      return !live;
    case wire::Expect::version:
      return expect.version == 0 ? !live : live && version == expect.version;
  }
  return false;
}

}  // namespace

std::optional<wire::Refusal> CommitCheck::check(const Question& question, CommitPlan& plan) {
  plan.clear();
  const wire::CommitRequest& request = question.request;
  if (request.is_one_write()) return check_one_write(question, plan);
  if (auto refused = check_syntax(request)) return refused;
  if (request.has_snapshot) {
    if (auto refused = check_reads(request, question.last)) return refused;
  }
  if (auto refused = check_expectations(request)) return refused;
  return plan_writes(request, question.connection, plan);
}

CommitCheck::Refused CommitCheck::check_one_write(const Question& question, CommitPlan& plan) {
  const wire::Write& write = question.request.writes.front();
  std::string_view value;
  if (auto refused = check_syntax({write, 0}, value)) return refused;
  const index::Location& likely = question.likely;
  const Standing now = likely.hash == 0 ? standing(write.key)
                                        : standing_at(index_->locate(likely, write.key), write.key);
  if (!meets(write.expect, now.live, now.version)) {
    return mismatch(wire::Subject::write, 0, write.key, now.live ? now.version : 0);
  }
  plan.versions.push_back(0);
  auto refused = plan_write({write, 0}, now, value, plan);
  if (!plan.records.empty()) plan.records.front().connection = question.connection;
  return refused;
}

CommitCheck::Standing CommitCheck::standing(std::string_view key) const {
  return standing_at(index_->locate(key), key);
}

CommitCheck::Standing CommitCheck::standing_at(const index::Location& location,
                                               std::string_view key) const {
  Standing found;
  found.location = location;
  if (const index::RecordHeader* record = index_->record_at(location)) {
    found.known = true;
    found.live = !record->erased();
    found.version = record->version;
    found.sequence = record->sequence;
  }
  if (const PlannedRecord* planned = batch_.newest(location.hash, key)) {
    found.known = true;
    found.live = !planned->erased;
    found.version = planned->version;
    found.sequence = planned->sequence;
  }
  return found;
}

CommitCheck::Refused CommitCheck::check_syntax(const wire::CommitRequest& request) {
  compact_.resize(request.writes.size());
  for (std::size_t i = 0; i < request.writes.size(); ++i) {
    if (auto refused = check_syntax({request.writes[i], i}, compact_[i])) return refused;
  }
  for (std::size_t i = 0; i < request.checks.size(); ++i) {
    if (auto good = log::check_key(request.checks[i].key); !good) {
      return bad_key(good.error(), wire::Subject::check, i, request.checks[i].key);
    }
  }
  return std::nullopt;
}

CommitCheck::Refused CommitCheck::check_syntax(const Place& place, std::string_view& value) {
  const wire::Write& write = place.write;
  if (auto good = log::check_key(write.key); !good) {
    return bad_key(good.error(), wire::Subject::write, place.index, write.key);
  }
  value = {};
  if (write.erase) return std::nullopt;
  auto compact = values_.compact(write.value, scratch_);
  if (!compact) {
    const Error& error = compact.error();
    wire::Refusal r = about_key(error.code(), wire::Subject::write, place.index, write.key);
    r.offset = error.offset();
    r.limit = error.limit();
    r.rule = r.code == errc::bad_value   ? wire::Rule::value_not_json
             : r.limit == kMaxValueDepth ? wire::Rule::value_too_deep
                                         : wire::Rule::value_too_long;
    return r;
  }
  value = compact->data() == scratch_.data() ? batch_.keep(std::string(*compact)) : *compact;
  return std::nullopt;
}

CommitCheck::Refused CommitCheck::check_reads(const wire::CommitRequest& request,
                                              std::uint64_t last) {
  const std::uint64_t snapshot = request.snapshot_sequence;
  // A snapshot of a history that was lost, or of one that never was: nothing read from it counts.
  if (snapshot > last || (snapshot != 0 && ledger_.lost(snapshot))) {
    return refusal(errc::transaction_conflict, wire::Subject::request, 0);
  }
  if (request.snapshot_isolation) return std::nullopt;
  for (std::size_t i = 0; i < request.reads.size(); ++i) {
    const wire::ReadKey& read = request.reads[i];
    const Standing now = standing(read.key);
    const std::uint64_t sequence = now.live ? now.sequence : 0;
    if (sequence != read.sequence) {
      return about_key(errc::transaction_conflict, wire::Subject::read, i, read.key);
    }
  }
  steps_left_ = kMaxRangeSteps;
  for (std::size_t i = 0; i < request.ranges.size(); ++i) {
    switch (check_range(request.ranges[i], snapshot)) {
      case Range::same:
        break;
      case Range::changed:
        return about_key(errc::transaction_conflict, wire::Subject::range, i,
                         request.ranges[i].from);
      case Range::too_long: {
        wire::Refusal r =
            about_key(errc::transaction_too_large, wire::Subject::range, i, request.ranges[i].from);
        r.rule = wire::Rule::range_steps;
        r.limit = kMaxRangeSteps;
        return r;
      }
    }
  }
  return std::nullopt;
}

bool CommitCheck::batch_has_live(const wire::ReadRange& range) {
  const auto& planned = batch_.in_order();
  for (auto it = planned.lower_bound(range.from); it != planned.end() && in_range(it->first, range);
       ++it) {
    if (steps_left_ > 0) --steps_left_;
    if (!batch_.record(it->second).erased) return true;
  }
  return false;
}

CommitCheck::Range CommitCheck::check_range(const wire::ReadRange& range, std::uint64_t snapshot) {
  // Everything in the batch is newer than any snapshot.
  if (batch_has_live(range)) return Range::changed;
  const std::uint64_t commits_since =
      ledger_.last_published() - std::min(ledger_.last_published(), snapshot);
  const bool feed_reaches = index::feed_base(index_->view()) <= snapshot;
  if (feed_reaches && commits_since < range.live_keys) {
    if (const auto known = walk_commits_since(range, snapshot)) return *known;
  }
  return walk_range(range, snapshot);
}

CommitCheck::Range CommitCheck::walk_range(const wire::ReadRange& range, std::uint64_t snapshot) {
  index::Cursor cursor(index_->view(), UINT64_MAX);
  cursor.limit_steps(steps_left_);
  std::uint64_t live = 0;
  if (range.from.empty()) {
    cursor.seek_first();
  } else {
    cursor.seek(range.from);
  }
  for (; cursor.valid(); cursor.next()) {
    const index::RecordHeader& record = cursor.record();
    if (!in_range(record.key(), range)) break;
    const std::string_view key = record.key();
    const PlannedRecord* planned = batch_.newest(index_->hash(key), key);
    if (planned != nullptr && planned->erased) continue;
    if (record.sequence > snapshot || ++live > range.live_keys) return Range::changed;
  }
  const bool too_long = cursor.outcome() == index::Outcome::out_of_steps;
  steps_left_ -= std::min(steps_left_, cursor.steps());
  if (too_long) return Range::too_long;
  return live == range.live_keys ? Range::same : Range::changed;
}

std::optional<CommitCheck::Range> CommitCheck::walk_commits_since(const wire::ReadRange& range,
                                                                  std::uint64_t snapshot) {
  const index::View view = index_->view();
  const auto was_live = [&](std::string_view key) {
    return index::find(view, key, snapshot).outcome == index::Outcome::found;
  };
  const auto& planned = batch_.in_order();
  for (auto it = planned.lower_bound(range.from); it != planned.end() && in_range(it->first, range);
       ++it) {
    if (was_live(it->first)) return Range::changed;  // erased by the batch: batch_has_live said so
  }
  index::FeedStep step = index::first_after(view, snapshot);
  const std::uint64_t published = ledger_.last_published();
  // A commit may be of many records: of so many that the range is the shorter way after all, as
  // long as there are steps for both.
  std::uint64_t records_left =
      range.live_keys <= steps_left_ / 2 ? range.live_keys : std::uint64_t{UINT64_MAX};
  while (step.outcome == index::Outcome::found) {
    step = index::feed_step(view, step.next, published);
    if (step.outcome != index::Outcome::found) break;
    if (steps_left_ == 0) return Range::too_long;
    if (records_left == 0) return std::nullopt;
    --steps_left_;
    --records_left;
    const std::string_view key = step.record->key();
    if (step.record->sequence <= snapshot || !in_range(key, range)) continue;
    if (standing(key).live || was_live(key)) return Range::changed;
  }
  return Range::same;
}

CommitCheck::Refused CommitCheck::check_expectations(const wire::CommitRequest& request) {
  for (std::size_t i = 0; i < request.checks.size(); ++i) {
    const wire::Check& check = request.checks[i];
    const Standing now = standing(check.key);
    if (!meets(check.expect, now.live, now.version)) {
      return mismatch(wire::Subject::check, i, check.key, now.live ? now.version : 0);
    }
  }
  standings_.clear();
  for (std::size_t i = 0; i < request.writes.size(); ++i) {
    const wire::Write& write = request.writes[i];
    const Standing& now = standings_.emplace_back(standing(write.key));
    if (!meets(write.expect, now.live, now.version)) {
      return mismatch(wire::Subject::write, i, write.key, now.live ? now.version : 0);
    }
  }
  return std::nullopt;
}

CommitCheck::Refused CommitCheck::plan_writes(const wire::CommitRequest& request,
                                              std::uint32_t connection, CommitPlan& plan) {
  const std::size_t count = request.writes.size();
  // One key written twice: the last one counts, as one record.
  last_write_.clear();
  for (std::size_t i = 0; i < count; ++i) last_write_.insert_or_assign(request.writes[i].key, i);
  plan.versions.assign(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const wire::Write& write = request.writes[i];
    if (last_write_.find(write.key)->second != i) continue;
    if (auto refused = plan_write({write, i}, standings_[i], compact_[i], plan)) return refused;
  }
  for (PlannedRecord& record : plan.records) record.connection = connection;
  for (std::size_t i = 0; i < count; ++i) {
    plan.versions[i] = plan.versions[last_write_.find(request.writes[i].key)->second];
  }
  return std::nullopt;
}

CommitCheck::Refused CommitCheck::plan_write(const Place& place, const Standing& now,
                                             std::string_view value, CommitPlan& plan) {
  const wire::Write& write = place.write;
  // Erasing what is absent writes nothing: version 0.
  if (write.erase && !now.live) return std::nullopt;
  const std::uint64_t own = now.known ? now.version : floors_.floor;
  const std::uint64_t version = std::max(own, floors_.restored) + 1;
  if (version > kMaxVersion) {
    wire::Refusal r = about_key(errc::too_large, wire::Subject::write, place.index, write.key);
    r.rule = wire::Rule::version_exhausted;
    r.limit = kMaxVersion;
    return r;
  }
  PlannedRecord& record = plan.records.emplace_back();
  record.key = write.key;
  record.value = value;
  record.version = version;
  record.erased = write.erase;
  record.location = now.location;
  plan.versions[place.index] = version;
  plan.new_keys += now.known ? 0U : 1U;
  plan.index_bytes += index::record_bytes(write.key.size(), value.size(), true);
  plan.needed_bytes += index::IndexWriter::bytes_needed(write.key.size(), value.size(), !now.known);
  plan.only_erases = plan.only_erases && write.erase;
  return std::nullopt;
}

}  // namespace dfs::daemon
