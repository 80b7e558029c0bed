// Files that a start puts beside the log, which is about to lose what stands in them: each is whole
// and on disk, its name too, before the log is cut.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/os/file.hpp"

namespace dfs::daemon {

/// Keeps bytes that do not count, under a name with that sequence; which one. Done again it finds
/// its own work.
Result<std::string> keep_torn(const os::File& log, std::string_view bytes, std::uint64_t sequence);

/// The file at `path` holds these bytes and no others, or is what it was. Its owner's alone, who is
/// the log's. Requires: no new log is being made.
Result<void> put_beside(const os::File& log, const std::string& path, std::string_view bytes);

}  // namespace dfs::daemon
