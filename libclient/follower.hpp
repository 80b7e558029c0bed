// A watch from the inside: it walks the feed of a generation, goes on in the next one, and from
// daemon to daemon.
#pragma once

#include <dfs/position.hpp>
#include <dfs/watch.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/index/feed.hpp"
#include "common/os/clock.hpp"
#include "libclient/connection_use.hpp"
#include "libclient/core.hpp"

namespace dfs::client {

/// Where it stands is a sequence, the last commit whose changes were all given, and that alone is
/// carried on: a place in a generation is found anew from it. The generation it reads is held from
/// one call to the next, or a compaction could take away what it has not read.
/// Threads: one at a time; `stop` from any.
class Follower {
 public:
  /// From `after` on; without one, from what is published now.
  static Result<std::unique_ptr<Follower>> make(std::shared_ptr<Core> core, std::string prefix,
                                                const std::optional<Position>& after);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  [[nodiscard]] Result<Change> next(os::Deadline deadline);
  [[nodiscard]] Position position() const;
  [[nodiscard]] Snapshot restart();
  [[nodiscard]] Result<void> check() const;
  void stop() noexcept;

 private:
  enum class Found : std::uint8_t {
    commit,   ///< commit_ holds its changes
    nothing,  ///< all that is published here was looked at
    gone,     ///< the generation was given back
  };

  Follower(std::shared_ptr<Core> core, std::string prefix);
  [[nodiscard]] Result<bool> advance();
  [[nodiscard]] Result<Found> gather();
  [[nodiscard]] Result<Change> give();
  [[nodiscard]] Result<void> begin(ConnectionUse here, const std::optional<Position>& after);
  [[nodiscard]] Result<void> begin_here();
  [[nodiscard]] Result<void> move_to(ConnectionUse next);
  [[nodiscard]] Result<void> check_history();
  [[nodiscard]] Result<bool> anchor();
  [[nodiscard]] Result<bool> enter(std::uint64_t number);
  void let_go() noexcept;
  void leave() noexcept;
  [[nodiscard]] Error compacted(const std::string& why) const;

  // Constant after construction.
  const std::shared_ptr<Core> core_;
  const std::string prefix_;

  ConnectionUse here_;
  const Generation* generation_ = nullptr;  // held, on here_; null: none
  std::uint64_t offset_ = 0;                // in its feed: behind what was gathered
  Position::StoreId store_{};
  std::uint64_t sequence_ = 0;
  std::uint64_t told_ = 0;  // see Bell::heard

  std::vector<const index::RecordHeader*> commit_;  // what matches of the commit behind sequence_
  std::uint64_t gathered_ = 0;                      // its sequence, also once it was let go
  std::size_t given_ = 0;                           // of these
  std::size_t skip_ = 0;  // of those of gathered_: given before their generation was given back

  std::atomic<bool> stopped_{false};
};

}  // namespace dfs::client
