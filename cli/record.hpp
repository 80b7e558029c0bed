// The commands about single keys: get, set, del, exists.
#pragma once

#include <dfs/committed.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace dfs::cli {

/// Prints the version that a commit gave the one key that it wrote.
void print_written(const std::string& key, const Committed& committed, const Common& common,
                   Output& output);

struct GetOptions {
  std::string key;
  bool meta = false;                ///< the whole record
  bool raw = false;                 ///< a string without its quotes
  std::optional<std::string> path;  ///< a JSON pointer into the value
};
[[nodiscard]] Result<int> get(const GetOptions& options, const Common& common, Output& output);

struct SetOptions {
  std::string key;
  std::string value;  ///< "-": standard input
  bool text = false;  ///< the value is a text, not JSON
  std::optional<std::uint64_t> if_version;
};
[[nodiscard]] Result<int> set(const SetOptions& options, const Common& common, Output& output);

struct DelOptions {
  std::vector<std::string> keys;
  std::optional<std::string> prefix;
  std::optional<std::uint64_t> if_version;
};
[[nodiscard]] Result<int> del(const DelOptions& options, const Common& common, Output& output);

struct ExistsOptions {
  std::string key;
};
[[nodiscard]] Result<int> exists(const ExistsOptions& options, const Common& common,
                                 Output& output);

}  // namespace dfs::cli
