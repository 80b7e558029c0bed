// Records as nearly all are, taken apart in one pass.
#pragma once

#include <string_view>

#include "common/log/record.hpp"

namespace dfs::log {

/// Reads the record that `rest` is: a sealed line up to its seal, without escapes in key and `by`.
/// False sends the line to the thorough reader, which finds out what is the matter, if anything is.
[[nodiscard]] bool quick_record(std::string_view rest, Record& record);

}  // namespace dfs::log
