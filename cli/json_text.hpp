// JSON as text: finds the parts of a document without reading any number, so that the digits of
// every value stay what they are.
//
// The bytes are input and may be anything. Only the outermost level is looked at closely here;
// what stands inside is checked by log::ValueChecker before it is used as a value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace dfs::cli {

/// One member of an object. The value's bytes belong to the text it was found in.
struct Member {
  std::string name;
  std::string_view value;
  std::string_view quoted_name;  ///< as it stands, quotes and escapes included
  std::size_t column = 0;        ///< where its name stands in that text, from 1
};

// Each fails with bad_value, whose text names the column and whose offset() is that column less
// one.

/// The members of an object, in their order. A name that stands twice is refused.
[[nodiscard]] Result<std::vector<Member>> members(std::string_view text);
/// The elements of an array, in their order.
[[nodiscard]] Result<std::vector<std::string_view>> elements(std::string_view text);
/// What a string says, without its quotes and escapes. Half a surrogate pair is refused.
[[nodiscard]] Result<std::string> decode_text(std::string_view text);

[[nodiscard]] bool is_text(std::string_view value) noexcept;

/// The part of a document that an RFC 6901 pointer names ("/a/0/b"; "" is all of it). absent where
/// there is none, bad_argument where it is not a pointer. Requires: ValueChecker accepted `value`.
[[nodiscard]] Result<std::string_view> part_at(std::string_view value, std::string_view pointer);

/// Appends `text` as a JSON string; bytes that are not UTF-8 become U+FFFD.
void append_json(std::string& out, std::string_view text);

}  // namespace dfs::cli
