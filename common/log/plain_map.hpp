// Where a text is not plain, found out for many bytes at once and then looked up: for who goes
// through a text token by token, and would find out the same bytes again and again.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dfs::log {

namespace plain_map {

/// Bytes that one word of a map stands for.
inline constexpr std::size_t kBlockBytes = 64;

/// A word for each block of `text`, a bit for each byte: set where it is not plain, and behind the
/// text's end. Requires: room for text.size() / kBlockBytes + 1 words.
void mark(std::string_view text, std::uint64_t* words);
/// The same with what every processor has; the other is tested against it.
void mark_by_bytes(std::string_view text, std::uint64_t* words);

}  // namespace plain_map

/// Looks far ahead into words of its caller's, so that its own members stay in registers.
/// Threads: one at a time.
class PlainMap {
 public:
  // Values are seldom longer; those that are, are looked at piece by piece.
  using Words = std::array<std::uint64_t, 20>;

  /// Requires: both outlive this.
  PlainMap(std::string_view text, Words& words) : text_(text), words_(words.data()) {}

  /// The first byte of the text at or behind `from` that is not plain, or its size. Requires:
  /// `from` is at most the size, and not before what the last call has found.
  [[nodiscard, gnu::always_inline]] std::size_t next(std::size_t from) {
    if (from < seen_to_) {
      const std::uint64_t others = word_of(from) >> (from - seen_from_) % plain_map::kBlockBytes;
      if (others != 0) return from + static_cast<std::size_t>(std::countr_zero(others));
      from += plain_map::kBlockBytes - (from - seen_from_) % plain_map::kBlockBytes;
    }
    for (;; from += plain_map::kBlockBytes) {
      if (from >= seen_to_) {
        seen_from_ = from;
        seen_to_ = look(text_, from, words_);
      }
      const std::uint64_t others = word_of(from);
      if (others != 0) return from + static_cast<std::size_t>(std::countr_zero(others));
    }
  }

 private:
  [[nodiscard]] std::uint64_t word_of(std::size_t at) const {
    return words_[(at - seen_from_) / plain_map::kBlockBytes];
  }
  // How far the words show what is there from `from` on; behind the end, if it is reached.
  static std::size_t look(std::string_view text, std::size_t from, std::uint64_t* words);

  const std::string_view text_;
  std::uint64_t* const words_;
  std::size_t seen_from_ = 0;
  std::size_t seen_to_ = 0;
};

}  // namespace dfs::log
