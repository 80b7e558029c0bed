// The commands that make a record's new value out of its old one: patch, incr, edit. Each writes
// over the version that it read, and begins again where another was quicker.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace dfs::cli {

struct PatchOptions {
  std::string key;
  std::string patch;  ///< JSON by RFC 7396; "-": standard input
};
/// An absent key counts as one without a value: the patch is what stands there then.
[[nodiscard]] Result<int> patch(const PatchOptions& options, const Common& common, Output& output);

struct IncrOptions {
  std::string key;
  std::string amount = "1";  ///< a whole number, negative or not
};
/// Prints the new number. An absent key counts as 0.
[[nodiscard]] Result<int> incr(const IncrOptions& options, const Common& common, Output& output);

struct EditOptions {
  std::string key;
};
/// Hands the value to $VISUAL, $EDITOR or vi. What the person wrote is never lost: where it cannot
/// be set, it stays in a file, and the error names it.
[[nodiscard]] Result<int> edit(const EditOptions& options, const Common& common, Output& output);

}  // namespace dfs::cli
