// Opening a store: the log is found or made, locked, read from the disk, mended where it may be,
// and loaded into the first generation. Serving begins only when all of it has succeeded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/log/recovery.hpp"
#include "common/os/memory.hpp"
#include "daemon/generation.hpp"
#include "daemon/go_conversion.hpp"
#include "daemon/log_file.hpp"
#include "daemon/options.hpp"
#include "daemon/pulse.hpp"
#include "daemon/writer.hpp"

namespace dfs::daemon {

/// What opening a store works with; only the mark has to outlive it.
struct OpeningParts {
  const Options& options;
  const os::ForkMark& mark;
  Pulse& pulse;  ///< moved with each record
};

/// A store that can be served.
struct OpenedStore {
  std::unique_ptr<LogFile> log;
  std::unique_ptr<ControlMemory> control;
  std::unique_ptr<MemoryBudget> budget;
  std::unique_ptr<Generation> generation;
  std::unique_ptr<GoConversion> go;
  WriterStart start;
  log::Gaps gaps;
  std::string store_id;  ///< 32 hex digits
  std::vector<std::string>
      notices;  ///< what an operator must hear: what was cut, accepted, kept aside
  std::uint64_t records = 0;
};

/// Requires: the store's lock is held. Any step may be interrupted and done again.
Result<OpenedStore> open_store(const OpeningParts& parts);

}  // namespace dfs::daemon
