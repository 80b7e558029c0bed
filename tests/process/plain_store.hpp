// What a store must be, as a plain map with versions: the same rules as the daemon's, by whole
// copies of everything after each commit, so that nothing in it can be clever.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <dfs/error.hpp>

namespace dfs::test {

/// A key that was ever written.
struct PlainKey {
  bool live = false;
  std::uint64_t version = 0;
  std::uint64_t sequence = 0;
  std::string value;
};
using PlainContent = std::map<std::string, PlainKey>;

struct PlainExpectation {
  enum class Kind : std::uint8_t { any, present, absent, version } kind = Kind::any;
  std::uint64_t version = 0;
};
struct PlainCheck {
  std::string key;
  PlainExpectation expect;
};
struct PlainWrite {
  std::string key;
  std::optional<std::string> value;  ///< none: an erase
  PlainExpectation expect;
};
struct PlainRange {
  std::string from;
  std::string to;
  enum class End : std::uint8_t { exclusive, inclusive, everything } end = End::everything;

  [[nodiscard]] bool holds(const std::string& key) const {
    if (key < from) return false;
    return end == End::everything || (end == End::exclusive ? key < to : key <= to);
  }
};
/// What a client asks for.
struct PlainCommit {
  bool durable = false;
  bool snapshot_isolation = false;
  std::optional<std::uint64_t> snapshot;  ///< a sequence; none: it read nothing
  std::vector<std::string> reads;
  std::vector<PlainRange> ranges;
  std::vector<PlainCheck> checks;
  std::vector<PlainWrite> writes;
};

/// What must be answered.
struct PlainAnswer {
  std::optional<errc> refused;
  std::string key;                      ///< of a refusal, where it is about one
  std::uint64_t version = 0;            ///< the key's real version (version_mismatch)
  bool phantom = false;                 ///< refused since a range has keys that it had not
  bool lost_snapshot = false;           ///< refused since its snapshot was lost
  std::vector<std::uint64_t> versions;  ///< one for each write
  bool wrote = false;
};

/// Everything by copies. Threads: one.
class PlainStore {
 public:
  struct Floors {
    std::uint64_t floor = 0;
    std::uint64_t restored = 0;
  };

  void begin(PlainContent content, std::uint64_t base, Floors floors) {
    floors_ = floors;
    now_ = content;
    history_.clear();
    history_[0] = {};
    history_[base] = std::move(content);
    last_ = base;
    oldest_ = base;
  }

  /// The live keys of a content.
  [[nodiscard]] static PlainContent live(const PlainContent& content) {
    PlainContent kept;
    for (const auto& [key, what] : content) {
      if (what.live) kept.emplace(key, what);
    }
    return kept;
  }
  [[nodiscard]] const PlainContent& now() const { return now_; }
  /// The store after each commit, by sequence; 0 is before all of them.
  [[nodiscard]] const std::map<std::uint64_t, PlainContent>& history() const { return history_; }
  [[nodiscard]] bool has(std::uint64_t sequence) const { return history_.count(sequence) != 0; }
  [[nodiscard]] std::uint64_t last() const { return last_; }
  /// The sequence that the file's base stands for: nothing between 0 and it can be read.
  [[nodiscard]] std::uint64_t oldest() const { return oldest_; }

  /// What the daemon must answer now; changes nothing.
  [[nodiscard]] PlainAnswer judge(const PlainCommit& commit) const {
    PlainAnswer answer;
    if (judge_reads(commit, answer)) return answer;
    for (const PlainCheck& check : commit.checks) {
      if (judge_expectation(check.key, check.expect, answer)) return answer;
    }
    for (const PlainWrite& write : commit.writes) {
      if (judge_expectation(write.key, write.expect, answer)) return answer;
    }
    for (const PlainWrite& write : commit.writes) {
      const PlainWrite& counts = last_write_of(commit, write.key);
      const bool writes = counts.value || is_live(write.key);
      answer.versions.push_back(writes ? next_version(write.key) : 0);
      answer.wrote = answer.wrote || writes;
    }
    return answer;
  }

  /// Makes an accepted commit happen.
  void apply(const PlainCommit& commit, const PlainAnswer& answer, std::uint64_t sequence) {
    for (std::size_t i = 0; i < commit.writes.size(); ++i) {
      const PlainWrite& counts = last_write_of(commit, commit.writes[i].key);
      if (answer.versions[i] == 0) continue;
      now_[counts.key] = {counts.value.has_value(), answer.versions[i], sequence,
                          counts.value.value_or(std::string())};
    }
    history_[sequence] = now_;
    last_ = sequence;
  }

  /// Forgets every commit after `sequence`.
  void go_back_to(std::uint64_t sequence) {
    history_.erase(history_.upper_bound(sequence), history_.end());
    last_ = history_.rbegin()->first;
    now_ = history_.rbegin()->second;
  }

  [[nodiscard]] bool is_live(const std::string& key) const {
    const auto found = now_.find(key);
    return found != now_.end() && found->second.live;
  }

 private:
  [[nodiscard]] std::uint64_t next_version(const std::string& key) const {
    const auto found = now_.find(key);
    const std::uint64_t own = found == now_.end() ? floors_.floor : found->second.version;
    return std::max(own, floors_.restored) + 1;
  }
  [[nodiscard]] static const PlainWrite& last_write_of(const PlainCommit& commit,
                                                       const std::string& key) {
    return *std::find_if(commit.writes.rbegin(), commit.writes.rend(),
                         [&key](const PlainWrite& w) { return w.key == key; });
  }

  [[nodiscard]] bool judge_reads(const PlainCommit& commit, PlainAnswer& answer) const {
    if (!commit.snapshot) return false;
    const auto found = history_.find(*commit.snapshot);
    if (found == history_.end()) {
      answer.refused = errc::transaction_conflict;
      answer.lost_snapshot = true;
      return true;
    }
    if (commit.snapshot_isolation) return false;
    const auto sequence_of = [](const PlainContent& content, const std::string& key) {
      const auto at = content.find(key);
      return at != content.end() && at->second.live ? at->second.sequence : 0;
    };
    for (const std::string& key : commit.reads) {
      if (sequence_of(found->second, key) == sequence_of(now_, key)) continue;
      answer.refused = errc::transaction_conflict;
      answer.key = key;
      return true;
    }
    for (const PlainRange& range : commit.ranges) {
      const auto then = live_in(found->second, range);
      const auto now = live_in(now_, range);
      if (then == now) continue;
      answer.refused = errc::transaction_conflict;
      answer.key = range.from;
      for (const auto& [key, sequence] : now) answer.phantom |= then.count(key) == 0;
      return true;
    }
    return false;
  }
  [[nodiscard]] static std::map<std::string, std::uint64_t> live_in(const PlainContent& content,
                                                                    const PlainRange& range) {
    std::map<std::string, std::uint64_t> keys;
    for (const auto& [key, what] : content) {
      if (what.live && range.holds(key)) keys.emplace(key, what.sequence);
    }
    return keys;
  }
  [[nodiscard]] bool judge_expectation(const std::string& key, const PlainExpectation& expect,
                                       PlainAnswer& answer) const {
    const bool is = is_live(key);
    const std::uint64_t version = is ? now_.at(key).version : 0;
    bool met = true;
    switch (expect.kind) {
      case PlainExpectation::Kind::any:
        break;
      case PlainExpectation::Kind::present:
        met = is;
        break;
      case PlainExpectation::Kind::absent:
        met = !is;
        break;
      case PlainExpectation::Kind::version:
        met = version == expect.version;  // 0: absent
        break;
    }
    if (met) return false;
    answer.refused = errc::version_mismatch;
    answer.key = key;
    answer.version = version;
    return true;
  }

  Floors floors_;
  PlainContent now_;
  std::map<std::uint64_t, PlainContent> history_;
  std::uint64_t last_ = 0;
  std::uint64_t oldest_ = 0;
};

}  // namespace dfs::test
