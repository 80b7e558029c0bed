// What a JSON text is inside where only `"`, `\` and controls are escaped: as the log has its keys.
#pragma once

#include <cstddef>
#include <string_view>

namespace dfs::log {

/// What one byte becomes at the most.
inline constexpr std::size_t kMostEscapeBytes = 6;

/// What escapes add to a text at the most.
[[nodiscard]] std::size_t escape_bytes(std::string_view text);

/// Writes `text` escaped; the end of what was written. Requires: room for text.size() +
/// escape_bytes(text).
[[nodiscard]] char* escape(std::string_view text, char* to);

}  // namespace dfs::log
