#include "common/log/repair.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "common/base/assert.hpp"
#include "common/base/limits.hpp"
#include "common/log/base_part.hpp"
#include "common/log/encode.hpp"
#include "common/log/go_file.hpp"
#include "common/log/lines.hpp"
#include "common/log/recovery.hpp"
#include "common/log/salvage.hpp"

namespace dfs::log {

namespace {

struct Stretch {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

// The parts of [from, to] that no start line skips.
std::vector<Stretch> not_skipped(std::uint64_t from, std::uint64_t to,
                                 const std::vector<Start>& starts) {
  std::vector<Stretch> left;
  for (const Start& start : starts) {
    if (start.next <= from) continue;
    if (start.after >= to) break;
    if (start.after >= from) left.push_back({from, start.after});
    from = std::max(from, start.next);
  }
  if (from <= to) left.push_back({from, to});
  return left;
}

std::string commits_text(const Stretch& stretch) {
  return stretch.from == stretch.to ? "commit " + std::to_string(stretch.from) + " is"
                                    : "commits " + std::to_string(stretch.from) + " to " +
                                          std::to_string(stretch.to) + " are";
}

// The second half of a repair: from what could be read to a log.
class Rebuild {
 public:
  Rebuild(Salvage found, const RepairOptions& options)
      : found_(std::move(found)), options_(options) {
    result_.findings = std::move(found_.findings);
    result_.lines = found_.lines;
    result_.new_store = !found_.first;
    if (found_.base) {
      base_ = found_.base->sequence;
      floor_ = found_.base->floor;
      restored_ = found_.base->restored;
    }
    if (found_.first) base_ = std::max(base_, found_.first->base);
    if (found_.base) {
      for (const Gap& gap : found_.base->gaps.list()) {
        if (gap.next <= base_ || gap.after == base_) gaps_.add(gap.after, gap.next);
        // Its start line went into the base; nothing between was ever given.
        if (gap.after == base_) found_.starts.push_back({.after = gap.after, .next = gap.next});
      }
    }
    std::sort(found_.starts.begin(), found_.starts.end(),
              [](const Start& a, const Start& b) { return a.after < b.after; });
    last_ = base_;
    highest_ = found_.highest_sequence;
    if (!gaps_.empty()) highest_ = std::max(highest_, gaps_.list().back().next);
    highest_ = std::max(highest_, base_);
    renumbered_ = highest_;
  }

  Result<Repaired> run() {
    note_limits();
    if (options_.accept_edits) {
      take_in_order_of_file();
    } else {
      take_in_order_of_commits();
    }
    count_missing();
    raise_floors();
    if (next_sequence(renumbered_, highest_, false) > kMaxSequence) {
      return Error(errc::damaged, "its sequences are used up");
    }
    write();
    return finished();
  }

 private:
  // --- which records count

  void take_in_order_of_file() {
    for (const SalvagedRecord& one : found_.records) {
      Record record = one.record;
      if (record.in_base) {
        apply(record);
        continue;
      }
      if (record.sequence > 0) record.time_ms = one.batch_time_ms;
      if (is_repeated(record)) {
        say(one, false, "left out: the same line once more");
        continue;
      }
      const bool same_commit = record.sequence == last_ && record.commit_records > 1;
      if (record.sequence > last_ && !gaps_.lost(record.sequence)) {
        follow(record.sequence);
      } else if (!same_commit) {
        renumber(record, one);
      }
      if (record.version <= last_version(record.key, one.record.sequence == 0)) {
        record.version = next_version(record.key);
      }
      apply(record);
    }
  }

  // Says what is the case already.
  [[nodiscard]] bool is_repeated(const Record& record) const {
    const auto version = versions_.find(record.key);
    if (version == versions_.end() || version->second != record.version) return false;
    const auto found = live_.find(record.key);
    if (found == live_.end()) return record.erased;
    return !record.erased && found->second.value == record.value;
  }

  void renumber(Record& record, const SalvagedRecord& one) {
    const std::uint64_t was = record.sequence;
    record.sequence = ++renumbered_;
    new_commits_.push_back(record.sequence);
    say(one, false,
        (was == 0 ? std::string("taken: written by hand; ")
                  : "taken: commit " + std::to_string(was) + " does not stand in its order; ") +
            "it becomes commit " + std::to_string(record.sequence));
  }

  void take_in_order_of_commits() {
    std::vector<const SalvagedRecord*> sorted;
    for (const SalvagedRecord& one : found_.records) sorted.push_back(&one);
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
      return a->record.sequence < b->record.sequence;
    });
    for (std::size_t begin = 0; begin < sorted.size();) {
      std::size_t end = begin;
      while (end < sorted.size() &&
             sorted[end]->record.sequence == sorted[begin]->record.sequence) {
        ++end;
      }
      take_commit({sorted.begin() + static_cast<std::ptrdiff_t>(begin),
                   sorted.begin() + static_cast<std::ptrdiff_t>(end)});
      begin = end;
    }
  }

  // The lines of one sequence: each key once, and all of them or none.
  void take_commit(const std::vector<const SalvagedRecord*>& lines) {
    const std::uint64_t sequence = lines.front()->record.sequence;
    std::map<std::string_view, const SalvagedRecord*> by_key;
    for (const SalvagedRecord* one : lines) {
      const auto [place, is_new] = by_key.emplace(one->record.key, one);
      const Record& other = place->second->record;
      const bool same = other.version == one->record.version &&
                        other.erased == one->record.erased && other.value == one->record.value;
      if (!is_new && !same) {
        say(*one, true,
            "lost: commit " + std::to_string(sequence) +
                " changes this key on another line already, differently");
      }
    }
    const Record& leader = by_key.begin()->second->record;
    const bool skipped = sequence > base_ && is_skipped(sequence);
    const bool whole =
        leader.in_base || leader.commit_records == 1 || by_key.size() == leader.commit_records;
    for (const auto& [key, one] : by_key) {
      if (skipped) {
        say(*one, true,
            "lost: commit " + std::to_string(sequence) + " was refused: a start line skips it");
      } else if (!whole) {
        say(*one, true,
            "lost: " + std::to_string(by_key.size()) + " of the " +
                std::to_string(leader.commit_records) + " lines of commit " +
                std::to_string(sequence) +
                " can be read, and it counts whole or not "
                "at all; --accept-edits takes them by themselves");
      } else {
        Record record = one->record;
        if (!record.in_base) record.time_ms = one->batch_time_ms;
        apply(record);
      }
    }
    if (whole && !skipped && sequence > last_) follow(sequence);
  }

  [[nodiscard]] bool is_skipped(std::uint64_t sequence) const {
    if (gaps_.lost(sequence)) return true;
    return std::any_of(found_.starts.begin(), found_.starts.end(), [&](const Start& start) {
      return sequence > start.after && sequence < start.next;
    });
  }

  // A commit behind the last one; what lies between belongs to nobody any more.
  void follow(std::uint64_t sequence) {
    if (base_is_known() && sequence > last_ + 1) {
      gaps_.add(last_, sequence);
      missing(last_ + 1, sequence - 1);
    }
    last_ = sequence;
  }

  void missing(std::uint64_t from, std::uint64_t to) {
    for (const Stretch& stretch : not_skipped(from, to, found_.starts)) {
      result_.lost_commits += stretch.to - stretch.from + 1;
      result_.findings.push_back({0, 0, true, commits_text(stretch) + " not there whole"});
    }
  }

  // Where the base ends; without it nothing tells which sequences there should be.
  [[nodiscard]] bool base_is_known() const {
    return found_.first || found_.base ||
           (!found_.starts.empty() && found_.starts.front().after == 0);
  }

  void count_missing() {
    std::uint64_t known = found_.watermark;
    for (const Start& start : found_.starts) known = std::max(known, start.after);
    if (base_is_known() && known > last_) missing(last_ + 1, known);
  }

  // --- the state

  void apply(const Record& record) {
    if (record.erased) {
      floor_ = std::max(floor_, record.version);
      live_.erase(record.key);
    } else {
      live_.insert_or_assign(record.key, record);
    }
    versions_[record.key] = record.version;
  }

  // Whoever wrote a line by hand does not know what versions its key has had before the base.
  [[nodiscard]] std::uint64_t last_version(std::string_view key, bool by_hand) const {
    const auto found = versions_.find(key);
    if (found != versions_.end()) return found->second;
    return by_hand && found_.base ? std::max(found_.base->floor, found_.base->restored) : 0;
  }

  [[nodiscard]] std::uint64_t next_version(std::string_view key) const {
    const auto found = versions_.find(key);
    const std::uint64_t last = found == versions_.end() ? floor_ : found->second;
    return std::min(std::max(last, restored_) + 1, kMaxVersion);
  }

  void note_limits() {
    for (const SalvagedRecord& one : found_.records) {
      highest_version_ = std::max(highest_version_, one.record.version);
      base_records_ += one.record.in_base ? 1U : 0U;
    }
  }

  // Each lost commit may have given any key one more version. Of lost lines of a base nobody knows
  // how often theirs had changed; but never more often than there were commits.
  void raise_floors() {
    const bool base_lost = !base_is_known() || (base_ > 0 && !found_.base) ||
                           (found_.base && found_.base->records != base_records_);
    const std::uint64_t lost = result_.lost_commits + found_.unreadable;
    std::uint64_t raised = lost > 0 ? std::max(highest_version_, floor_) + lost : 0;
    if (base_lost) raised = std::max({raised, highest_version_, highest_});
    if (base_lost && found_.base && found_.base->records > base_records_) {
      result_.findings.push_back({0, 0, true,
                                  std::to_string(found_.base->records - base_records_) +
                                      " of the " + std::to_string(found_.base->records) +
                                      " records of the base are not there"});
    } else if (base_lost) {
      result_.findings.push_back({0, 0, true, "how much of its base is lost cannot be told"});
    }
    restored_ = std::min(std::max(restored_, raised), kMaxVersion);
  }

  // --- the new log

  void write() {
    if (!new_commits_.empty()) {
      if (new_commits_.front() > last_ + 1) gaps_.add(last_, new_commits_.front());
      last_ = new_commits_.back();
    }
    const std::uint64_t base = std::max<std::uint64_t>(last_, 1);
    First first = found_.first.value_or(First{.store = options_.store_id});
    first.base = base;
    first.dfs = options_.dfs_version;
    BasePart part(result_.bytes, first);
    for (const auto& [key, record] : live_) part.add(record);
    part.end({.floor = floor_, .restored = restored_, .gaps = gaps_, .time_ms = options_.time_ms});
    append_start(result_.bytes, {.after = base,
                                 .next = next_sequence(base, highest_, false),
                                 .watermark = base,
                                 .time_ms = options_.time_ms});
    result_.records = live_.size();
  }

  Repaired finished() {
    std::stable_sort(result_.findings.begin(), result_.findings.end(),
                     [](const RepairFinding& a, const RepairFinding& b) {
                       // What is about the whole file comes last.
                       return a.line - 1 < b.line - 1;
                     });
    std::set<std::uint64_t> lost;
    for (const RepairFinding& finding : result_.findings) {
      if (finding.lost && finding.line > 0) lost.insert(finding.line);
    }
    result_.lost_lines = lost.size();
    return std::move(result_);
  }

  void say(const SalvagedRecord& one, bool lost, std::string text) {
    result_.findings.push_back({one.line, one.offset, lost, std::move(text)});
  }

  Salvage found_;
  const RepairOptions& options_;
  Repaired result_;

  std::uint64_t base_ = 0;
  std::uint64_t last_ = 0;        // the last commit taken over under its own sequence
  std::uint64_t highest_ = 0;     // used or announced in the old log
  std::uint64_t renumbered_ = 0;  // the last sequence given anew
  std::vector<std::uint64_t> new_commits_;
  Gaps gaps_;
  std::uint64_t floor_ = 0;
  std::uint64_t restored_ = 0;
  std::uint64_t highest_version_ = 0;
  std::uint64_t base_records_ = 0;
  std::map<std::string_view, Record> live_;             // in the order of a base
  std::map<std::string_view, std::uint64_t> versions_;  // of live and of erased keys
};

class NoVisitor final : public RecordVisitor {
 public:
  Result<void> record(const Record&) override { return {}; }
};

// A file of the Go library has no checksums: a line that can be read counts.
Result<Repaired> repair_go_file(std::string_view bytes) {
  Repaired result;
  result.go_file = true;
  Line line;
  for (Lines lines(bytes); !lines.at_end();) {
    lines.next();
    ++result.lines;
    const std::string_view text = without_wrapping(lines.text());
    decode(text, line);
    const bool readable = line.kind == LineKind::record && line.record.sequence == 0;
    if (readable && line.record.version > 0) {
      result.bytes += text;
      result.bytes += '\n';
      continue;
    }
    const std::string reason = readable                     ? "it has no \"v\", the version"
                               : line.kind == LineKind::bad ? line.reason
                                                            : "it cannot stand in such a file";
    result.findings.push_back({lines.number(), lines.offset(), true, "lost: " + reason});
    ++result.lost_lines;
  }
  auto file = read_go_file(result.bytes);
  if (result.bytes.empty() || !looks_like_go_file(result.bytes) || !file) {
    return Error(errc::damaged, "no line in it can be read");
  }
  result.records = file->records.size();
  return result;
}

}  // namespace

Result<Repaired> repair(std::string_view bytes, const RepairOptions& options) {
  if (looks_like_go_file(bytes)) return repair_go_file(bytes);
  auto found = salvage(bytes, options.accept_edits);
  if (!found) return std::move(found).error();
  const bool ours = found->first || found->base || found->highest_sequence > 0;
  if (!ours) return repair_go_file(bytes);
  auto repaired = Rebuild(std::move(*found), options).run();
  if (!repaired) return repaired;
  NoVisitor nobody;
  const Recovery check = recover(repaired->bytes, nobody);
  DFS_ASSERT(check.kind == RecoveryKind::whole && check.records == repaired->records,
             "what a repair writes is whole");
  return repaired;
}

}  // namespace dfs::log
