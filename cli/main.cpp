// dfsctl: reads its arguments, runs one command, prints its data or its error, ends with its code.
#include <cerrno>
#include <cstdio>
#include <new>
#include <string>
#include <vector>

#include "cli/command_line.hpp"

namespace {

using dfs::Error;
using dfs::Result;

// What a shell says of a process that SIGPIPE ended.
constexpr int kNobodyReads = 128 + 13;

// A descriptor below 3 that was closed would go to the first file or socket opened, and what is
// printed would go there. Those three are read-only and write nowhere.
void occupy_standard_descriptors() {
  while (std::FILE* file = std::fopen("/dev/null", "r")) {
    if (fileno(file) > 2) {
      std::fclose(file);
      return;
    }
  }
}

Result<int> run(const std::vector<std::string>& arguments, dfs::cli::Output& output) {
  auto line = dfs::cli::parse_command_line(arguments);
  if (!line) return std::move(line).error();
  if (!line->command) {
    output.text() = line->text;
    return 0;
  }
  return line->command(line->common, output);
}

int run_and_print(const std::vector<std::string>& arguments) {
  dfs::cli::Output output;
  const bool json = dfs::cli::wants_json(arguments);
  const Result<int> outcome = run(arguments, output);
  const Result<void> written = output.flush();
  const Error* error = !outcome ? &outcome.error() : !written ? &written.error() : nullptr;
  if (error == nullptr) return *outcome;
  if (error->system_error() == EPIPE && *error == dfs::errc::system) return kNobodyReads;
  dfs::cli::print_error(*error, json);
  return dfs::cli::exit_code(*error);
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    return run_and_print(arguments);
  } catch (const std::bad_alloc&) {
    const Error error(dfs::errc::no_memory);
    dfs::cli::print_error(error, false);
    return dfs::cli::exit_code(error);
  }
}
