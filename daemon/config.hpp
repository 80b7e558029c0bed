// A daemon's config: TOML, the settings by their names with `_`. What it says lies between the
// defaults and the command line.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/options.hpp"

namespace dfs::daemon {

/// Something wrong in a config, and what would be right.
struct Complaint {
  std::uint64_t line = 0;
  std::uint64_t column = 0;
  std::string text;
};

/// What is to hold, and where each setting comes from.
struct Configuration {
  Options options;
  std::string file;  ///< the config that was read, or empty
  std::vector<Complaint>
      complaints;  ///< in the order of its lines; of these settings nothing holds
  std::map<const Setting*, std::string> sources;  ///< `FILE:LINE` or `command line`; else a default
};

/// Puts what a config says into the options, with `file` as its name; all that is wrong, and the
/// line of each setting.
void read_config(std::string_view toml, Configuration& configuration);

/// Reads the config that the command line names, or the one beside the log if it is there, and puts
/// the command line over it. not_permitted, with what helps, where somebody else may write it: what
/// it says decides what others may do. absent where one was named and is not there.
Result<Configuration> configure(const ParsedOptions& parsed);

/// The first complaint, as an error with its place.
[[nodiscard]] Error error_of(const Configuration& configuration);
/// `FILE:LINE:COLUMN: text`.
[[nodiscard]] std::string text_of(const Configuration& configuration, const Complaint& complaint);
/// Every setting as a config, with what it means and where it comes from.
[[nodiscard]] std::string print(const Configuration& configuration);

/// --check-config and --print-config: the exit code.
int show_config(const ParsedOptions& parsed);

}  // namespace dfs::daemon
