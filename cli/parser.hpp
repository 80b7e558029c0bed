// The commands of dfsctl, and the parser that reads a command line by them.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/command_line.hpp"
#include "common/base/result.hpp"

namespace dfs::cli {

/// One command while it is read: the parser's part, and how its line goes.
struct Reading {
  CLI::App* app = nullptr;
  std::string usage;
  std::function<Result<Command>()> command;  ///< What was read, once all is.
};

/// The commands and what each reads; builds the parser once. parser.cpp reads a command line by it;
/// what the commands are is in parser_keys.cpp and parser_store.cpp.
class Parser {
 public:
  Parser();

  [[nodiscard]] Result<CommandLine> parse(const std::vector<std::string>& arguments);
  [[nodiscard]] Grammar grammar() const;

 private:
  /// A command; `usage` is its line behind "dfsctl".
  CLI::App* add(const std::string& usage, const std::string& description);
  static CLI::Option* flag(CLI::App* app, const std::string& names,
                           const std::string& description) {
    return app->add_flag(names, description);
  }
  /// How the last command added is made from its options.
  void as(std::function<Result<Command>()> command) {
    readings_.back().command = std::move(command);
  }
  template <class Options, class Function>
  static Command bind(Function function, Options options) {
    return [function, options](const Common& common, Output& output) {
      return function(options, common, output);
    };
  }
  [[nodiscard]] Result<Command> command_of(const Reading& reading) const;
  [[nodiscard]] Error wrong(std::string text, const Reading* reading) const;
  [[nodiscard]] const Reading* chosen() const;
  /// What stands where a command should, if that is what is wrong.
  [[nodiscard]] std::optional<Error> unknown_command(const std::vector<std::string>& words) const;

  /// What is wrong, in words of ours where those of the parser are hard to read.
  [[nodiscard]] std::string text_of(const CLI::ParseError& error) const;

  void add_record_commands();
  void add_revision_commands();
  void add_listing_commands();
  void add_file_commands();
  void add_daemon_commands();
  void add_shell_commands();

  std::vector<Reading> readings_;
  CLI::App app_;
  CLI::Option* store_;
  CLI::Option* version_;
  bool json_ = false;
};

}  // namespace dfs::cli
