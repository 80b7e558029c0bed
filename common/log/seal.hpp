// The seal that ends a line: the checksum of all that stands before it. What has one that fits was
// written by the encoder and not changed since.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/log/format.hpp"

namespace dfs::log {

/// A seal as it stands in a line; whether it fits is another question.
struct Seal {
  std::string_view sealed;  ///< The bytes that it covers.
  std::uint32_t crc = 0;
};

/// The seal of a line without its newline, or nothing where none of the right form stands in the
/// right place: before `}` in a record, before `}]` in a control line.
[[nodiscard]] std::optional<Seal> find_seal(std::string_view text);

/// The eight digits of a checksum.
[[nodiscard]] std::string seal_digits(std::uint32_t crc);

/// Seals the line from `line` up to `to` and ends it: checksum, brackets, newline. Returns its end.
/// Requires: room for kSealBytes, the brackets and a newline.
char* put_seal(const char* line, char* to, std::string_view brackets);
/// The same for the line that begins at `line_start` of `out`.
void append_seal(std::string& out, std::size_t line_start, std::string_view brackets);

}  // namespace dfs::log
