// What arguments say: a JSON value given as a word, or on standard input where the word is "-".
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace dfs::cli {

/// A value as it was given for a key.
struct ValueArgument {
  std::string key;    ///< for texts
  std::string value;  ///< "-": standard input
  bool text = false;  ///< not JSON but a text, as it stands
  /// What would be right in place of a word that is no JSON.
  std::string instead = {};
};

/// The value as the store takes it: JSON without the white space between its tokens. bad_value says
/// where it is not JSON, and how a text is set.
[[nodiscard]] Result<std::string> value_of(const ValueArgument& argument);

/// `word` as a shell takes it for one word.
[[nodiscard]] std::string quoted(std::string_view word);

}  // namespace dfs::cli
