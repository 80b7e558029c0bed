// Rows under heads: aligned and with heads for a person at a terminal, fields between tabs for a
// program that reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/output.hpp"

namespace dfs::cli {

/// Gathers rows; prints them at the end, when their widths are known. Threads: one.
class Table {
 public:
  explicit Table(std::vector<std::string> heads) : heads_(std::move(heads)) {}
  /// Missing fields at the end are empty.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print(Output& output);

 private:
  std::vector<std::string> heads_;
  std::vector<std::vector<std::string>> rows_;
};

/// A JSON value as a person reads it: a string without its quotes.
[[nodiscard]] std::string shown(std::string_view value);

}  // namespace dfs::cli
