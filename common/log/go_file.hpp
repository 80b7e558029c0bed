// Files of the Go library: the same first four members, no sequences, no checksums.
//
// Read by its rule (a key's highest version wins, an erased one is gone) and served as they are;
// the first commit has them written anew in our format (append_go_conversion). Unlike there, a line
// that cannot be read is not skipped in silence: it is damage, with its line. Only the last line
// may be torn.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/log/control.hpp"
#include "common/log/record.hpp"

namespace dfs::log {

/// What a Go file holds. The views point into the bytes it was read from, or into `texts`.
struct GoFile {
  GoFile() = default;
  GoFile(GoFile&&) = default;
  GoFile& operator=(GoFile&&) = default;

  /// The live records, in the order of the lines they stand in, their sequences 1..N, no time.
  std::vector<Record> records;
  std::uint64_t floor = 0;   ///< The highest version among the keys that are gone.
  std::uint64_t erased = 0;  ///< How many keys are gone.
  std::uint64_t lines = 0;   ///< Whole lines read.
  /// The sequence that the base stands for: N, or 1 where no record is live.
  std::uint64_t base = 1;
  std::uint64_t good_end = 0;     ///< Below the size where the last line is torn.
  bool torn = false;              ///< The last line was torn and does not count: to be said.
  std::deque<std::string> texts;  ///< Keys with escapes, integer keys, values with white space.
};

/// True for a file in which no line is a control line or has `s`, and that begins with a record.
[[nodiscard]] bool looks_like_go_file(std::string_view bytes);

/// The line (from 1) by which it is no Go file, or nothing where it looks like one.
[[nodiscard]] std::optional<std::uint64_t> first_line_not_of_go(std::string_view bytes);

/// `damaged` with line and offset where a line that is not the last cannot be read, or has a
/// version below 1 or above 2^53, or a key or value that we do not take.
[[nodiscard]] Result<GoFile> read_go_file(std::string_view bytes);

/// The image of the new log: first line, base records in key order, base line. The caller appends
/// the start line (after `base`, next `base` + 1).
void append_go_conversion(std::string& out, const GoFile& file, std::string_view store_id,
                          std::string_view dfs_version, std::uint64_t time_ms);

}  // namespace dfs::log
