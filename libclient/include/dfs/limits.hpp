// The limits of dfs, the same for library and daemon. Each is refused before anything is accepted.
#pragma once

#include <dfs/export.hpp>

#include <cstddef>
#include <cstdint>

namespace DFS_API dfs {

/// Bytes of a key: UTF-8 without NUL, at least 1. 4,096 fits a path (PATH_MAX) as a key.
inline constexpr std::size_t kMaxKeyBytes = 4096;
/// Bytes of a value, counted as the client sends it.
inline constexpr std::size_t kMaxValueBytes = std::size_t{16} << 20;
/// Levels of arrays and objects in a value, so that no reader of it needs a deep stack.
inline constexpr std::size_t kMaxValueDepth = 64;
/// Records in one commit; with the bytes below, what one batch can hold up for everybody else.
inline constexpr std::size_t kMaxCommitRecords = 100'000;
/// Bytes of keys and values in one commit, with what it read.
inline constexpr std::size_t kMaxCommitBytes = std::size_t{64} << 20;
/// Clients of one daemon at a time.
inline constexpr std::size_t kMaxClients = 1024;
/// Commits that one client may have in flight; `busy` beyond.
inline constexpr std::size_t kMaxInFlight = 4096;
/// Bytes of `Options::origin`, printable ASCII.
inline constexpr std::size_t kMaxOriginBytes = 64;
/// The highest version a record may have: the largest integer a JSON number keeps everywhere.
inline constexpr std::uint64_t kMaxVersion = std::uint64_t{1} << 53;

}  // namespace dfs
