// Who may read and write a store: who may read and write its log. Asked once, at hello.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/file.hpp"
#include "common/os/socket.hpp"
#include "daemon/principal.hpp"

namespace dfs::daemon {

struct Rights {
  bool read = false;
  bool write = false;
};

/// What the owner, group and mode of a file, and its access control list where it has one (the
/// bytes of system.posix_acl_access, see acl(5)), give to a process. Root may do all.
[[nodiscard]] Rights rights_of(const os::FileStatus& log, std::string_view acl,
                               const os::Peer& peer);

/// What a config makes of them: a list that is not empty decides in place of the log. Who may write
/// may read; root and `daemon`, the daemon's own user, may do all.
struct AccessLists {
  const std::vector<Principal>& readers;
  const std::vector<Principal>& writers;
};
[[nodiscard]] Rights rights_by(const AccessLists& lists, Rights by_log, const os::Peer& peer,
                               std::uint32_t daemon);

}  // namespace dfs::daemon
