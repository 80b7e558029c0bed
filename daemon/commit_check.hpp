// Whether a commit may happen: its keys and values, what it read and expects, and the versions it
// gets.
//
// Compared with the store as it is before the commit: the index, and the batch so far. What is
// accepted here is a plan; nothing has changed yet. Rules: docs/design.md, "Versions and
// transactions".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/index/writer.hpp"
#include "common/log/value.hpp"
#include "common/wire/request.hpp"
#include "daemon/batch.hpp"
#include "daemon/ledger.hpp"

namespace dfs::daemon {

/// The versions that keys which do not exist start behind.
struct VersionFloors {
  std::uint64_t floor = 0;     ///< of tombstones that were dropped
  std::uint64_t restored = 0;  ///< of everything before a restore
};

/// Threads: the writer.
class CommitCheck {
 public:
  CommitCheck(index::IndexWriter& index, Batch& batch, const Ledger& ledger, VersionFloors floors)
      : index_(&index), batch_(batch), ledger_(ledger), floors_(floors) {}

  /// Another generation is current.
  void use(index::IndexWriter& index, VersionFloors floors) {
    index_ = &index;
    floors_ = floors;
  }

  struct Question {
    const wire::CommitRequest& request;
    std::uint64_t last;        ///< the last sequence given so far
    std::uint32_t connection;  ///< that asks
    index::Location likely;    ///< where the key of a single write seems to be, or nothing
  };
  /// Fills `plan`, or says why not.
  [[nodiscard]] std::optional<wire::Refusal> check(const Question& question, CommitPlan& plan);

 private:
  /// A key as the store has it before the commit.
  struct Standing {
    bool known = false;  ///< has a record, live or not
    bool live = false;
    std::uint64_t version = 0;
    std::uint64_t sequence = 0;
    index::Location location;
  };
  using Refused = std::optional<wire::Refusal>;

  /// A write that is being checked, the first of its list at 0.
  struct Place {
    const wire::Write& write;
    std::size_t index;
  };

  [[nodiscard]] Standing standing(std::string_view key) const;
  [[nodiscard]] Standing standing_at(const index::Location& location, std::string_view key) const;
  [[nodiscard]] Refused check_one_write(const Question& question, CommitPlan& plan);
  [[nodiscard]] Refused check_syntax(const wire::CommitRequest& request);
  [[nodiscard]] Refused check_syntax(const Place& place, std::string_view& value);
  [[nodiscard]] Refused check_reads(const wire::CommitRequest& request, std::uint64_t last);
  [[nodiscard]] Refused check_expectations(const wire::CommitRequest& request);
  [[nodiscard]] Refused plan_writes(const wire::CommitRequest& request, std::uint32_t connection,
                                    CommitPlan& plan);
  [[nodiscard]] Refused plan_write(const Place& place, const Standing& now, std::string_view value,
                                   CommitPlan& plan);

  enum class Range : std::uint8_t { same, changed, too_long };
  [[nodiscard]] Range check_range(const wire::ReadRange& range, std::uint64_t snapshot);
  [[nodiscard]] Range walk_range(const wire::ReadRange& range, std::uint64_t snapshot);
  /// Nothing where they have more records than the range has keys.
  [[nodiscard]] std::optional<Range> walk_commits_since(const wire::ReadRange& range,
                                                        std::uint64_t snapshot);
  [[nodiscard]] bool batch_has_live(const wire::ReadRange& range);

  index::IndexWriter* index_;
  Batch& batch_;
  const Ledger& ledger_;
  VersionFloors floors_;
  log::ValueChecker values_;
  std::string scratch_;
  // Of the commit being checked.
  std::vector<std::string_view> compact_;                         // each write's value
  std::vector<Standing> standings_;                               // each write's key
  std::unordered_map<std::string_view, std::size_t> last_write_;  // where a commit has several
  std::uint64_t steps_left_ = 0;
};

}  // namespace dfs::daemon
