#include "common/log/recovery.hpp"

#include <algorithm>

#include "common/base/assert.hpp"
#include "common/base/limits.hpp"

namespace dfs::log {

bool Recovery::usable() const { return kind == RecoveryKind::whole || kind == RecoveryKind::cut; }

Error Recovery::error(std::string_view name) const {
  DFS_ASSERT(!usable() && kind != RecoveryKind::empty && kind != RecoveryKind::go_file,
             "only a verdict that refuses is an error");
  const errc code = kind == RecoveryKind::incompatible  ? errc::incompatible
                    : kind == RecoveryKind::unsupported ? errc::unsupported
                    : kind == RecoveryKind::refused     ? visitor_error->code()
                                                        : errc::damaged;
  std::string text(name);
  text += ", line " + std::to_string(bad_line) + " (offset " + std::to_string(bad_offset) +
          "): " + reason;
  if (code == errc::damaged) {
    text += ". dfsctl check " + std::string(name) + " says more; dfsctl repair " +
            std::string(name) + " -o NEW mends it into a new file, and with --accept-edits takes " +
            "lines that were edited on purpose";
  }
  return Error(code, std::move(text)).with_place(bad_line, bad_offset);
}

std::uint64_t next_sequence(std::uint64_t last, std::uint64_t announced, bool clean) {
  if (clean) return std::max(last + 1, announced);
  const std::uint64_t beyond = std::max(last, announced) + kSequenceGap;
  return (beyond + kSequenceGap - 1) / kSequenceGap * kSequenceGap;
}

}  // namespace dfs::log
