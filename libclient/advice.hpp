// What to say when nothing serves at an address: what was looked for where, what is there instead,
// and the command that helps. Every sentence is for somebody who has never seen the program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "libclient/address.hpp"

namespace dfs::client {

/// A path as a shell takes it: in quotes only where it needs them.
[[nodiscard]] std::string quoted(std::string_view path);

/// The name of something in `directory` that may have been meant: nearly the same letters, or the
/// same and an ending. Empty if there is none. `regular`: files, else directories.
[[nodiscard]] std::string near_name(const std::string& directory, std::string_view meant,
                                    bool regular);

/// A path led nowhere: `error` is what the kernel said of it.
[[nodiscard]] Error not_reached(std::string_view given, const Error& error);
/// A directory, with these names in it, holds no socket.
[[nodiscard]] Error no_socket_in(std::string_view given, const std::vector<std::string>& names);
/// `no_store`, with why nothing was made there, and what is there instead that may have been meant.
[[nodiscard]] Error no_store_at(const Address& address, bool reading);

}  // namespace dfs::client
