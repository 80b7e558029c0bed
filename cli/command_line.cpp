#include "cli/command_line.hpp"

#include <string_view>

#include "cli/completion.hpp"
#include "cli/parser.hpp"

namespace dfs::cli {

namespace {

// dfsctl complete [--line] [--] WORD...: asked by the scripts of shells and not by people. The
// words are somebody's half command line, so the parser must not see them.
constexpr std::string_view kComplete = "complete";

CommandLine completing(const std::vector<std::string>& arguments) {
  CompleteOptions options;
  auto word = arguments.begin() + 1;
  options.line = word != arguments.end() && *word == "--line";
  if (options.line) ++word;
  if (word != arguments.end() && *word == "--") ++word;
  options.words.assign(word, arguments.end());
  CommandLine line;
  line.command = [options](const Common& common, Output& output) {
    return complete(grammar(), options, common, output);
  };
  return line;
}

}  // namespace

Grammar grammar() { return Parser().grammar(); }

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == kComplete) return completing(arguments);
  return Parser().parse(arguments);
}

bool wants_json(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return false;
    if (argument == "--json") return true;
  }
  return false;
}

}  // namespace dfs::cli
