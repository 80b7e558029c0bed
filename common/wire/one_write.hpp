// Requests that write one key and do nothing else, as most do: the bytes that an archive would make
// of them, and read, at a fifth of its cost.
#pragma once

#include <cstddef>
#include <span>

#include "common/wire/request.hpp"

namespace dfs::wire {

/// What `encode` would make of a request that does this and nothing else: its bytes.
[[nodiscard]] std::size_t one_write_bytes(const Write& write) noexcept;
/// The same, in place. Requires: as `encode`; `to` has `one_write_bytes(write)`.
void encode_one_write(const Write& write, bool durable, std::byte* to) noexcept;

/// Reads a set of one key, whatever it was before, and nothing else. False where it is another
/// request, or none; `decode` says what.
[[nodiscard]] bool decode_one_set(std::span<const std::byte> bytes, CommitRequest& request);

}  // namespace dfs::wire
