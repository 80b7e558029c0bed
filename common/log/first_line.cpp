#include "common/log/first_line.hpp"

#include <utility>

#include "common/log/control.hpp"
#include "common/log/format.hpp"
#include "common/log/go_file.hpp"

namespace dfs::log {

namespace {

std::string written_by(const First& first) {
  return first.dfs.empty() ? "another version of dfs" : "dfs " + first.dfs;
}

FirstRefusal refuse_foreign(const Line& line, Lines& lines) {
  const auto foreign_line = first_line_not_of_go(lines.all());
  if (!foreign_line) return {RecoveryKind::go_file, {}};
  std::string what = line.kind == LineKind::first ? "it does not end with a newline"
                     : line.kind == LineKind::bad ? bad_text(line)
                                                  : "another line stands there";
  what += ". A log begins with [\"dfs\",{\"format\":1,...}]";
  if (*foreign_line > 1) {
    what += ". Nor is it a file of the Go library, by line " + std::to_string(*foreign_line);
  }
  return {RecoveryKind::damaged, std::move(what)};
}

}  // namespace

std::optional<FirstRefusal> refuse_first(const Line& line, Lines& lines) {
  if (line.kind != LineKind::first || !lines.terminated()) return refuse_foreign(line, lines);
  if (line.first.format != kFormat) {
    return FirstRefusal{RecoveryKind::incompatible,
                        "the log has format " + std::to_string(line.first.format) +
                            ", written by " + written_by(line.first) +
                            "; this version reads format " + std::to_string(kFormat)};
  }
  if (const auto need = unknown_need(line.first)) {
    return FirstRefusal{RecoveryKind::unsupported, "the log needs \"" + std::string(*need) +
                                                       "\", which this version does not know; " +
                                                       written_by(line.first) + " wrote it"};
  }
  return std::nullopt;
}

std::string bad_text(const Line& line) {
  return line.column == 0 ? line.reason
                          : line.reason + " (column " + std::to_string(line.column) + ")";
}

}  // namespace dfs::log
