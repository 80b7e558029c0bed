// Recovery: from the bytes of a log to the commits that count, and to a verdict on the rest.
//
// Pure: the daemon reads the file, acts on the verdict (side file, truncation, sync, start line)
// and may repeat all of it. What is found is a prefix of the commit order that holds every commit
// known to have been on disk (I4), each whole (I3).
//
// Let W be the highest watermark in any good line, and the first line's base. At the first line
// that is bad or missing, where commit x should stand: x > W, cut there, whatever follows;
// x <= W, damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/log/arrival.hpp"
#include "common/log/control.hpp"
#include "common/log/gaps.hpp"
#include "common/log/record.hpp"

namespace dfs::log {

/// Takes the records that count, in the order of the file: those of the base (`in_base`), then
/// those of each whole commit, one after the other (`commit_position` of `commit_records`).
/// `time_ms` is the batch's, on all of its records. Views hold only for the call, or as long as
/// the bytes given to recover() where they point into them (all but escaped keys and edited lines).
/// A verdict other than whole or cut makes void what was seen.
class RecordVisitor {
 public:
  virtual ~RecordVisitor() = default;
  /// An error ends the recovery (`RecoveryKind::refused`): no memory, or a record that cannot be.
  virtual Result<void> record(const Record& record) = 0;
};

enum class RecoveryKind : std::uint8_t {
  empty,         ///< No byte: a new store.
  whole,         ///< Every line counts; or all but lines written by hand at the end.
  cut,           ///< Bytes from good_end on are to be kept aside and cut off, said loudly.
  damaged,       ///< Refuse to start, with line and offset; `check` and `repair`.
  go_file,       ///< Written by the Go library: read_go_file().
  incompatible,  ///< Another format number.
  unsupported,   ///< `needs` a feature that this version does not know.
  refused,       ///< The visitor refused a record.
};

/// A line that a person wrote behind the last good one; to be committed like anybody's.
struct HandWritten {
  std::string key;
  bool erased = false;
  std::string value;  ///< Checked, without white space.
  std::uint64_t line = 0;
};

/// The verdict. What is behind `kind` holds for whole and cut, and as far as the file was read for
/// the others.
struct Recovery {
  RecoveryKind kind = RecoveryKind::empty;
  First first;

  /// Offset behind the last good line, where the next append goes. Below the size only for `cut`
  /// and where there are hand-written lines: then the bytes from here on are kept in a side file
  /// and cut off.
  std::uint64_t good_end = 0;
  std::uint64_t good_lines = 0;  ///< Lines before good_end.

  /// cut, damaged, refused, incompatible, unsupported: the line (from 1) and the offset (from 0)
  /// where it stands, and what a person needs: what stands there, what would be right, what to do.
  /// A commit that is not whole is cut from its first line, which may be before bad_line.
  std::uint64_t bad_line = 0;
  std::uint64_t bad_offset = 0;
  std::string reason;
  std::uint64_t missing_sequence = 0;  ///< x: the commit that should have stood there.

  std::uint64_t watermark = 0;  ///< W, from all good lines of the file, cut off or not.
  bool clean_stop = false;      ///< A stop line is the last one, and nothing was cut.
  /// For the start line: the last sequence that counts, and the next that may be given.
  std::uint64_t after = 0;
  std::uint64_t next = 0;
  Gaps gaps;                ///< Without the one that the next start line makes (after, next).
  std::uint64_t floor = 0;  ///< Of versions, by the base line.
  std::uint64_t restored = 0;

  std::uint64_t records = 0;  ///< Given to the visitor, base included.
  std::uint64_t base_records = 0;
  std::uint64_t commits = 0;  ///< Without the base.
  std::uint64_t other_controls = 0;
  std::vector<std::uint64_t> edited_lines;  ///< Accepted without `c`, by line.
  std::vector<HandWritten> hand_written;

  /// The last sequence that counts; the same as `after`.
  [[nodiscard]] std::uint64_t last() const { return after; }
  /// True where the store can be served.
  [[nodiscard]] bool usable() const;
  /// The verdict as an error with line and offset, `name` being the file's. Requires: not usable(),
  /// kind neither empty nor go_file.
  [[nodiscard]] Error error(std::string_view name) const;

  /// refused: what the visitor said.
  std::optional<Error> visitor_error;
};

/// Reads a whole log. Never fails but by its verdict.
[[nodiscard]] Recovery recover(std::string_view bytes, RecordVisitor& visitor);
/// The same while the bytes arrive.
[[nodiscard]] Recovery recover(std::string_view bytes, Arrival& arrival, RecordVisitor& visitor);

/// The sequence to go on with: `last` + 1, or what a start announced, after a clean stop; else the
/// first multiple of kSequenceGap that is at least kSequenceGap beyond both.
[[nodiscard]] std::uint64_t next_sequence(std::uint64_t last, std::uint64_t announced, bool clean);

}  // namespace dfs::log
