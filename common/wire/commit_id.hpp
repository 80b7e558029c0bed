// The name of a commit, or of a position in the feed, as people and programs keep it: the store's
// id in 32 hex digits, `-`, the sequence in decimal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dfs::wire {

using StoreId = std::array<std::byte, 16>;

struct CommitId {
  StoreId store{};
  std::uint64_t sequence = 0;
  friend bool operator==(const CommitId&, const CommitId&) = default;
};

[[nodiscard]] std::string to_text(const StoreId& store);
[[nodiscard]] std::string to_text(const CommitId& id);
/// None unless it is exactly what `to_text` prints, but for upper-case hex digits.
[[nodiscard]] std::optional<StoreId> parse_store_id(std::string_view text) noexcept;
[[nodiscard]] std::optional<CommitId> parse_commit_id(std::string_view text) noexcept;

}  // namespace dfs::wire
