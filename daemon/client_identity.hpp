// Who a client is, as its hello and its socket say.
#pragma once

#include <cstdint>
#include <string>

namespace dfs::daemon {

/// Constant after hello.
struct ClientIdentity {
  std::uint64_t connection = 0;
  std::int32_t pid = 0;
  std::uint32_t uid = 0;
  std::string program;
  std::string origin;
  std::string library_version;
  std::uint64_t since_ms = 0;
  bool writes = false;
};

}  // namespace dfs::daemon
