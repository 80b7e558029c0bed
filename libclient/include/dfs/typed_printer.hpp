// The text of a Boost.JSON document. <dfs/typed.hpp> includes this.
//
// Doubles are printed shortest: Boost's own printer writes 19.99 as 1.999E1.
#pragma once

#include <dfs/limits.hpp>
#include <dfs/typed_text.hpp>

#include <boost/version.hpp>
#if BOOST_VERSION < 108100
#error \
    "dfs/typed.hpp needs Boost 1.81 or later: Boost.JSON came with 1.75, described types with 1.81"
#endif
#include <boost/json/value.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace DFS_API dfs {
namespace typed {

namespace json = boost::json;

inline std::string_view view_of(json::string_view text) { return {text.data(), text.size()}; }

/// Appends the text of a document; where something in it has none, says where.
class DocumentPrinter {
 public:
  explicit DocumentPrinter(std::string& out) : out_(out) {}

  [[nodiscard]] std::optional<Misfit> print(const json::value& document, std::size_t levels = 0) {
    if (levels > kMaxValueDepth) return Misfit{{}, "is nested deeper than a value may be"};
    if (const auto* object = document.if_object()) return print_object(*object, levels);
    if (const auto* array = document.if_array()) return print_array(*array, levels);
    if (const auto* text = document.if_string()) {
      if (append_json(out_, view_of(*text))) return std::nullopt;
      return Misfit{{}, "is a string that is not UTF-8; encode bytes as text, in hex for example"};
    }
    if (const double* number = document.if_double()) {
      if (append_json(out_, *number)) return std::nullopt;
      if (*number == 0) return Misfit{{}, "is -0.0, which readers take for 0; store 0"};
      return Misfit{{},
                    std::string("is ") + (std::isnan(*number) ? "NaN" : "infinite") +
                        ", which JSON does not have"};
    }
    if (const std::int64_t* number = document.if_int64()) out_ += std::to_string(*number);
    if (const std::uint64_t* number = document.if_uint64()) out_ += std::to_string(*number);
    if (const bool* truth = document.if_bool()) out_ += *truth ? "true" : "false";
    if (document.is_null()) out_ += "null";
    return std::nullopt;
  }

 private:
  std::optional<Misfit> print_object(const json::object& object, std::size_t levels) {
    out_ += '{';
    bool first = true;
    for (const auto& [name, member] : object) {
      if (!std::exchange(first, false)) out_ += ',';
      auto misfit = append_json(out_, view_of(name)) ? std::optional<Misfit>()
                                                     : Misfit{{}, "has a name that is not UTF-8"};
      out_ += ':';
      if (!misfit) misfit = print(member, levels + 1);
      if (misfit) return misfit->put_under(view_of(name)), misfit;
    }
    out_ += '}';
    return std::nullopt;
  }
  std::optional<Misfit> print_array(const json::array& array, std::size_t levels) {
    out_ += '[';
    std::size_t index = 0;
    for (const json::value& element : array) {
      if (index != 0) out_ += ',';
      if (auto misfit = print(element, levels + 1)) {
        return misfit->put_under(std::to_string(index)), misfit;
      }
      ++index;
    }
    out_ += ']';
    return std::nullopt;
  }

  std::string& out_;
};

/// What stands there, for the middle of a sentence.
[[nodiscard]] inline std::string described(const json::value& document) {
  if (document.is_object()) return "an object";
  if (document.is_array()) return "an array";
  if (document.is_string()) return "a string";
  std::string text;
  static_cast<void>(DocumentPrinter(text).print(document));
  return text;
}

}  // namespace typed
}  // namespace dfs
