// The commands about a whole store: its files, its daemon, and the shells it is used from.
#include "cli/administration.hpp"
#include "cli/backup.hpp"
#include "cli/completion.hpp"
#include "cli/given.hpp"
#include "cli/load.hpp"
#include "cli/log_file.hpp"
#include "cli/parser.hpp"
#include "cli/serving.hpp"
#include "cli/shell.hpp"
#include "cli/stat.hpp"
#include "cli/transaction.hpp"

namespace dfs::cli {

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

}  // namespace dfs::cli
