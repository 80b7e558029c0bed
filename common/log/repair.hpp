// Repair: from the bytes of a log that is damaged or was edited to the bytes of one that is whole.
//
// Pure, like recovery; `dfsctl repair` reads the one file and writes another. What comes out is the
// store as of its last commit: each live key with its version, sequence and time, as a compaction
// would write it. What is not taken over is said, line by line. Versions and sequences that were
// given, and may be lost, are not given again (I5): the gaps and the floors of the new log say so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace dfs::log {

struct RepairOptions {
  /// False: lines count that a daemon wrote (their checksum fits, or was taken out on purpose),
  /// each once, in the order of their commits, wherever they stand; commits only whole (I3). True:
  /// every line that can be read counts, with any checksum or none, each by itself, in the order of
  /// the file; one out of order gets a new sequence and version.
  bool accept_edits = false;
  std::string store_id;     ///< of the new log, where the old one's first line is lost
  std::string dfs_version;  ///< that writes it
  std::uint64_t time_ms = 0;
};

/// Something that a person should know about a line.
struct RepairFinding {
  std::uint64_t line = 0;    ///< from 1; 0: about the file as a whole
  std::uint64_t offset = 0;  ///< of the line
  bool lost = false;         ///< what it said is not in the new log
  std::string text;
};

struct Repaired {
  std::string bytes;                    ///< of the new log: whole, by recover() or read_go_file()
  std::vector<RepairFinding> findings;  ///< in the order of the file
  std::uint64_t lines = 0;              ///< of the old log
  std::uint64_t lost_lines = 0;
  std::uint64_t lost_commits = 0;  ///< known to have been there, and not in the file whole
  std::uint64_t records = 0;       ///< live keys in the new log
  bool go_file = false;            ///< both are files of the Go library: lines were left out
  bool new_store = false;          ///< the new log is of another store: its id was lost
};

/// damaged: nothing can be read. incompatible, unsupported: as recovery says. A file of the Go
/// library stays one: the lines that can be read, byte for byte.
[[nodiscard]] Result<Repaired> repair(std::string_view bytes, const RepairOptions& options);

}  // namespace dfs::log
