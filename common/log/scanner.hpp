// Walks over the tokens of one line, strictly as the encoder writes it, or leniently, with white
// space between tokens, for lines that a person edited. The first thing that does not fit is kept,
// with its place and what would be right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dfs::log {

/// Bounds of a number, and its name for the refusal.
struct NumberRule {
  std::string_view name;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

/// Every call answers whether it found what it names, and goes behind it; after one that did not,
/// reason() and column() say why. Threads: one.
class Scanner {
 public:
  enum class Form : std::uint8_t { strict, lenient };

  Scanner(std::string_view text, Form form) : text_(text), form_(form) {}

  /// These exact bytes; leniently with white space before them.
  bool take(std::string_view token);
  /// The same, and nothing is wrong where they do not stand.
  bool take_if(std::string_view token);
  /// `"name":`
  bool name(std::string_view name);
  /// `,"name":`, and nothing is wrong where it does not stand.
  bool member_if(std::string_view name);

  /// Decimal digits without leading zeros.
  bool number(const NumberRule& rule, std::uint64_t& number);
  /// A JSON integer, as its digits.
  bool integer(std::string_view& digits);
  /// A JSON string: the view is the text, in the line where it has no escapes, else in `scratch`.
  bool text(std::string_view& text, std::string& scratch);
  /// Any JSON value, by its extent alone: brackets and quotes are matched, no more.
  bool value(std::string_view& value);
  /// Nothing but white space (none, strictly) to the end.
  bool end();

  /// Notes what is wrong at the place reached; false, for `return`.
  bool fail(std::string_view reason);
  /// The same for the place where the token just read began.
  bool fail_at(std::size_t at, std::string_view reason);

  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] std::size_t position() const { return at_; }
  void move_to(std::size_t at) { at_ = at; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  /// From 1.
  [[nodiscard]] std::size_t column() const { return failed_at_ + 1; }

 private:
  void skip_white_space();
  bool escape(std::string& scratch);
  bool hex4(std::uint32_t& unit);
  [[nodiscard]] std::size_t text_extent(std::size_t at) const;

  std::string_view text_;
  Form form_;
  std::size_t at_ = 0;
  std::string reason_;
  std::size_t failed_at_ = 0;
};

}  // namespace dfs::log
