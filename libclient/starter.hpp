// Starting the daemon of a log: the first client that finds none does it, and it stays for all.
#pragma once

#include <dfs/options.hpp>

#include <string>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "libclient/address.hpp"

namespace dfs::client {

/// Starts it, unless somebody else does meanwhile, and returns when it accepts connections. What
/// keeps it from serving comes back in its own words. Requires: may_start.
[[nodiscard]] Result<void> start_daemon(const Address& address, const Options& options,
                                        os::Deadline deadline);

/// The `dfsd` that was installed with this library: where both are now, since a prefix may be
/// moved; else where it was installed to.
[[nodiscard]] std::string installed_daemon();

}  // namespace dfs::client
