// Whether a person looks on.
#pragma once

namespace dfs::os {

/// True where the descriptor is a terminal.
[[nodiscard]] bool is_terminal(int fd) noexcept;

}  // namespace dfs::os
