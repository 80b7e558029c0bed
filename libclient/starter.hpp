// Starting the daemon of a log: the first client that finds none does it, and it stays for all.
#pragma once

#include <dfs/options.hpp>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "libclient/address.hpp"

namespace dfs::client {

/// Whether this process may start the daemon of an address, as far as can be said before trying;
/// no_store, no_daemon, with what helps, where it may not.
[[nodiscard]] Result<void> may_start(const Address& address, const Options& options);

/// Starts it, unless somebody else does meanwhile, and returns when it accepts connections or when
/// whoever holds the lock has let go. What keeps it from serving comes back in its own words.
/// Requires: may_start.
[[nodiscard]] Result<void> start_daemon(const Address& address, const Options& options,
                                        os::Deadline deadline);

}  // namespace dfs::client
