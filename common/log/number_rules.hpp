// What the numbers of a record may be.
#pragma once

#include "common/base/limits.hpp"
#include "common/log/format.hpp"
#include "common/log/scanner.hpp"

namespace dfs::log {

inline constexpr NumberRule kVersionRule{"the version", 1, kMaxVersion};
inline constexpr NumberRule kSequenceRule{"a sequence", 1, kMaxSequence};
inline constexpr NumberRule kSequenceOrZeroRule{"a sequence", 0, kMaxSequence};
inline constexpr NumberRule kRecordsRule{"the number of records", 2, kMaxCommitRecords};
inline constexpr NumberRule kTimeRule{"the time", 0, kMaxTimeMs};

}  // namespace dfs::log
