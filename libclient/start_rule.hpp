// Who may start the daemon of a store, and what helps whoever may not.
#pragma once

#include <dfs/options.hpp>

#include "common/base/result.hpp"
#include "libclient/address.hpp"

namespace dfs::client {

/// Whether this process may start the daemon of an address, as far as can be said before trying;
/// no_store, no_daemon, with what helps, where it may not. Only the log's owner may, since the
/// daemon of another could not keep the log's owner and mode; and, unless the options say `always`,
/// not in a system service, with which the daemon would end, nor root for another's log.
[[nodiscard]] Result<void> may_start(const Address& address, const Options& options);

}  // namespace dfs::client
