// Who may read and write a store: who may read and write its log. Asked once, at hello.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/file.hpp"
#include "common/os/socket.hpp"

namespace dfs::daemon {

struct Rights {
  bool read = false;
  bool write = false;
};

/// What the owner, group and mode of a file, and its access control list where it has one (the
/// bytes of system.posix_acl_access, see acl(5)), give to a process. Root may do all.
[[nodiscard]] Rights rights_of(const os::FileStatus& log, std::string_view acl,
                               const os::Peer& peer);

}  // namespace dfs::daemon
