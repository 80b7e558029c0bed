// CRC-32C (Castagnoli), the checksum that ends every line of the log.
#pragma once

#include <cstdint>
#include <string_view>

namespace dfs::log {

/// The checksum of what `crc` stands for followed by `bytes`; start with 0. Uses the processor's
/// instruction where there is one.
[[nodiscard]] std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes);

/// The same from a table, on every processor; the other is tested against it.
[[nodiscard]] std::uint32_t crc32c_by_table(std::uint32_t crc, std::string_view bytes);

/// True where crc32c() uses the processor's instruction.
[[nodiscard]] bool crc32c_is_accelerated();

}  // namespace dfs::log
