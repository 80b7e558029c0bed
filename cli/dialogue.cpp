#include "cli/dialogue.hpp"

#include <cstdio>
#include <string>

#include "cli/output.hpp"
#include "common/os/terminal.hpp"

namespace dfs::cli {

void notice(std::string_view text) {
  const std::string line = printable(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

bool ask(std::string_view question) {
  if (!os::is_terminal(0) || !os::is_terminal(2)) return false;
  const std::string text = printable(question) + " [Y/n] ";
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::string answer;
  for (int c = std::getchar(); c != '\n'; c = std::getchar()) {
    if (c == EOF) return false;
    answer += static_cast<char>(c);
  }
  return answer.empty() || answer.front() == 'y' || answer.front() == 'Y';
}

}  // namespace dfs::cli
