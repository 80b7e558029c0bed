// Meeting a daemon: connect to its socket, say hello, map what it shares.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/memory.hpp"
#include "common/wire/commit_id.hpp"
#include "common/wire/hello.hpp"
#include "libclient/address.hpp"

namespace dfs::client {

/// What hello has brought: everything here was checked.
struct Introduction {
  wire::StoreId store{};
  std::uint64_t number = 0;  ///< of the connection
  wire::StoreDurability durability = wire::StoreDurability::durable;
  bool wakes_at_word = false;  ///< the daemon does
  os::Descriptor socket;
  os::Descriptor doorbell;  ///< the daemon's; writers only
  os::Descriptor bell;      ///< ours
  std::unique_ptr<os::Mapping> control;
  std::unique_ptr<os::Mapping> client_page;
  std::unique_ptr<os::Mapping> reply_ring;
  std::unique_ptr<os::Mapping> request_ring;  ///< writers only
};

struct Guest {
  std::string origin;
  bool writes = true;
};

/// Meets the daemon that listens at an address. no_daemon where nobody listens; else what the
/// daemon refuses with (incompatible, not_permitted, busy, read_only), and timeout.
[[nodiscard]] Result<Introduction> introduce(const Address& address, const Guest& guest,
                                             const os::ForkMark& mark, os::Deadline until);

}  // namespace dfs::client
