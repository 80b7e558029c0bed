// Reads one line of the log: the one place that turns its bytes into a record or control line.
//
// The bytes are input and may be anything. A line whose seal fits was written by encode.hpp and is
// only taken apart; a line whose seal was taken out was edited by a person, is checked in full, and
// may have white space between its tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/log/control.hpp"
#include "common/log/record.hpp"
#include "common/log/value.hpp"

namespace dfs::log {

enum class LineKind : std::uint8_t {
  record,
  first,
  base,
  start,
  mark,
  stop,
  other_control,  ///< A sealed control line of a later version that need not be understood.
  bad,
};

/// A decoded line; reused from line to line. Which members hold something is said by `kind`.
/// Threads: one at a time. Neither copied nor moved: views may point into it.
class Line {
 public:
  Line() = default;
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  LineKind kind = LineKind::bad;
  /// False: `c` was taken out, an edit by hand. A record that is not sealed and has no sequence is
  /// a line written by hand.
  bool sealed = false;

  Record record;                ///< record
  First first;                  ///< first
  Base base;                    ///< base
  Start start;                  ///< start
  std::uint64_t watermark = 0;  ///< mark, stop
  std::string name;             ///< other_control

  std::string reason;      ///< bad: what stands there, and what would be right
  std::size_t column = 0;  ///< bad: where in the line, from 1; 0 where no place can be named

  /// The highest sequence this line says is on disk; 0 where it says nothing.
  [[nodiscard]] std::uint64_t synced() const;
  /// The highest sequence this line uses or announces; 0 for none.
  [[nodiscard]] std::uint64_t highest_sequence() const;

 private:
  friend class LineReader;
  std::string key_scratch_;
  std::string value_scratch_;
  std::string origin_scratch_;
  std::unique_ptr<ValueChecker> checker_;  // made for the first unsealed line
};

/// Decodes `text`, a line without its newline, into `line`. Views in `line` point into `text` or
/// into `line`, until it is used again. Never fails but by kind `bad`.
void decode(std::string_view text, Line& line);

/// What is wrong with bytes that are not a line at all (NULs, CR, a byte order mark), or empty.
[[nodiscard]] std::string_view foreign_bytes(std::string_view text);

}  // namespace dfs::log
