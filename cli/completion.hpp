// What a shell offers when Tab is pressed: commands, options, and keys of the live store.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/command_line.hpp"

namespace dfs::cli {

/// A word that may stand at the cursor.
struct Candidate {
  std::string word;
  std::string description;
};

struct Candidates {
  std::vector<Candidate> words;
  bool files = false;  ///< names of files may stand there, too
};

/// What may stand in place of the last of `words` (those behind "dfsctl"). Asks a store that is
/// served and starts none; offers nothing rather than fail.
[[nodiscard]] Candidates candidates_for(const Grammar& grammar,
                                        const std::vector<std::string>& words);

/// Keys of the store at `address` that begin so; at most a few hundred.
[[nodiscard]] std::vector<std::string> keys_that_begin(const std::string& address,
                                                       std::string_view prefix);

/// The words of a line as a shell takes it apart; the last one is what the cursor stands in, and
/// may be empty.
[[nodiscard]] std::vector<std::string> words_of(std::string_view line);

struct CompletionOptions {
  std::string shell;
};
/// Prints the script that makes the shell ask `dfsctl complete`.
[[nodiscard]] Result<int> completion(const CompletionOptions& options, const Common& common,
                                     Output& output);

struct CompleteOptions {
  std::vector<std::string> words;
  bool line = false;  ///< the one word is a line, "dfsctl" included
};
/// A candidate a line, with a tab and its description; ":files" where files may stand. Never fails.
[[nodiscard]] Result<int> complete(const Grammar& grammar, const CompleteOptions& options,
                                   const Common& common, Output& output);

}  // namespace dfs::cli
