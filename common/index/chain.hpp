// The records of one key, newest first: how a reader gets from the newest to the one that its
// snapshot has.
#pragma once

#include <cstdint>

#include "common/index/reach.hpp"
#include "common/index/record.hpp"

namespace dfs::index {

/// The record at `offset`, its header, key, value and far link all within reach; nullptr where
/// there is none.
[[nodiscard, gnu::always_inline]] inline const RecordHeader* record_at(
    Reach& reach, std::uint64_t offset) noexcept {
  const RecordHeader* record = reach.at<RecordHeader>(offset);
  if (record == nullptr || record->sequence == 0) return nullptr;
  const std::uint64_t bytes =
      record_bytes(record->key_size(), record->value_size, (record->flags() & kFarLink) != 0);
  return reach.bytes_at(offset, bytes) == nullptr ? nullptr : record;
}

/// Where a walk along a chain ended.
struct ChainEnd {
  /// found: `record` is the newest not above the sequence, a tombstone perhaps. absent: there is
  /// none. Anything else: the walk met a place that cannot be.
  Outcome outcome = Outcome::absent;
  const RecordHeader* record = nullptr;
  std::uint64_t links = 0;  ///< Followed.
};

/// Walks from `newest` at `offset` to the newest record not above `sequence`. Offsets fall at every
/// link, so the walk ends whatever the bytes are. Does not look; the caller does.
[[nodiscard]] ChainEnd walk_back(Reach& reach, const RecordHeader* newest, std::uint64_t offset,
                                 std::uint64_t sequence) noexcept;

}  // namespace dfs::index
