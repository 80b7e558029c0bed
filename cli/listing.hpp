// The commands that go through many keys in order: list, count, dump.
#pragma once

#include <dfs/entry.hpp>

#include <cstdint>
#include <optional>
#include <string>

#include "cli/command.hpp"

namespace dfs::cli {

struct ListOptions {
  std::string prefix;
  std::string from;  ///< the first key that may come; empty: the first of all
  std::string to;    ///< the first key that may not; empty: none
  bool reverse = false;
  std::optional<std::uint64_t> limit;
  bool keys = false;      ///< keys alone
  bool zero_end = false;  ///< each ends in NUL, not newline
};
[[nodiscard]] Result<int> list(const ListOptions& options, const Common& common, Output& output);

struct CountOptions {
  std::string prefix;
};
[[nodiscard]] Result<int> count(const CountOptions& options, const Common& common, Output& output);

struct DumpOptions {
  std::string prefix;
};
[[nodiscard]] Result<int> dump(const DumpOptions& options, const Common& common, Output& output);

/// Appends {"key","version","sequence","time","value"}; the time is null where it is not known.
void append_entry(std::string& out, const Entry& entry);

}  // namespace dfs::cli
