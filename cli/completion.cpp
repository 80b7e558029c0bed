#include "cli/completion.hpp"

#include <dfs/store.hpp>

#include <algorithm>
#include <optional>

#include "cli/serving.hpp"
#include "common/os/process.hpp"

namespace dfs::cli {

namespace {

// A person waits at the keyboard.
constexpr std::chrono::milliseconds kPatience{500};
constexpr std::size_t kMostKeys = 300;

constexpr std::string_view kBash = R"(# Completion of dfsctl for bash.
_dfsctl() {
    local cur=$2 line=${COMP_LINE:0:COMP_POINT} candidate typed
    # What bash takes for the word begins behind the last : or =; what stands before it stays.
    typed=${line##*[[:space:]]}
    typed=${typed%"$cur"}
    COMPREPLY=()
    while IFS= read -r candidate; do
        if [[ $candidate == :files ]]; then
            compopt -o default 2>/dev/null
            continue
        fi
        candidate=${candidate%%$'\t'*}
        [[ -n $typed ]] && candidate=${candidate#"$typed"}
        # Keys are anybody's text: never let the shell look into them.
        [[ $cur != [\"\']* ]] && printf -v candidate %q "$candidate"
        COMPREPLY+=("$candidate")
    done < <("${COMP_WORDS[0]/#\~/$HOME}" complete --line -- "$line" 2>/dev/null)
}
complete -F _dfsctl dfsctl
)";

constexpr std::string_view kZsh = R"(#compdef dfsctl
# Completion of dfsctl for zsh.
_dfsctl() {
    local line files=0
    local -a candidates shown
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            files=1
        else
            candidates+=("${line%%$'\t'*}")
            shown+=("${line/$'\t'/  -- }")
        fi
    done < <("${(Q)words[1]}" complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    (( $#candidates )) && compadd -l -d shown -a candidates
    (( files )) && _files
    (( $#candidates || files ))
}
if [[ $funcstack[1] == _dfsctl ]]; then
    _dfsctl "$@"
else
    compdef _dfsctl dfsctl
fi
)";

constexpr std::string_view kFish = R"(# Completion of dfsctl for fish.
function __dfsctl_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    for line in ($program complete -- $words (commandline -ct) 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            printf '%s\n' $line
        end
    end
end
complete -c dfsctl -f -a '(__dfsctl_complete)'
)";

bool begins(std::string_view word, std::string_view start) { return word.starts_with(start); }

// Of the words before the cursor, what matters for the one at it.
struct Situation {
  const GrammarCommand* command = nullptr;
  std::string address;
  std::size_t positionals = 0;
  const GrammarOption* awaited = nullptr;  // whose value stands at the cursor
  bool options_ended = false;
};

const GrammarOption* option_named(const Grammar& grammar, const GrammarCommand* command,
                                  std::string_view name) {
  const auto find = [&](const std::vector<GrammarOption>& options) -> const GrammarOption* {
    for (const GrammarOption& option : options) {
      if (std::find(option.names.begin(), option.names.end(), name) != option.names.end()) {
        return &option;
      }
    }
    return nullptr;
  };
  if (command != nullptr) {
    if (const GrammarOption* found = find(command->options)) return found;
  }
  return find(grammar.options);
}

Situation situation_of(const Grammar& grammar, const std::vector<std::string>& words) {
  Situation now;
  now.address = os::environment("DFS_STORE");
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (now.awaited != nullptr) {
      if (now.awaited->value == "ADDRESS") now.address = word;
      now.awaited = nullptr;
    } else if (word == "--" && !now.options_ended) {
      now.options_ended = true;
    } else if (!now.options_ended && word.size() > 1 && word.front() == '-') {
      const std::size_t equals = word.find('=');
      const GrammarOption* option = option_named(grammar, now.command, word.substr(0, equals));
      if (option == nullptr || option->value.empty()) continue;
      if (equals == std::string::npos) {
        now.awaited = option;
      } else if (option->value == "ADDRESS") {
        now.address = word.substr(equals + 1);
      }
    } else if (now.command == nullptr) {
      for (const GrammarCommand& command : grammar.commands) {
        if (command.name == word) now.command = &command;
      }
      if (now.command == nullptr) now.options_ended = true;  // no command of ours: nothing to offer
    } else {
      ++now.positionals;
    }
  }
  return now;
}

// Words for something of this kind, each behind `before`.
void add_values(std::string_view kind, const std::string& address, std::string_view before,
                std::string_view start, Candidates& found) {
  if (kind == "KEY" || kind == "PREFIX" || kind == "P") {
    for (std::string& key : keys_that_begin(address, start)) {
      found.words.push_back({std::string(before) + key, {}});
    }
  } else if (kind == "FILE" || kind == "NEW" || kind == "STORE") {
    found.files = true;
  } else if (kind == "ADDRESS") {
    found.files = true;
    for (const Serving& serving : served_stores(kPatience)) {
      if (begins(serving.address, start)) {
        found.words.push_back({std::string(before) + serving.address, "a store that is served"});
      }
    }
  } else if (kind == "SHELL") {
    for (const char* shell : {"bash", "zsh", "fish"}) {
      if (begins(shell, start)) found.words.push_back({std::string(before) + shell, {}});
    }
  }
}

void add_options(const std::vector<GrammarOption>& options, std::string_view start,
                 Candidates& found) {
  for (const GrammarOption& option : options) {
    const std::string& name = option.names.back();  // the long one
    const bool there = std::any_of(found.words.begin(), found.words.end(),
                                   [&](const Candidate& one) { return one.word == name; });
    if (begins(name, start) && !there) found.words.push_back({name, option.description});
  }
}

}  // namespace

std::vector<std::string> keys_that_begin(const std::string& address, std::string_view prefix) {
  std::vector<std::string> keys;
  if (address.empty()) return keys;
  Options options;
  options.create = false;
  options.autostart = Autostart::never;
  options.read_only = true;
  options.timeout = kPatience;
  options.origin = "dfsctl";
  auto store = Store::open(address, std::move(options));
  if (!store) return keys;
  const Snapshot snapshot = store->snapshot();
  const Range range = snapshot.prefix(prefix);
  for (const Entry& entry : range) {
    const bool plain = std::none_of(entry.key.begin(), entry.key.end(), [](char c) {
      return static_cast<unsigned char>(c) < ' ' || c == '\x7F';
    });
    if (plain) keys.emplace_back(entry.key);
    if (keys.size() == kMostKeys) break;
  }
  if (!range.status() || !snapshot.check()) keys.clear();
  return keys;
}

Candidates candidates_for(const Grammar& grammar, const std::vector<std::string>& words) {
  Candidates found;
  if (words.empty()) return found;
  const Situation now = situation_of(grammar, words);
  const std::string& current = words.back();
  if (now.awaited != nullptr) {
    add_values(now.awaited->value, now.address, {}, current, found);
    return found;
  }
  if (!now.options_ended && current.starts_with('-')) {
    const std::size_t equals = current.find('=');
    const GrammarOption* option =
        equals == std::string::npos ? nullptr
                                    : option_named(grammar, now.command, current.substr(0, equals));
    if (option != nullptr) {
      const std::string_view text = current;
      add_values(option->value, now.address, text.substr(0, equals + 1), text.substr(equals + 1),
                 found);
      return found;
    }
    if (now.command != nullptr) add_options(now.command->options, current, found);
    add_options(grammar.options, current, found);
    return found;
  }
  if (now.command == nullptr) {
    if (now.options_ended) return found;
    for (const GrammarCommand& command : grammar.commands) {
      if (begins(command.name, current)) found.words.push_back({command.name, command.description});
    }
    return found;
  }
  const std::vector<std::string>& kinds = now.command->positionals;
  if (kinds.empty()) return found;
  if (now.positionals >= kinds.size() && !now.command->repeats) return found;
  add_values(kinds[std::min(now.positionals, kinds.size() - 1)], now.address, {}, current, found);
  return found;
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == 0 && (c == ' ' || c == '\t')) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
      continue;
    }
    in_word = true;
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size() &&
               (quote == 0 || line[i + 1] == '"' || line[i + 1] == '\\')) {
      word += line[++i];
    } else {
      word += c;
    }
  }
  words.push_back(std::move(word));
  return words;
}

Result<int> completion(const CompletionOptions& options, const Common& common, Output& output) {
  const std::string& shell = options.shell;
  if (shell != "bash" && shell != "zsh" && shell != "fish") {
    return Error(errc::bad_argument,
                 "completion is there for bash, zsh and fish, not for " + shell);
  }
  static_cast<void>(common);  // a script stays a script
  output.text() = shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish;
  return 0;
}

Result<int> complete(const Grammar& grammar, const CompleteOptions& options, const Common& common,
                     Output& output) {
  static_cast<void>(common);
  std::vector<std::string> words = options.words;
  if (options.line) {
    words = words_of(words.empty() ? std::string_view() : std::string_view(words.front()));
    words.erase(words.begin());  // dfsctl itself
  }
  const Candidates found = candidates_for(grammar, words);
  for (const Candidate& candidate : found.words) {
    output.line(candidate.description.empty() ? candidate.word
                                              : candidate.word + "\t" + candidate.description);
  }
  if (found.files) output.line(":files");
  return 0;
}

}  // namespace dfs::cli
