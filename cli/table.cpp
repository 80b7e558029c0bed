#include "cli/table.hpp"

#include <algorithm>

#include "cli/json_text.hpp"

namespace dfs::cli {

namespace {

// Columns that it takes, as far as one can tell without the terminal's tables: a character each.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xC0') != '\x80'; }));
}

void append_row(const std::vector<std::string>& row, const std::vector<std::size_t>& widths,
                std::string& out) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    line += row[i];
    line.append(widths[i] + 2 - width_of(row[i]), ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line;
}

}  // namespace

void Table::print(Output& output) {
  std::vector<std::size_t> widths;
  for (const std::string& head : heads_) widths.push_back(width_of(head));
  for (auto& row : rows_) {
    row.resize(heads_.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = printable(row[i]);
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  if (!output.on_terminal()) {
    for (const auto& row : rows_) {
      std::string line;
      for (const std::string& field : row) line += (line.empty() ? "" : "\t") + field;
      output.line(line);
    }
    return;
  }
  if (rows_.empty()) return;
  output.text() += output.style(Style::head);
  append_row(heads_, widths, output.text());
  output.line(output.style(Style::plain));
  for (const auto& row : rows_) {
    append_row(row, widths, output.text());
    output.line("");
  }
}

std::string shown(std::string_view value) {
  if (!is_text(value)) return std::string(value);
  auto text = decode_text(value);
  return text ? std::move(*text) : std::string(value);
}

}  // namespace dfs::cli
