// A position in the history of a store: its id and a sequence. Also the id of a commit.
#pragma once

#include <dfs/export.hpp>
#include <dfs/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace DFS_API dfs {

/// A place in the order of commits of one store. Written as 32 hex digits of the store's id, `-`,
/// and the sequence in decimal. Plain value.
class Position {
 public:
  using StoreId = std::array<std::byte, 16>;

  /// The beginning of no store.
  Position() noexcept = default;
  Position(const StoreId& store, std::uint64_t sequence) noexcept
      : store_(store), sequence_(sequence) {}
  /// Reads what `text` printed; bad_argument otherwise.
  [[nodiscard]] static Result<Position> parse(std::string_view text);

  [[nodiscard]] const StoreId& store() const noexcept { return store_; }
  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Position&, const Position&) noexcept = default;

 private:
  StoreId store_{};
  std::uint64_t sequence_ = 0;
};

}  // namespace dfs
