// The first line of a log, by which it is known for one, and known to be readable.
#pragma once

#include <optional>
#include <string>

#include "common/log/line.hpp"
#include "common/log/lines.hpp"
#include "common/log/recovery.hpp"

namespace dfs::log {

/// Why a log is not read, by its first line: damaged, a file of the Go library, of another format,
/// or with a need that is not known.
struct FirstRefusal {
  RecoveryKind kind = RecoveryKind::damaged;
  std::string reason;
};

/// Nothing where what follows can be read. `line` is what stands there, and `lines` stand at it;
/// where it is no first line, all of the file is looked at.
[[nodiscard]] std::optional<FirstRefusal> refuse_first(const Line& line, Lines& lines);

/// What is wrong with a line that is bad.
[[nodiscard]] std::string bad_text(const Line& line);

}  // namespace dfs::log
