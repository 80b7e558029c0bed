// Optional fields: what a message gained after its first version. Each says its id and its length,
// so that who does not know it can step over it (hello) or refuse it by its id (requests).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/wire/archive.hpp"

namespace dfs::wire {

/// `bytes` is a view into the message, or the caller's.
struct Field {
  std::uint16_t id = 0;
  std::string_view bytes;
};

inline constexpr std::size_t kFieldHeadBytes = 6;

inline void put_field(OutputArchive& archive, const Field& field) {
  archive(field.id, static_cast<std::uint32_t>(field.bytes.size()));
  archive.put(field.bytes);
}
/// False at the end of the message, or where it is no field: then the archive has failed.
[[nodiscard]] inline bool get_field(InputArchive& archive, Field& field) {
  if (archive.left() == 0) return false;
  std::uint32_t size = 0;
  archive(field.id, size);
  field.bytes = archive.view(size);
  return !archive.failed();
}

}  // namespace dfs::wire
