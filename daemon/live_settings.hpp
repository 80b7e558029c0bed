// The settings of a daemon that serves: what SIGHUP makes of a config that was changed since.
#pragma once

#include <string>

#include "daemon/compactor.hpp"
#include "daemon/config.hpp"
#include "daemon/counters.hpp"
#include "daemon/generations.hpp"
#include "daemon/journal.hpp"
#include "daemon/syncer.hpp"
#include "daemon/writer.hpp"

namespace dfs::daemon {

/// What of the settings the journal wants.
[[nodiscard]] Journal::Settings journal_settings(const Options& options);

/// What they reach; all of it outlives them.
struct SettingsParts {
  const ParsedOptions& parsed;  ///< the command line, which goes over every config
  Options& options;             ///< what holds; read by main only
  const Options& configured;    ///< as they were read at the start
  Journal& journal;
  Syncer& syncer;
  Generations& generations;
  Compactor& compactor;
  Writer& writer;
  const Counters& counters;
};

/// Threads: main only.
class LiveSettings {
 public:
  explicit LiveSettings(const SettingsParts& parts) : parts_(parts) {}
  LiveSettings(const LiveSettings&) = delete;
  LiveSettings& operator=(const LiveSettings&) = delete;

  /// Reads the config again. What can change holds from now on; what needs a restart is said. With
  /// anything wrong in it everything stays as it was, and that is said, with line and column. The
  /// outcome in one line.
  std::string reload();

 private:
  [[nodiscard]] Result<Configuration> read() const;
  void apply(const Options& wanted);

  // Constant after construction.
  const SettingsParts parts_;
};

}  // namespace dfs::daemon
