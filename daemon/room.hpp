// Whether there is room for a commit, in memory and on disk: asked before anything is promised,
// since a refusal then costs no sequence and nothing has to be unmade.
//
// Between check and batch on the way of a write.
#pragma once

#include <cstdint>
#include <optional>

#include "common/wire/reply.hpp"
#include "daemon/batch.hpp"
#include "daemon/compactor.hpp"
#include "daemon/generations.hpp"
#include "daemon/log_file.hpp"
#include "daemon/pulse.hpp"

namespace dfs::daemon {

/// Threads: the writer.
class Room {
 public:
  /// Where it is looked for; all of it outlives this.
  struct Places {
    LogFile& log;
    Generations& generations;
    Compactor& compactor;
    Pulse& pulse;
  };
  explicit Room(const Places& places) : places_(places) {}

  /// Another batch begins, for which nothing is known to be there.
  void begin() { known_ = {}; }

  /// A commit that was checked, the batch that it would join, and its sequence there.
  struct Question {
    const Batch& batch;
    const CommitPlan& plan;
    std::uint64_t sequence;
  };
  /// Makes room, or says why there is none.
  [[nodiscard]] std::optional<wire::Refusal> make(const Question& question);
  /// What a commit of one small record would meet, for who asks with one that says nothing.
  [[nodiscard]] std::optional<wire::Refusal> make_for_a_trial(const Batch& batch);

  /// Whether memory is so short that the compactor is to make some before another commit is taken,
  /// and can: it has been told.
  [[nodiscard]] bool must_wait();

 private:
  /// Memory of the index, for all of a batch.
  struct Memory {
    std::uint64_t new_keys = 0;
    std::uint64_t index_bytes = 0;  // at most, to be reserved
    std::uint64_t bytes = 0;        // amortised, for the limit
    [[nodiscard]] bool within(const Memory& room) const {
      return new_keys <= room.new_keys && index_bytes <= room.index_bytes && bytes <= room.bytes;
    }
  };

  [[nodiscard]] std::optional<wire::Refusal> make_memory(const Batch& batch,
                                                         const CommitPlan& plan);
  [[nodiscard]] bool make_more_memory(const Memory& needs, const CommitPlan& plan);
  [[nodiscard]] std::optional<wire::Refusal> make_on_disk(const Question& question);
  [[nodiscard]] std::optional<wire::Refusal> make_on_disk(std::uint64_t bytes);

  const Places places_;
  Memory known_;                       // to be there, for the batch as a whole
  std::uint64_t largest_refused_ = 0;  // bytes of memory it would have needed
};

}  // namespace dfs::daemon
