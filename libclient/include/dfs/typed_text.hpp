// Texts of the typed layer that need no Boost: what JSON may hold, and what to say where it does
// not fit. <dfs/typed.hpp> includes this.
#pragma once

#include <dfs/error.hpp>
#include <dfs/export.hpp>

#include <string>
#include <string_view>

namespace DFS_API dfs {

/// The place in a value that does not fit: a JSON pointer (RFC 6901; empty for the whole), and what
/// is wrong there, as the end of a sentence: "is 5 where a string is wanted".
struct Misfit {
  std::string pointer;
  std::string complaint;

  /// The same place seen from one level further out: under the member or index `name`.
  void put_under(std::string_view name);
};

/// Appends `text` as a JSON string; false where it is not UTF-8, which JSON cannot hold.
[[nodiscard]] bool append_json(std::string& out, std::string_view text);
/// Appends the shortest text that reads back as this very number: 19.99 stays 19.99. False for
/// infinities and NaN, which JSON does not have, and for -0.0, whose sign readers lose.
[[nodiscard]] bool append_json(std::string& out, double number);

/// wrong_type: what stands under `key` is not what the program's type takes.
[[nodiscard]] Error wrong_type(std::string_view key, const Misfit& misfit);
/// bad_value: what the program wants to store under `key` cannot be stored.
[[nodiscard]] Error unstorable(std::string_view key, const Misfit& misfit);

}  // namespace dfs
