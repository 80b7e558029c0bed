// Randomness from the kernel: store ids, hash seeds, names that nobody else has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace dfs::os {

/// Fills `out`; the kernel's generator cannot fail once the machine has started.
void random_bytes(std::span<std::byte> out) noexcept;
[[nodiscard]] std::uint64_t random_number() noexcept;
/// 2 * `bytes` hex digits.
[[nodiscard]] std::string random_hex(std::size_t bytes);

}  // namespace dfs::os
