// Times and sizes as people write them, on the command line and in a config: `100ms`, `4G`.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/result.hpp"

namespace dfs::daemon {

/// `100ms`, `60s`, `10m`, `2h`; a number alone is refused, since nobody can know its unit.
Result<std::chrono::milliseconds> parse_duration(const std::string& text);
/// `512M`, `4G`, `65536` (bytes), K M G T being powers of 1024.
Result<std::uint64_t> parse_size(const std::string& text);
/// A number without a unit.
Result<std::uint64_t> parse_count(const std::string& text);

/// In the largest unit that leaves nothing over; what the parser reads as the same value.
[[nodiscard]] std::string duration_text(std::chrono::milliseconds time);
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace dfs::daemon
