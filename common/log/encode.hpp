// Writes lines of the log, in one pass and without a DOM, the checksum over what was just written.
//
// On the way of a write: the writer has checked and numbered a batch, and appends its lines to one
// buffer here; the log file then takes the buffer with one pwrite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/log/control.hpp"
#include "common/log/line_buffer.hpp"
#include "common/log/record.hpp"

namespace dfs::log {

// Each appends one line to `out`, sealed and with its newline. Everything handed in was checked
// before (check_key, ValueChecker, the limits of format.hpp): what is not is our bug.

/// A record of a commit, or of a base (`in_base`: no n, w, by). Requires: sequence > 0.
void append_record(LineBuffer& out, const Record& record);
void append_record(std::string& out, const Record& record);
void append_first(std::string& out, const First& first);
void append_base(std::string& out, const Base& base);
void append_start(std::string& out, const Start& start);
void append_mark(std::string& out, std::uint64_t watermark);
void append_stop(std::string& out, std::uint64_t watermark);

/// At least the bytes that append_record() will append, newline included; above by no more than the
/// members and digits that the record does not have. O(key), for limits that are checked before.
[[nodiscard]] std::size_t record_line_bytes(const Record& record);
/// The same without a look at the key: six times what it has.
[[nodiscard]] std::size_t most_record_line_bytes(const Record& record);

/// A JSON string with its quotes; only `"`, `\` and controls are escaped.
void append_text(std::string& out, std::string_view text);

}  // namespace dfs::log
