// The machine's users and groups, by name.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.hpp"

namespace dfs::os {

/// The number of a user or group; a decimal number is its own. bad_argument where there is none of
/// that name. May ask a directory service, and wait for it.
Result<std::uint32_t> user_id(const std::string& name);
Result<std::uint32_t> group_id(const std::string& name);

}  // namespace dfs::os
