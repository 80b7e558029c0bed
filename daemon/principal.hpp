// A user or a group that a config names, in place of what the log's mode says (permission.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace dfs::daemon {

struct Principal {
  bool group = false;
  std::uint32_t id = 0;
  std::string text;  ///< as it was written
};

/// `alice`, `1001`, `@staff` (a group), `@50`. bad_argument where the machine knows no such name.
[[nodiscard]] Result<Principal> parse_principal(const std::string& text);
/// Several, separated by commas; empty: none.
[[nodiscard]] Result<std::vector<Principal>> parse_principals(const std::string& text);
/// The same, written.
[[nodiscard]] std::string principals_text(const std::vector<Principal>& principals);

}  // namespace dfs::daemon
