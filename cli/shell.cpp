#include "cli/shell.hpp"

#include <dfs/store.hpp>

#include <algorithm>
#include <optional>

#include "cli/argument.hpp"
#include "cli/command_line.hpp"
#include "cli/completion.hpp"
#include "cli/dialogue.hpp"
#include "cli/line_editor.hpp"
#include "cli/opening.hpp"
#include "common/os/file.hpp"
#include "common/os/process.hpp"

namespace dfs::cli {

namespace {

constexpr std::string_view kHere =
    "begin               a transaction: get, set, del, list, count, exists, patch and incr are in "
    "it\n"
    "commit, rollback    its end\n"
    "help [COMMAND], exit\n";

// $DFSCTL_HISTORY, where it is empty none; else as the XDG directories say.
std::string history_file() {
  if (std::getenv("DFSCTL_HISTORY") != nullptr) return os::environment("DFSCTL_HISTORY");
  std::string folder = os::environment("XDG_STATE_HOME");
  if (folder.empty()) {
    const std::string home = os::environment("HOME");
    if (home.empty()) return {};
    folder = home + "/.local/state";
  }
  return folder + "/dfsctl/history";
}

bool is_space(char c) { return c == ' ' || c == '\t'; }

// Behind the JSON value that begins at `at`: where its brackets and quotes are closed.
std::size_t end_of_json(std::string_view line, std::size_t at) {
  std::size_t depth = 0;
  bool in_text = false;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (in_text) {
      if (c == '\\') ++at;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
    if (!in_text && depth == 0) return std::min(at + 1, line.size());
  }
  return line.size();
}

// One word at a prompt, of commands that may be in a transaction.
bool belongs_to_transaction(const std::string& command) {
  static const std::vector<std::string> kCommands = {"get",    "set",   "del",   "list",
                                                     "exists", "count", "patch", "incr"};
  return std::find(kCommands.begin(), kCommands.end(), command) != kCommands.end();
}

class Session {
 public:
  Session(const Common& common, Output& output)
      : common_(common), output_(output), grammar_(grammar()) {
    for (const char* name : {"begin", "commit", "rollback", "help", "exit"}) {
      grammar_.commands.push_back({name, {}, {}, {}, false});
    }
  }

  Result<int> run() {
    LineEditor editor([this](const std::string& line) { return offered(line); }, history_file());
    if (editor.on_terminal()) notice("help lists the commands; exit, or Ctrl-D, ends this");
    for (;;) {
      auto line = editor.next(os::name_of(common_.address) + (transaction_ ? "*> " : "> "));
      if (!line) break;
      const std::vector<std::string> words = shell_words(*line);
      if (words.empty() || words.front().starts_with('#')) continue;
      if (words.front() == "exit" || words.front() == "quit") break;
      Result<int> outcome = execute(words);
      if (auto written = output_.flush(); !written) return std::move(written).error();
      if (editor.on_terminal()) {
        if (!outcome) print_error(outcome.error(), common_.json);
      } else if (!outcome || *outcome != 0) {
        return outcome;
      }
    }
    if (transaction_ && !editor.on_terminal()) {
      return Error(errc::bad_argument, "the input ended before commit: nothing was written");
    }
    if (transaction_) notice("the transaction is rolled back");
    return 0;
  }

 private:
  Result<int> execute(const std::vector<std::string>& words) {
    const std::string& command = words.front();
    if (command == "help") return help(words);
    if (command == "begin") return begin();
    if (command == "commit") return commit();
    if (command == "rollback") return rollback();
    if (command == "shell") return Error(errc::bad_argument, "this is the shell already");
    if (transaction_ && !belongs_to_transaction(command)) {
      return Error(errc::bad_argument,
                   command + " is not part of a transaction; commit or rollback first");
    }
    std::vector<std::string> arguments{"--store=" + common_.address};
    if (common_.json) arguments.emplace_back("--json");
    arguments.insert(arguments.end(), words.begin(), words.end());
    auto line = parse_command_line(arguments);
    if (!line) return std::move(line).error();
    if (!line->command) {
      output_.text() += line->text;
      return 0;
    }
    line->common.transaction = transaction_ ? &*transaction_ : nullptr;
    return line->command(line->common, output_);
  }

  Result<int> help(const std::vector<std::string>& words) {
    if (words.size() > 1) return execute({words[1], "--help"});
    for (const GrammarCommand& command : grammar_.commands) {
      if (command.description.empty() || command.name == "shell" || command.name == "completion") {
        continue;
      }
      std::string line = command.name;
      line.append(20 - std::min<std::size_t>(line.size(), 20), ' ');
      output_.line(line + command.description);
    }
    output_.text() += kHere;
    return 0;
  }

  Result<int> begin() {
    if (transaction_) return Error(errc::bad_argument, "a transaction is open: commit or rollback");
    auto store = open_store(common_, Purpose::create);
    if (!store) return std::move(store).error();
    store_.emplace(std::move(*store));
    transaction_.emplace(store_->begin());
    return 0;
  }

  Result<int> commit() {
    if (!transaction_) return no_transaction();
    auto committed = transaction_->commit();
    transaction_.reset();
    store_.reset();
    if (!committed) return std::move(committed).error();
    const std::string sequence = std::to_string(committed->sequence);
    output_.line(common_.json ? "{\"committed\":true,\"sequence\":" + sequence + "}"
                              : "committed, " + sequence);
    return 0;
  }

  Result<int> rollback() {
    if (!transaction_) return no_transaction();
    transaction_.reset();
    store_.reset();
    return 0;
  }

  static Error no_transaction() {
    return Error(errc::bad_argument, "no transaction is open; begin opens one");
  }

  [[nodiscard]] std::vector<std::string> offered(const std::string& line) const {
    std::vector<std::string> words = words_of(line);
    words.insert(words.begin(), "--store=" + common_.address);
    std::vector<std::string> found;
    for (const Candidate& candidate : candidates_for(grammar_, words).words) {
      found.push_back(quoted(candidate.word));
    }
    return found;
  }

  const Common& common_;
  Output& output_;
  Grammar grammar_;
  std::optional<Store> store_;
  std::optional<Transaction> transaction_;
};

}  // namespace

std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> words;
  bool as_text = false;  // set -t: a text, as it stands
  for (std::size_t at = 0;;) {
    while (at < line.size() && is_space(line[at])) ++at;
    if (at == line.size()) return words;
    const bool takes_json = words.size() >= 2 && (words[0] == "set" || words[0] == "patch");
    if (takes_json && !as_text && std::string_view("{[\"").find(line[at]) != std::string::npos) {
      const std::size_t end = end_of_json(line, at);
      words.emplace_back(line.substr(at, end - at));
      at = end;
      continue;
    }
    // The end of the word: the first white space outside of quotes.
    std::size_t end = at;
    char quote = 0;
    for (; end < line.size() && (quote != 0 || !is_space(line[end])); ++end) {
      const char c = line[end];
      if (c == '\\' && quote != '\'') {
        ++end;
      } else if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      }
    }
    end = std::min(end, line.size());
    words.push_back(words_of(line.substr(at, end - at)).front());
    as_text = as_text || words.back() == "-t" || words.back() == "--text";
    at = end;
  }
}

Result<int> shell(const Common& common, Output& output) {
  if (common.address.empty()) {  // said now, and not at every line
    auto store = open_store(common, Purpose::read);
    if (!store) return std::move(store).error();
  }
  return Session(common, output).run();
}

}  // namespace dfs::cli
