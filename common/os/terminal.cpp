#include "common/os/terminal.hpp"

#include <unistd.h>

namespace dfs::os {

bool is_terminal(int fd) noexcept { return ::isatty(fd) == 1; }

}  // namespace dfs::os
