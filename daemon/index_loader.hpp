// Puts what recovery finds into the first generation's index, on a thread of its own: one processor
// reads lines while another inserts what they say.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/index/writer.hpp"
#include "common/log/recovery.hpp"
#include "daemon/generation.hpp"
#include "daemon/pulse.hpp"

namespace dfs::daemon {

/// Threads: its own inserts, in the order of the calls; the calls by one other, which leaves the
/// index alone until finish().
class IndexLoader final : public log::RecordVisitor {
 public:
  /// `base` is the sequence that the log's base stands for, 0 without one. Views of `bytes` are
  /// kept, others copied; all three outlive it.
  IndexLoader(Generation& generation, std::uint64_t base, std::string_view bytes, Pulse& pulse);
  ~IndexLoader() override;
  IndexLoader(const IndexLoader&) = delete;
  IndexLoader& operator=(const IndexLoader&) = delete;

  /// An error may be that of a record some thousands before.
  Result<void> record(const log::Record& record) override;
  /// Everything is in the index, and the feed begins behind the base. No record after it.
  [[nodiscard]] Result<void> finish();

 private:
  struct Batch {
    std::vector<index::NewRecord> records;
    std::deque<std::string> texts;  // what is viewed and is not in the log itself
    bool begins_feed = false;       // before its first record
  };
  [[nodiscard]] std::string_view kept(std::string_view text);
  /// Gives the batch to the thread, waiting for room.
  [[nodiscard]] Result<void> pass_on();
  void run();
  [[nodiscard]] Result<void> insert(const Batch& batch);
  [[nodiscard]] Error no_memory() const;

  // Constant after construction.
  Generation& generation_;
  const std::uint64_t base_;
  const std::string_view bytes_;
  Pulse& pulse_;

  // The caller's thread only.
  Batch batch_;
  bool fed_ = false;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> queue_;
  bool ending_ = false;
  std::optional<Error> failure_;
  std::thread thread_;
};

}  // namespace dfs::daemon
