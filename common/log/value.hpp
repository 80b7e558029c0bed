// What a value may be: one JSON document. It is kept as the client wrote it, digit for digit,
// without the white space between its tokens, and is never turned into numbers and back.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace dfs::log {

/// Checks values against the JSON grammar (RFC 8259): UTF-8, at most kMaxValueDepth levels, exactly
/// one document, exponents within 32 bits. Errors are `bad_value`, whose text has the column (from
/// 1) and whose offset() has the byte (from 0), or `too_large`, with the limit: of bytes or levels.
/// Threads: one at a time; keep one for each thread, it reuses its parser's memory.
class ValueChecker {
 public:
  ValueChecker();
  ~ValueChecker();
  ValueChecker(const ValueChecker&) = delete;
  ValueChecker& operator=(const ValueChecker&) = delete;

  /// The value without the white space between its tokens: `value` itself where there is none, else
  /// a view of `scratch`, which is overwritten.
  [[nodiscard]] Result<std::string_view> compact(std::string_view value, std::string& scratch);

  /// The same check for a value that arrives in pieces: begin(), more() for each, finish(). What
  /// more() refused stays refused. Then strip_white_space() for the whole.
  void begin();
  [[nodiscard]] Result<void> more(std::string_view piece);
  [[nodiscard]] Result<void> finish();

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

/// A valid JSON text without the white space between its tokens: `value` itself where there is
/// none, else a view of `scratch`. Requires: a ValueChecker accepted `value`.
[[nodiscard]] std::string_view strip_white_space(std::string_view value, std::string& scratch);

}  // namespace dfs::log
