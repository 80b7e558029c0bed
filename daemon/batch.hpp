// The commits that share one write and one sync: what was accepted and is not in the log yet.
//
// A commit is checked against the index and the batch so far; accepted, its lines and records are
// added here. Only when the lines are in the log do the records go into the index, beside the sync,
// and they are published after it, so that nothing in shared memory is ever unmade.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/index/writer.hpp"
#include "common/log/line_buffer.hpp"
#include "common/log/record.hpp"

namespace dfs::daemon {

/// A record that is accepted. Views are into what the batch keeps alive.
struct PlannedRecord {
  std::string_view key;
  std::string_view value;
  std::uint64_t version = 0;
  std::uint64_t sequence = 0;
  bool erased = false;
  bool last_of_commit = true;
  std::uint32_t connection = 0;
  index::Location location;
};

/// What one commit adds, before it is accepted.
struct CommitPlan {
  std::vector<PlannedRecord> records;
  std::vector<std::uint64_t> versions;  ///< for each write of the request, in its order
  std::size_t new_keys = 0;
  std::uint64_t index_bytes = 0;   ///< of its records, with far links
  std::uint64_t needed_bytes = 0;  ///< amortised, for the memory limit
  bool only_erases = true;
  void clear();
};

/// Threads: the writer.
class Batch {
 public:
  /// What the lines of the batch say of time and watermark, on the first of them.
  struct Stamp {
    std::uint64_t time_ms = 0;
    std::uint64_t watermark = 0;
  };
  /// Forgets everything; the memory is kept. `synced`: whether the batch will be, whatever is in
  /// it.
  void begin(Stamp stamp, bool synced);

  /// Adds an accepted commit as `sequence`, its lines encoded.
  void add(const CommitPlan& plan, std::uint64_t sequence, std::string_view origin);
  /// A text that records of this batch view.
  [[nodiscard]] std::string_view keep(std::string text);

  /// The newest record of a key in this batch, or nullptr. `hash`: the index's, as in
  /// PlannedRecord::location.
  [[nodiscard]] const PlannedRecord* newest(std::uint64_t hash, std::string_view key) const {
    return records_.empty() ? nullptr : find(hash, key);
  }
  /// The same in key order, for range checks; brought up to date when asked for.
  [[nodiscard]] const std::map<std::string_view, std::size_t>& in_order();
  [[nodiscard]] const PlannedRecord& record(std::size_t index) const { return records_[index]; }

  [[nodiscard]] std::string_view lines() const { return lines_.view(); }
  [[nodiscard]] const std::vector<PlannedRecord>& records() const { return records_; }
  [[nodiscard]] std::uint64_t time_ms() const { return stamp_.time_ms; }
  [[nodiscard]] std::size_t commits() const { return commits_; }
  /// How many more it may have, which depends on whether they share a sync.
  [[nodiscard]] std::size_t commits_left() const;
  [[nodiscard]] bool full() const { return commits_left() == 0; }
  [[nodiscard]] std::size_t new_keys() const { return new_keys_; }
  [[nodiscard]] std::uint64_t index_bytes() const { return index_bytes_; }
  [[nodiscard]] std::uint64_t needed_bytes() const { return needed_bytes_; }
  [[nodiscard]] bool wants_sync() const { return wants_sync_; }
  void want_sync() { wants_sync_ = true; }

 private:
  /// A place of the table by hash. Empty where its batch is not this one, so that nothing need be
  /// cleared.
  struct Place {
    std::uint32_t batch = 0;
    std::uint32_t record = 0;
  };
  [[nodiscard]] const PlannedRecord* find(std::uint64_t hash, std::string_view key) const;
  void enter(std::uint64_t hash, std::uint32_t record);
  void grow_table();

  Stamp stamp_;
  log::LineBuffer lines_;
  std::vector<PlannedRecord> records_;
  std::deque<std::string> texts_;
  // Newest records by hash: at most half full, and searched no further than kMostProbes.
  std::vector<Place> table_;
  std::uint32_t number_ = 0;
  // Those that found no place, since somebody chose keys to meet.
  std::map<std::string_view, std::uint32_t> crowded_out_;
  std::map<std::string_view, std::size_t> ordered_;
  std::size_t ordered_to_ = 0;
  std::size_t commits_ = 0;
  std::size_t new_keys_ = 0;
  std::uint64_t index_bytes_ = 0;
  std::uint64_t needed_bytes_ = 0;
  bool wants_sync_ = false;
};

}  // namespace dfs::daemon
