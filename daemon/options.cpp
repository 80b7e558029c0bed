#include "daemon/options.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "common/os/file.hpp"
#include "daemon/setting.hpp"
#include "daemon/version.hpp"

namespace dfs::daemon {

namespace {

/// Sets it at once, so that a wrong value ends the parsing, and remembers it: a config that is read
/// again must not undo what the command line said.
void give(ParsedOptions& parsed, const Setting& setting, const std::string& text) {
  if (auto done = set(parsed.options, setting, text); !done) {
    throw CLI::ValidationError("--" + std::string(setting.name), std::string(done.error().text()));
  }
  parsed.given.push_back({&setting, text});
}

/// What stands behind the meaning in --help: the default, where the meaning does not say it.
std::string help_of(const Setting& setting) {
  std::string help(setting.meaning);
  const std::string value = text_of(Options(), setting);
  return value.empty() ? help : help + " (" + value + ")";
}

void add_settings(CLI::App& app, ParsedOptions& parsed) {
  for (const Setting& setting : settings()) {
    const std::string option = "--" + std::string(setting.name);
    if (std::holds_alternative<FlagMember>(setting.member)) {
      app.add_flag_function(
          option,
          [&parsed, &setting](std::int64_t times) {
            give(parsed, setting, times > 0 ? "true" : "false");
          },
          help_of(setting));
      continue;
    }
    app.add_option_function<std::string>(
           option, [&parsed, &setting](const std::string& text) { give(parsed, setting, text); },
           help_of(setting))
        ->type_name(std::string(setting.form));
  }
}

void add_start(CLI::App& app, Options& o) {
  const char* const start = "How a client starts a daemon";
  app.add_flag("--detach", o.detach, "fork, and let the first process end")->group(start);
  app.add_option("--ready-fd", o.ready_fd, "write `ok` or an error there, then close it")
      ->group(start);
  app.add_option("--lock-fd", o.lock_fd, "the store's lock file, locked by the starter")
      ->group(start);
}

ParsedOptions& refuse(ParsedOptions& parsed, int code, const std::string& text) {
  std::cerr << "dfsd: " << text << "\n";
  parsed.finished = true;
  parsed.exit_code = code;
  return parsed;
}

/// Relative paths are to the directory of now: one that serves may leave it.
void resolve_paths(ParsedOptions& parsed) {
  const auto resolve = [](std::string& path) {
    if (path.empty()) return;
    if (auto whole = os::resolve_path(path)) path = std::move(*whole);
  };
  resolve(parsed.config);
  for (GivenSetting& given : parsed.given) {
    if (given.setting->form != "PATH") continue;
    resolve(given.text);
    static_cast<void>(set(parsed.options, *given.setting, given.text));
  }
}

}  // namespace

ParsedOptions parse_options(const std::vector<std::string>& arguments) {
  ParsedOptions parsed;
  Options& o = parsed.options;
  CLI::App app{"dfsd serves one store: it owns the log and publishes its index to every client.",
               "dfsd"};
  app.set_version_flag("--version", "dfsd " + std::string(kVersion));
  app.add_option("STORE", o.store, "the store's log; made if nothing is there")
      ->type_name("STORE.db");
  app.add_option("--config", parsed.config,
                 "the settings below as TOML, `_` for `-` (default: STORE.db.toml, if it is there)")
      ->type_name("FILE");
  bool check = false;
  bool print = false;
  app.add_flag("--check-config", check, "say what is wrong with the config, and end");
  app.add_flag("--print-config", print, "print every setting and where it comes from, and end");
  add_settings(app, parsed);
  add_start(app, o);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    parsed.finished = true;
    parsed.exit_code = app.exit(e, std::cout, std::cerr) == 0 ? 0 : 2;
    return parsed;
  }
  resolve_paths(parsed);
  if (check) parsed.task = Task::check_config;
  if (print) parsed.task = Task::print_config;
  if (o.store.empty() && (parsed.task == Task::serve || parsed.config.empty())) {
    return refuse(parsed, 2,
                  "no store is named: dfsd [options] STORE.db; the log is made if nothing is there "
                  "(--help has more)");
  }
  if (o.store.empty()) return parsed;  // a config alone is looked at
  auto resolved = os::resolve_path(o.store);
  if (!resolved) {
    return refuse(parsed, exit_code(errc::no_store),
                  "no store at " + o.store + ": " + std::string(resolved.error().text()));
  }
  o.store = *resolved;
  return parsed;
}

}  // namespace dfs::daemon
