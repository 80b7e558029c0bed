// Numbers that an encoded request is made of, for those who write and read it. Byte table:
// docs/client-memory.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/assert.hpp"
#include "common/base/limits.hpp"
#include "common/wire/request.hpp"

namespace dfs::wire {

// Flags of the head.
inline constexpr std::uint8_t kDurable = 1;
inline constexpr std::uint8_t kSnapshotIsolation = 2;
inline constexpr std::uint8_t kHasSnapshot = 4;
inline constexpr std::uint8_t kKnownFlags = kDurable | kSnapshotIsolation | kHasSnapshot;

// What a write does.
inline constexpr std::uint8_t kSet = 0;
inline constexpr std::uint8_t kErase = 1;

inline constexpr std::size_t kHeadBytes = 20;
/// The shortest member of each list: what a count is held against before memory is reserved.
inline constexpr std::size_t kMinReadBytes = kReadHeadBytes;
inline constexpr std::size_t kMinRangeBytes = kRangeHeadBytes;
inline constexpr std::size_t kMinCheckBytes = 2 + 1;
inline constexpr std::size_t kMinWriteBytes = 2 + 1 + 1 + 4;

/// As it is encoded.
[[nodiscard]] inline Expect normal(const Expectation& expect) noexcept {
  return expect.kind == Expect::version && expect.version == 0 ? Expect::absent : expect.kind;
}

[[nodiscard]] inline std::uint16_t key_size(std::string_view key) noexcept {
  DFS_ASSERT(key.size() <= kMaxKeyBytes, "keys are measured before they are encoded");
  return static_cast<std::uint16_t>(key.size());
}

}  // namespace dfs::wire
