// The tables of docs/errors.md.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace dfs::test {

/// One code, as the page has it.
struct ErrorsRow {
  std::string written;
  std::string again;
  std::string exit;
  std::string text;
};

inline std::string trimmed(std::string text) {
  while (text.starts_with(' ')) text.erase(0, 1);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

/// The cells of a table's line; none for any other line.
inline std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  if (!line.starts_with("| `")) return cells;
  std::istringstream rest(line.substr(1, line.size() - 2));
  for (std::string cell; std::getline(rest, cell, '|');) cells.push_back(trimmed(cell));
  return cells;
}

/// The page's rows by name. A name that stands twice in one table, or in one of the two only, is
/// left with what is missing empty.
inline std::map<std::string, ErrorsRow> read_page() {
  std::ifstream page(DFS_ERRORS_DOC);
  std::map<std::string, ErrorsRow> rows;
  for (std::string line; std::getline(page, line);) {
    const auto cells = cells_of(line);
    if (cells.empty()) continue;
    ErrorsRow& row = rows[cells[0].substr(1, cells[0].size() - 2)];
    if (cells.size() == 6) {
      EXPECT_TRUE(row.exit.empty()) << "twice: " << line;
      row.written = cells[2];
      row.again = cells[3];
      row.exit = cells[5];
    } else {
      EXPECT_EQ(cells.size(), 3U) << line;
      EXPECT_TRUE(row.text.empty()) << "twice: " << line;
      row.text = cells[1];
    }
  }
  return rows;
}

}  // namespace dfs::test
