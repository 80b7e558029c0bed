#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>

#include "cli/administration.hpp"
#include "cli/backup.hpp"
#include "cli/completion.hpp"
#include "cli/listing.hpp"
#include "cli/load.hpp"
#include "cli/log_file.hpp"
#include "cli/record.hpp"
#include "cli/revision.hpp"
#include "cli/serving.hpp"
#include "cli/shell.hpp"
#include "cli/stat.hpp"
#include "cli/transaction.hpp"
#include "cli/watch.hpp"
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

// One command while it is read: the parser's part, and how its line goes.
struct Reading {
  CLI::App* app = nullptr;
  std::string usage;
  std::function<Result<Command>()> command;  // what was read, once all is
};

// The parser takes some words apart or for its own: [a,b] where several may stand, ++. They pass it
// behind a byte that it knows nothing of. Options are read by their raw results, never converted.
constexpr char kGuard = '\x01';

std::string guarded(const std::string& word) {
  const bool special = word.starts_with('[') || word.starts_with(kGuard) || word == "++";
  return special ? kGuard + word : word;
}

std::string unguarded(std::string word) {
  if (word.starts_with(kGuard)) word.erase(0, 1);
  return word;
}

std::vector<std::string> all_given(const CLI::Option* option) {
  std::vector<std::string> words = option->results();
  for (std::string& word : words) word = unguarded(std::move(word));
  return words;
}

std::optional<std::string> given(const CLI::Option* option) {
  if (option->count() == 0) return std::nullopt;
  return unguarded(option->results().back());
}

Result<std::optional<std::uint64_t>> number(const CLI::Option* option) {
  const auto text = given(option);
  if (!text) return std::optional<std::uint64_t>();
  std::uint64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end) {
    return Error(errc::bad_argument, option->get_name() + " takes a whole number, not " + *text);
  }
  return std::optional(value);
}

// What -i takes: 1, or 0.1.
Result<std::chrono::milliseconds> seconds(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !(value >= 0.001) || value > 86400) {
    return Error(errc::bad_argument, "-i takes seconds from 0.001 to 86400, not " + text);
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

CLI::Option* flag(CLI::App* app, const std::string& names, const std::string& description) {
  return app->add_flag(names, description);
}

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

// The commands and what each reads; builds the parser once.
class Parser {
 public:
  Parser() : app_("dfs: a key-value store that many processes on one machine share", "dfsctl") {
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

  Result<CommandLine> parse(const std::vector<std::string>& arguments);
  [[nodiscard]] Grammar grammar() const;

 private:
  // A command; `usage` is its line behind "dfsctl".
  CLI::App* add(const std::string& usage, const std::string& description);
  // How the last command added is made from its options.
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
  // What stands where a command should, if that is what is wrong.
  [[nodiscard]] std::optional<Error> unknown_command(const std::vector<std::string>& words) const;

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

CLI::App* Parser::add(const std::string& usage, const std::string& description) {
  const std::string name = usage.substr(0, usage.find(' '));
  CLI::App* app = app_.add_subcommand(name, description);
  app->fallthrough();  // -s and --json behind the command, too
  readings_.push_back(Reading{app, usage, {}});
  return app;
}

void Parser::add_record_commands() {
  CLI::App* app = add("get KEY [--meta] [-r] [--path /a/b]", "Prints the value of a key");
  auto* key = app->add_option("KEY", "The key")->required();
  auto* meta = flag(app, "--meta", "The whole record: version, sequence, time, value");
  auto* raw = flag(app, "-r,--raw", "A string without its quotes");
  auto* path = app->add_option("--path", "A part of the value, by RFC 6901")->type_name("/a/b");
  as([=] {
    return bind(get, GetOptions{*given(key), meta->count() > 0, raw->count() > 0, given(path)});
  });

  app = add("set [-t] KEY VALUE|- [--if-version N] [--if-absent]",
            "Sets a key to a JSON value (-: from standard input) and prints its new version");
  key = app->add_option("KEY", "The key")->required();
  auto* value = app->add_option("VALUE", "JSON; - reads it from standard input")->required();
  auto* text = flag(app, "-t,--text", "VALUE is a text, as it stands, not JSON");
  auto* if_version = app->add_option("--if-version", "Only if the key has this version (0: absent)")
                         ->type_name("N");
  auto* if_absent = flag(app, "--if-absent", "Only if there is no such key")->excludes(if_version);
  as([=]() -> Result<Command> {
    auto version = number(if_version);
    if (!version) return std::move(version).error();
    if (if_absent->count() > 0) *version = 0;
    return bind(set, SetOptions{*given(key), *given(value), text->count() > 0, *version});
  });

  app = add("del KEY... [--if-version N] | del --prefix P", "Erases keys and prints how many");
  auto* keys = app->add_option("KEY", "The keys, in one commit")
                   ->expected(1, CLI::detail::expected_max_vector_size)
                   ->allow_extra_args();
  auto* del_version =
      app->add_option("--if-version", "Only if the one key has this version")->type_name("N");
  auto* prefix = app->add_option("--prefix", "All keys that begin so, in one commit up to 100000")
                     ->type_name("P")
                     ->excludes(keys)
                     ->excludes(del_version);
  as([=]() -> Result<Command> {
    auto version = number(del_version);
    if (!version) return std::move(version).error();
    if (keys->count() == 0 && prefix->count() == 0) {
      return Error(errc::bad_argument, "which keys? KEY is missing");
    }
    if (*version && keys->count() > 1) {
      return Error(errc::bad_argument, "--if-version is about one KEY");
    }
    return bind(del, DelOptions{all_given(keys), given(prefix), *version});
  });

  app = add("exists KEY", "Ends with 0 if there is such a key, else with 1");
  key = app->add_option("KEY", "The key")->required();
  as([=] { return bind(exists, ExistsOptions{*given(key)}); });
}

void Parser::add_revision_commands() {
  CLI::App* app = add("patch KEY JSON|-", "Changes members of an object, by RFC 7396 (null: away)");
  auto* key = app->add_option("KEY", "The key")->required();
  auto* change =
      app->add_option("JSON", "The members that change; - reads standard input")->required();
  as([=] { return bind(patch, PatchOptions{*given(key), *given(change)}); });

  app = add("incr KEY [N]", "Adds to a whole number (an absent one is 0) and prints it");
  key = app->add_option("KEY", "The key")->required();
  auto* amount = app->add_option("N", "How much; 1 without it, and it may be negative");
  as([=] { return bind(incr, IncrOptions{*given(key), given(amount).value_or("1")}); });

  app = add("edit KEY", "Opens the value in $VISUAL or $EDITOR and sets what comes back");
  key = app->add_option("KEY", "The key")->required();
  as([=] { return bind(edit, EditOptions{*given(key)}); });
}

void Parser::add_listing_commands() {
  CLI::App* app = add("list [PREFIX] [--from KEY] [--to KEY] [--reverse] [--limit N] [-k] [-0]",
                      "Prints records in key order, as JSON lines");
  auto* prefix = app->add_option("PREFIX", "Only keys that begin so");
  auto* from = app->add_option("--from", "From this key on")->type_name("KEY");
  auto* to = app->add_option("--to", "Up to this key, without it")->type_name("KEY");
  auto* reverse = flag(app, "--reverse", "From the last to the first");
  auto* limit = app->add_option("--limit", "At most so many")->type_name("N");
  auto* keys = flag(app, "-k,--keys", "Keys alone");
  auto* zero = flag(app, "-0,--null", "End each with NUL instead of a newline");
  as([=]() -> Result<Command> {
    auto most = number(limit);
    if (!most) return std::move(most).error();
    return bind(list, ListOptions{given(prefix).value_or(""), given(from).value_or(""),
                                  given(to).value_or(""), reverse->count() > 0, *most,
                                  keys->count() > 0, zero->count() > 0});
  });

  app = add("count [PREFIX]", "Prints how many keys there are");
  prefix = app->add_option("PREFIX", "Only keys that begin so");
  as([=] { return bind(count, CountOptions{given(prefix).value_or("")}); });

  app = add("dump [PREFIX]", "Prints keys and values as JSON lines, for load");
  prefix = app->add_option("PREFIX", "Only keys that begin so");
  as([=] { return bind(dump, DumpOptions{given(prefix).value_or("")}); });

  app = add("watch [PREFIX] [--since POSITION | --snapshot] [--count N]",
            "Prints each change as it comes, as JSON lines");
  prefix = app->add_option("PREFIX", "Only keys that begin so");
  auto* since =
      app->add_option("--since", "What follows this position, or sequence (0: everything)")
          ->type_name("POSITION");
  auto* snapshot = flag(app, "--snapshot", "First what is there")->excludes(since);
  auto* count = app->add_option("--count", "End after so many changes")->type_name("N");
  as([=]() -> Result<Command> {
    auto most = number(count);
    if (!most) return std::move(most).error();
    return bind(watch, WatchOptions{given(prefix).value_or(""), given(since), snapshot->count() > 0,
                                    *most});
  });
}

void Parser::add_file_commands() {
  CLI::App* app =
      add("tx [FILE]", R"(One commit of JSON lines {"get":K}, {"check":K,"if":N}, )"
                       R"({"set":K,"value":V,"if":N}, {"del":K,"if":N}; "if":0 is absent)");
  auto* file = app->add_option("FILE", "The lines; standard input without it");
  as([=] { return bind(tx, TxOptions{given(file).value_or("-")}); });

  app = add("load [FILE] [--replace] [--atomic]",
            "Sets what JSON lines say: those of dump or list, or of a log");
  file = app->add_option("FILE", "The lines; standard input without it");
  auto* replace = flag(app, "--replace", "Erase what is not in them");
  auto* atomic = flag(app, "--atomic", "In one commit, up to 100000 records and 64 MiB");
  as([=] {
    return bind(load,
                LoadOptions{given(file).value_or("-"), replace->count() > 0, atomic->count() > 0});
  });

  app = add("backup FILE|- [--force]",
            "Writes all of the store, as of one commit, into a file, while everybody goes on");
  file = app->add_option("FILE", "The file to make; - is standard output")->required();
  auto* force = flag(app, "--force", "Replace a file that stands there");
  as([=] { return bind(backup, BackupCommandOptions{*given(file), force->count() > 0}); });

  app = add("restore FILE STORE", "Makes a store of a backup; needs no daemon");
  file = app->add_option("FILE", "The backup")->required();
  auto* restored = app->add_option("STORE", "The log to make, as users.db")->required();
  as([=] { return bind(restore, RestoreCommandOptions{*given(file), *given(restored)}); });

  app = add("check FILE", "Whether a log is whole; needs no daemon, changes nothing");
  file = app->add_option("FILE", "The log")->required();
  as([=] { return bind(check, LogFileOptions{*given(file)}); });

  app = add("repair FILE -o NEW [--accept-edits]",
            "Saves what is good of a log into a new file; the old one stays as it is");
  file = app->add_option("FILE", "The log")->required();
  auto* into = app->add_option("-o,--output", "The file to make")->type_name("NEW")->required();
  auto* accept = flag(app, "--accept-edits",
                      "Take every line that can be read, whatever its checksum, in their order");
  as([=] { return bind(repair, RepairOptions{*given(file), *given(into), accept->count() > 0}); });

  app = add("log FILE", "Shows a log readably; needs no daemon");
  file = app->add_option("FILE", "The log")->required();
  as([=] { return bind(show_log, LogFileOptions{*given(file)}); });
}

void Parser::add_daemon_commands() {
  add("info", "What the store and its daemon are: limits, sizes, counters");
  as([] { return Command(info); });
  CLI::App* app = add("stat [-i SECONDS] [--count N]",
                      "What the daemon did since its start, or does from moment to moment");
  auto* interval =
      app->add_option("-i,--interval", "A line each time, until interrupted")->type_name("SECONDS");
  auto* lines = app->add_option("--count", "So many lines, with -i")->type_name("N");
  as([=]() -> Result<Command> {
    auto count = number(lines);
    if (!count) return std::move(count).error();
    StatOptions options{{}, *count};
    if (const auto text = given(interval)) {
      auto time = seconds(*text);
      if (!time) return std::move(time).error();
      options.interval = *time;
    } else if (*count) {
      return Error(errc::bad_argument, "--count is about the lines of -i");
    }
    return bind(stat, options);
  });
  add("clients", "Who is connected");
  as([] { return Command(clients); });

  app = add("ping [--write]", "Whether the daemon answers");
  auto* write = flag(app, "--write", "And its writer, through the queue");
  as([=] { return bind(ping, PingOptions{write->count() > 0}); });

  add("compact", "Writes log and index anew, without garbage");
  as([] { return Command(compact); });
  add("stop", "Ends the daemon cleanly");
  as([] { return Command(stop); });
  add("sync", "Waits until all that is committed is on disk; prints the sequence");
  as([] { return Command(sync); });

  app = add("resolve ID", "What became of a commit whose answer was lost");
  auto* id = app->add_option("ID", "The commit's id, from the error")->required();
  as([=] { return bind(resolve, ResolveOptions{*given(id)}); });
}

void Parser::add_shell_commands() {
  add("shell", "A prompt on the store, with Tab, history, and begin, commit, rollback");
  as([] { return Command(shell); });
  add("stores", "Which stores are served on this machine");
  as([] { return Command(stores); });

  CLI::App* app = add("completion SHELL", "Prints a script that completes commands and keys");
  auto* shell = app->add_option("SHELL", "bash, zsh or fish")->required();
  as([=] { return bind(completion, CompletionOptions{*given(shell)}); });
}

const Reading* Parser::chosen() const {
  for (const Reading& reading : readings_) {
    if (reading.app->parsed()) return &reading;
  }
  return nullptr;
}

// How many letters must be put in, left out, changed or swapped with their neighbour.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
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
    const std::size_t steps = distance(word->substr(0, 32), reading.app->get_name());
    if (steps < least) {
      least = steps;
      nearest = reading.app->get_name();
    }
  }
  text += nearest.empty() ? "; dfsctl --help lists them" : "; is it " + nearest + "?";
  return Error(errc::bad_argument, std::move(text));
}

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
    std::string text = error.what();
    text.erase(std::remove(text.begin(), text.end(), kGuard), text.end());
    return wrong(std::move(text), chosen());
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

}  // namespace

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
