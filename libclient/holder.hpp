// Who has a store at the moment, as far as a client can see: whether waiting for its daemon is
// worth it, and what to say of one that does not answer.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "libclient/address.hpp"

namespace dfs::client {

/// Whether a daemon may be about to serve that this process may not start itself: somebody holds
/// the store's lock, or did a moment ago. What cannot be seen (a holder in another pid name space)
/// does not count. Threads: one.
class Expectation {
 public:
  [[nodiscard]] bool holds(const Address& address);

 private:
  os::Monotonic::time_point held_at_ = os::Monotonic::now();
};

/// `timeout`: the daemon of that process (0: unknown) took the connection, or the lock, and says
/// nothing; with what /proc tells of it.
[[nodiscard]] Error not_answering(const Address& address, std::int32_t pid);
/// `timeout`: somebody holds the lock, and nobody listens.
[[nodiscard]] Error not_serving_yet(const Address& address);

}  // namespace dfs::client
