#include "cli/welcome.hpp"

#include <algorithm>
#include <utility>

#include "cli/argument.hpp"
#include "cli/serving.hpp"
#include "common/os/file.hpp"

namespace dfs::cli {

namespace {

constexpr std::pair<const char*, const char*> kFirst[] = {
    {"set user/1 '{\"name\":\"Alice\"}'", "sets a key to JSON; the first makes the store"},
    {"get user/1", "prints its value"},
    {"list user/", "all records whose keys begin so"},
    {"del user/1", "erases it"},
    {"shell", "a prompt, with Tab, history and transactions"},
};

}  // namespace

Result<int> welcome(const Common& common, Output& output) {
  static constexpr std::chrono::milliseconds kPatience{500};
  const std::string program =
      common.address.empty() ? "dfsctl -s users.db " : std::string("dfsctl ");
  std::size_t width = 0;
  for (const auto& [command, does] : kFirst) {
    width = std::max(width, program.size() + std::string_view(command).size());
  }
  output.line("dfsctl works on a key-value store that the processes of this machine share.\n");
  for (const auto& [command, does] : kFirst) {
    std::string line = program + command;
    line.append(width + 2 - line.size(), ' ');
    output.text() += "  ";
    output.text() += output.style(Style::name);
    output.text() += line;
    output.text() += output.style(Style::plain);
    output.line(does);
  }
  if (!common.address.empty()) output.line("\nDFS_STORE names the store: " + common.address);
  const auto found = served_stores(kPatience);
  output.line(found.empty() ? "\nNo store is served here now." : "\nStores that are served here:");
  for (const Serving& serving : found) {
    output.line("  " + printable(quoted(serving.address)) +
                (serving.state == "live" ? "" : "  (" + serving.state + ")"));
  }
  output.line("\ndfsctl --help lists all commands; dfsctl COMMAND --help says how one is used.");
  return 0;
}

}  // namespace dfs::cli
