// What the writer is made of, where it begins, and how it ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/index/control_page.hpp"
#include "common/os/process.hpp"
#include "daemon/commit_check.hpp"
#include "daemon/compactor.hpp"
#include "daemon/counters.hpp"
#include "daemon/generations.hpp"
#include "daemon/go_conversion.hpp"
#include "daemon/hand_lines.hpp"
#include "daemon/ledger.hpp"
#include "daemon/log_file.hpp"
#include "daemon/options.hpp"
#include "daemon/pulse.hpp"
#include "daemon/syncer.hpp"

namespace dfs::daemon {

/// What the writer works on and with; all of it outlives the writer.
struct WriterParts {
  const Options& options;
  LogFile& log;
  Generations& generations;
  Compactor& compactor;
  index::ControlPage& control;
  Ledger& ledger;
  Syncer& syncer;
  Counters& counters;
  const os::ForkMark& mark;
  Pulse& pulse;
  /// A Go file that has not been written anew yet; null otherwise.
  std::unique_ptr<GoConversion> go;
};

/// Where the writer begins.
struct WriterStart {
  std::uint64_t last = 0;  ///< the last sequence in the log
  std::uint64_t next = 1;  ///< the next to give
  VersionFloors floors;
  HandWork hand;  ///< to be committed first
};

/// How the writer ended: 0 after a clean stop, 74 after a failed write or sync (I9).
struct WriterEnd {
  int exit_code = 0;
  std::string reason;
};

}  // namespace dfs::daemon
