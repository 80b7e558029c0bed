#include "cli/indent.hpp"

namespace dfs::cli {

namespace {

void new_line(std::string& out, std::size_t depth) {
  out += '\n';
  out.append(2 * depth, ' ');
}

// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view value, std::size_t at) {
  for (++at; at < value.size() && value[at] != '"'; ++at) {
    if (value[at] == '\\') ++at;
  }
  return at + 1;
}

}  // namespace

std::string indented(std::string_view value) {
  std::string out;
  std::size_t depth = 0;
  for (std::size_t at = 0; at < value.size(); ++at) {
    const char c = value[at];
    if (c == '"') {
      const std::size_t end = end_of_string(value, at);
      out += value.substr(at, end - at);
      at = end - 1;
    } else if (c == '{' || c == '[') {
      out += c;
      const char next = at + 1 < value.size() ? value[at + 1] : c;
      if (next == '}' || next == ']') {
        out += next;
        ++at;
      } else {
        new_line(out, ++depth);
      }
    } else if (c == '}' || c == ']') {
      new_line(out, --depth);
      out += c;
    } else {
      out += c;
      if (c == ':') out += ' ';
      if (c == ',') new_line(out, depth);
    }
  }
  return out + "\n";
}

}  // namespace dfs::cli
