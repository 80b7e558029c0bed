// The command line of dfsctl: which command, which store, which options. What the commands are, and
// the parser of their options, is in parser.hpp.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace dfs::cli {

/// What the arguments ask for: a command, or a text (help, version) to print and be done.
struct CommandLine {
  Common common;
  Command command;  ///< empty: print `text`
  std::string text;
};

/// An option, for who offers words.
struct GrammarOption {
  std::vector<std::string> names;  ///< as they are written, the long one last
  std::string value;               ///< what it takes, as in the usage; empty for a flag
  std::string description;
};

struct GrammarCommand {
  std::string name;
  std::string description;
  std::vector<GrammarOption> options;
  std::vector<std::string> positionals;  ///< KEY, FILE, ... in their order
  bool repeats = false;                  ///< the last one may stand again
};

/// What may be said: the commands that help lists, and the options of all.
struct Grammar {
  std::vector<GrammarCommand> commands;
  std::vector<GrammarOption> options;
};
[[nodiscard]] Grammar grammar();

/// Reads the arguments, the program's name left out. bad_argument says what is wrong with them and
/// what would be right.
[[nodiscard]] Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments);

/// Whether --json is among them; known even where the rest is wrong.
[[nodiscard]] bool wants_json(const std::vector<std::string>& arguments);

}  // namespace dfs::cli
