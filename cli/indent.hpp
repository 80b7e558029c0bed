// A JSON document as people like to read and edit it: a member or element a line.
#pragma once

#include <string>
#include <string_view>

namespace dfs::cli {

/// `value` over several lines, two spaces for each level, a newline at its end; its tokens as they
/// are. Requires: ValueChecker accepted `value`, which has no white space between its tokens.
[[nodiscard]] std::string indented(std::string_view value);

}  // namespace dfs::cli
