// What a key may be; checked in the session before anything is done with a request, and for keys
// that a person or the Go library wrote into the log.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "common/base/result.hpp"

namespace dfs::log {

/// 1 to kMaxKeyBytes bytes of UTF-8 without NUL. `bad_key` (with the offset of the first byte that
/// breaks the rule) or `too_large` (with the limit).
[[nodiscard]] Result<void> check_key(std::string_view key);

/// The offset of the first byte that is not part of well-formed UTF-8 (no surrogates, no overlong
/// forms, nothing above U+10FFFF), or nothing.
[[nodiscard]] std::optional<std::size_t> first_bad_utf8(std::string_view text);

/// Bytes of the well-formed character that `text` begins with, or 0. Requires: not empty.
[[nodiscard]] std::size_t utf8_character_bytes(std::string_view text);

}  // namespace dfs::log
