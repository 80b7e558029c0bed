// The hash of a key: XXH3-64, seeded at random for each generation, so that the keys that meet in a
// bucket are not the same ones from store to store.
#pragma once

#include <cstdint>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace dfs::index {

[[nodiscard]] inline std::uint64_t hash_key(std::string_view key, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(key.data(), key.size(), seed);
}

}  // namespace dfs::index
