// The text of a value to a Boost.JSON document. <dfs/typed.hpp> includes this.
//
// Doubles are read correctly rounded: Boost's own parser misses the last bit of one in three.
// Integers are those of 64 bits, signed or not.
#pragma once

#include <dfs/limits.hpp>
#include <dfs/typed_printer.hpp>
#include <dfs/typed_text.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace DFS_API dfs {
namespace typed {

/// Makes a document of the parser's events. What Boost's own does, but for doubles, of which that
/// gets one in three wrong by its last bit.
struct DocumentBuilder {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();
  using Code = json::error_code;
  using Text = json::string_view;

  json::value_stack stack;
  std::string number;         // the parts of one that came in parts
  std::string out_of_bounds;  // the first number that no double holds; its place holds infinity

  bool on_document_begin(Code&) { return stack.reset(), true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t n, Code&) { return stack.push_object(n), true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t n, Code&) { return stack.push_array(n), true; }
  bool on_key_part(Text s, std::size_t, Code&) { return stack.push_chars(s), true; }
  bool on_key(Text s, std::size_t, Code&) { return stack.push_key(s), true; }
  bool on_string_part(Text s, std::size_t, Code&) { return stack.push_chars(s), true; }
  bool on_string(Text s, std::size_t, Code&) { return stack.push_string(s), true; }
  bool on_number_part(Text s, Code&) { return number.append(s.data(), s.size()), true; }
  bool on_int64(std::int64_t i, Text, Code&) { return number.clear(), stack.push_int64(i), true; }
  bool on_uint64(std::uint64_t u, Text, Code&) {
    return number.clear(), stack.push_uint64(u), true;
  }
  bool on_double(double, Text s, Code&) {
    number.append(s.data(), s.size());
    double exact = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), exact);
    if (read.ec != std::errc()) {
      exact = std::numeric_limits<double>::infinity();
      if (out_of_bounds.empty()) out_of_bounds = number.substr(0, 40);
    }
    return number.clear(), stack.push_double(exact), true;
  }
  bool on_bool(bool b, Code&) { return stack.push_bool(b), true; }
  bool on_null(Code&) { return stack.push_null(), true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

/// The place of the first number in `document` that stands for one out of bounds.
inline std::optional<Misfit> find_out_of_bounds(const json::value& document) {
  if (const double* number = document.if_double(); number != nullptr && std::isinf(*number)) {
    return Misfit();
  }
  if (const auto* object = document.if_object()) {
    for (const auto& [name, member] : *object) {
      if (auto found = find_out_of_bounds(member)) return found->put_under(view_of(name)), found;
    }
  }
  if (const auto* array = document.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (auto found = find_out_of_bounds((*array)[i])) {
        return found->put_under(std::to_string(i)), found;
      }
    }
  }
  return std::nullopt;
}

/// Reads the text of a value; where it holds what a document cannot, says where.
[[nodiscard]] inline std::optional<Misfit> parse(std::string_view text, json::value& document) {
  json::parse_options options;
  options.max_depth = kMaxValueDepth;
  json::basic_parser<DocumentBuilder> parser(options);
  json::error_code code;
  const std::size_t consumed = parser.write_some(false, text.data(), text.size(), code);
  if (code || consumed != text.size()) return Misfit{{}, "is not JSON"};
  document = parser.handler().stack.release();
  const std::string& number = parser.handler().out_of_bounds;
  if (number.empty()) return std::nullopt;
  auto place = find_out_of_bounds(document).value_or(Misfit());
  place.complaint = "is " + number + ", which no double holds";
  return place;
}

}  // namespace typed
}  // namespace dfs
