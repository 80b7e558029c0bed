// A commit that is under way.
#pragma once

#include <dfs/committed.hpp>
#include <dfs/export.hpp>
#include <dfs/result.hpp>

#include <chrono>
#include <memory>

namespace DFS_API dfs {

class Store;

namespace client {
class Core;
struct Flight;
}  // namespace client

/// One commit in flight, of up to `kMaxInFlight` for each store handle. Its answer is kept here
/// until it is waited for. Commits of one thread happen in the order they were submitted, whatever
/// daemons die meanwhile. Dropped without waiting, the commit goes its way unseen. Threads: one at
/// a time; different ones of one store, any.
class Pending {
 public:
  Pending(Pending&& other) noexcept;
  Pending& operator=(Pending&& other) noexcept;
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending();

  /// Waits for the outcome, for the handle's `Options::timeout` from now on at the most; then it is
  /// withdrawn (timeout: never written) or, where the daemon had taken it, its fate is unknown
  /// until `Store::resolve` tells. A second call answers finished.
  [[nodiscard]] Result<Committed> wait();
  /// Waits so long at the most: whether the outcome is here. Withdraws nothing. Where the daemon
  /// has died it looks for the next one, which may take 200 ms, however short the time.
  [[nodiscard]] bool wait(std::chrono::nanoseconds timeout);
  /// The same with no time to wait.
  [[nodiscard]] bool ready();

 private:
  friend class Store;
  Pending(std::shared_ptr<client::Core> core, std::shared_ptr<client::Flight> flight) noexcept;
  void leave() noexcept;

  std::shared_ptr<client::Core> core_;
  std::shared_ptr<client::Flight> flight_;
};

}  // namespace dfs
