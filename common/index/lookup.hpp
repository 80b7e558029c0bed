// Finding one key in a snapshot: hash, slot, record; two cache misses, no lock, no system call
// (I11).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/index/record.hpp"
#include "common/index/view.hpp"

namespace dfs::index {

/// What a lookup found. Plain data; `record` lies in shared memory and stays as long as the
/// generation is held.
struct Lookup {
  Outcome outcome = Outcome::absent;
  /// found: the record. absent: the tombstone, or nullptr where the snapshot never had the key.
  const RecordHeader* record = nullptr;

  /// What a transaction sends for this read: the sequence of the record, 0 for absent.
  [[nodiscard]] std::uint64_t sequence() const noexcept {
    return outcome == Outcome::found ? record->sequence : 0;
  }
};

/// The record of `key` as of `sequence`. Any threads.
[[nodiscard]] Lookup find(const View& view, std::string_view key, std::uint64_t sequence) noexcept;

/// `find` without its look, for who reads the record at once: nothing of it counts before `judged`.
[[nodiscard]] Lookup find_before_look(const View& view, std::string_view key,
                                      std::uint64_t sequence) noexcept;
/// A lookup after the look that it lacked.
[[nodiscard]] inline Lookup judged(const View& view, const Lookup& lookup) noexcept {
  return look(view) ? lookup : Lookup{Outcome::given_back, nullptr};
}

/// `find` for each of `keys` into `out`, with the cache misses of sixteen overlapped.
/// Requires: out.size() >= keys.size().
void find_many(const View& view, std::span<const std::string_view> keys, std::uint64_t sequence,
               std::span<Lookup> out) noexcept;

}  // namespace dfs::index
