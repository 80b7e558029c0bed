// RFC 7396: a change to a JSON document, written as the part that changes. On the text of both, so
// that the digits of every number stay what they are.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace dfs::cli {

/// `target` with `patch` applied: members of an object are set one by one, a null takes one away;
/// anything but an object takes the target's place. An empty target is none. bad_value where an
/// object has one name twice. Requires: ValueChecker accepted both.
[[nodiscard]] Result<std::string> merge_patch(std::string_view target, std::string_view patch);

}  // namespace dfs::cli
