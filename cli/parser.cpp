#include "cli/parser.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "cli/edit_distance.hpp"
#include "cli/given.hpp"
#include "cli/welcome.hpp"
#include "common/os/process.hpp"
#include "common/os/terminal.hpp"

namespace dfs::cli {

namespace {

constexpr const char* kUsage = "dfsctl [-s ADDRESS] [--json] COMMAND ...";

constexpr const char* kAddresses =
    "ADDRESS is a path of a log (users.db, ./users) or a name without slash and dot. A key that\n"
    "begins with - goes behind --, or for an option behind =: dfsctl del -- -k, --from=-k.\n"
    "Exit codes: 0 done, 1 absent, 2 wrong usage or arguments, 3 conflict, 4 no store or no "
    "daemon,\n"
    "5 busy, 6 not permitted, 7 damaged, 8 full or stopped, 9 outcome unknown, 10 too old,\n"
    "11 incompatible, 70 system.";

// Help as the parser prints it, but for the usage, which says the order of arguments.
class HelpText : public CLI::Formatter {
 public:
  explicit HelpText(const std::vector<Reading>& readings) : readings_(readings) {}

  std::string make_usage(const CLI::App* app, std::string) const override {
    for (const Reading& reading : readings_) {
      if (reading.app == app) return "Usage: dfsctl " + reading.usage + "\n";
    }
    return std::string("Usage: ") + kUsage + "\n";
  }

 private:
  const std::vector<Reading>& readings_;
};

std::vector<GrammarOption> options_of(const CLI::App& app) {
  std::vector<GrammarOption> options;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    GrammarOption one;
    for (const std::string& name : option->get_snames()) one.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) one.names.push_back("--" + name);
    if (option->get_items_expected_max() > 0) one.value = option->get_type_name();
    one.description = option->get_description();
    options.push_back(std::move(one));
  }
  return options;
}

}  // namespace

Parser::Parser()
    : app_("dfs: a key-value store that many processes on one machine share", "dfsctl") {
  app_.require_subcommand(0, 1);
  app_.footer(kAddresses);
  app_.formatter(std::make_shared<HelpText>(readings_));
  store_ = app_.add_option("-s,--store", "The store; else $DFS_STORE")->type_name("ADDRESS");
  app_.add_flag("--json", json_, "Results and errors as JSON");
  version_ = flag(&app_, "--version", "The version of dfsctl");
  add_record_commands();
  add_revision_commands();
  add_listing_commands();
  add_file_commands();
  add_daemon_commands();
  add_shell_commands();
}

CLI::App* Parser::add(const std::string& usage, const std::string& description) {
  const std::string name = usage.substr(0, usage.find(' '));
  CLI::App* app = app_.add_subcommand(name, description);
  app->fallthrough();  // -s and --json behind the command, too
  readings_.push_back(Reading{app, usage, {}});
  return app;
}

const Reading* Parser::chosen() const {
  for (const Reading& reading : readings_) {
    if (reading.app->parsed()) return &reading;
  }
  return nullptr;
}

std::optional<Error> Parser::unknown_command(const std::vector<std::string>& words) const {
  const std::vector<std::string> left = app_.remaining();
  const auto word = std::find_if(words.begin(), words.end(), [&left](const std::string& one) {
    return !one.starts_with('-') && std::find(left.begin(), left.end(), guarded(one)) != left.end();
  });
  if (word == words.end()) return std::nullopt;
  std::string text = "there is no command " + *word;
  std::size_t least = 3;
  std::string nearest;
  for (const Reading& reading : readings_) {
    const std::string name = reading.app->get_name();
    const std::size_t steps = edit_distance(word->substr(0, 32), name);
    // With half of its letters changed any short word is any other: help is neither del nor shell.
    if (steps < least && 3 * steps <= std::max(word->size(), name.size())) {
      least = steps;
      nearest = name;
    }
  }
  text += nearest.empty() ? "; dfsctl --help lists them" : "; is it " + nearest + "?";
  return Error(errc::bad_argument, std::move(text));
}

Grammar Parser::grammar() const {
  Grammar grammar;
  grammar.options = options_of(app_);
  for (const Reading& reading : readings_) {
    if (reading.app->get_group().empty()) continue;
    GrammarCommand command{reading.app->get_name(),
                           reading.app->get_description(),
                           options_of(*reading.app),
                           {},
                           false};
    for (const CLI::Option* option : reading.app->get_options()) {
      if (!option->get_positional()) continue;
      command.positionals.push_back(option->get_name());
      command.repeats = option->get_items_expected_max() > 1;
    }
    grammar.commands.push_back(std::move(command));
  }
  return grammar;
}

Error Parser::wrong(std::string text, const Reading* reading) const {
  text += "; usage: ";
  text += reading != nullptr ? "dfsctl " + reading->usage : kUsage;
  return Error(errc::bad_argument, std::move(text));
}

std::string Parser::text_of(const CLI::ParseError& error) const {
  std::string text = error.what();
  text.erase(std::remove(text.begin(), text.end(), kGuard), text.end());
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) == nullptr) return text;
  // "--store: 1 required ADDRESS missing".
  const std::string name = text.substr(0, text.find(':'));
  const Reading* reading = chosen();
  const CLI::Option* option =
      reading != nullptr ? reading->app->get_option_no_throw(name) : nullptr;
  if (option == nullptr) option = app_.get_option_no_throw(name);
  if (option == nullptr) return text;
  return "the " + option->get_type_name() + " behind " + name + " is missing";
}

Result<Command> Parser::command_of(const Reading& reading) const {
  auto command = reading.command();
  if (command) return command;
  return wrong(std::string(command.error().text()), &reading);
}

Result<CommandLine> Parser::parse(const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  for (auto word = arguments.rbegin(); word != arguments.rend(); ++word) {
    words.push_back(guarded(*word));
  }
  try {
    app_.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    const Reading* reading = chosen();
    return CommandLine{{}, {}, reading != nullptr ? reading->app->help() : app_.help()};
  } catch (const CLI::ParseError& error) {
    if (chosen() == nullptr) {
      if (auto unknown = unknown_command(arguments)) return *unknown;
    }
    return wrong(text_of(error), chosen());
  }
  if (version_->count() > 0)
    return CommandLine{{}, {}, std::string("dfsctl ") + DFS_VERSION + "\n"};
  const Reading* reading = chosen();
  CommandLine line;
  line.common.json = json_;
  line.common.address = given(store_).value_or(os::environment("DFS_STORE"));
  if (reading == nullptr) {
    if (json_ || !os::is_terminal(1)) {
      return wrong("which command? dfsctl --help lists them", nullptr);
    }
    line.command = welcome;
    return line;
  }
  auto command = command_of(*reading);
  if (!command) return std::move(command).error();
  line.command = std::move(*command);
  return line;
}

}  // namespace dfs::cli
