// Who else is on this machine, as /proc tells it: to find the daemons that serve.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dfs::os {

/// A process, as far as we may look at it.
struct Neighbour {
  std::int32_t pid = 0;
  std::vector<std::string> arguments;  ///< with the program's name first
  /// Paths of its open files; none where it is another user's and we are not root.
  std::vector<std::string> files;
};

/// The processes whose program is named so, or begins so. What ends while we look is left out.
[[nodiscard]] std::vector<Neighbour> processes_named(std::string_view prefix);

/// The absolute paths that listening SOCK_SEQPACKET sockets are bound to. Of a socket that was
/// bound under another name and renamed, that other name.
[[nodiscard]] std::vector<std::string> listening_paths();

}  // namespace dfs::os
