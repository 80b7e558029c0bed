// A record in shared memory: the twin of a line of the log, found by the table and the tree, and
// walked in commit order by the feed.
//
// Made by the writer when its line is in the log, never changed once published (I6). Key and value
// lie right behind the header, so that a lookup that has the header has the key too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/index/control_page.hpp"

namespace dfs::index {

/// The flags of a record, in the high 16 bits of its anchor word.
inline constexpr std::uint64_t kErased = 1;        ///< A tombstone; it has no value.
inline constexpr std::uint64_t kLastOfCommit = 2;  ///< No more records of this commit follow.
inline constexpr std::uint64_t kFarLink = 4;       ///< A FarLink lies behind key and value.
/// Bits 4 to 7: how many records the key had before this one, modulo 16.
inline constexpr unsigned kPlaceShift = 4;
/// Every so many records of a key carry a far link.
inline constexpr std::uint64_t kFarLinkDistance = 16;

/// What a far link adds to a record: the record 16 before, and one much further back, by which an
/// old snapshot reaches its record of a hot key in a logarithm of the steps.
struct FarLink {
  std::uint64_t near_word;  ///< Record 16 before; above it the low 16 bits of the link's number.
  std::uint64_t jump_word;  ///< Some record with a far link; above it the number's next 16 bits.

  [[nodiscard]] std::uint64_t near() const noexcept { return offset_of(near_word); }
  [[nodiscard]] std::uint64_t jump() const noexcept { return offset_of(jump_word); }
  /// How many far links the key had before this one.
  [[nodiscard]] std::uint64_t number() const noexcept {
    return rest_of(jump_word) << 16 | rest_of(near_word);
  }
};
static_assert(sizeof(FarLink) == 16);
static_assert(offsetof(FarLink, near_word) == 0);
static_assert(offsetof(FarLink, jump_word) == 8);

/// 48 bytes, then key and value side by side, then filled up to eight bytes, then a FarLink if
/// flagged. Read only through a checked offset (view.hpp).
struct RecordHeader {
  std::uint64_t sequence;  ///< Of its commit; 0 says that this is a Jump.
  std::uint64_t version;   ///< Of its key.
  std::uint64_t
      previous_word;          ///< Previous record of the key, 0 for none; above it the key's size.
  std::uint64_t anchor_word;  ///< The key's anchor; above it the flags.
  std::uint64_t time_ms;      ///< Of its batch, since 1970; 48 bits.
  std::uint32_t value_size;
  std::uint32_t connection;  ///< That wrote it; 0 where it was read from a log.

  [[nodiscard]] std::uint64_t previous() const noexcept { return offset_of(previous_word); }
  [[nodiscard]] std::uint64_t key_size() const noexcept { return rest_of(previous_word); }
  [[nodiscard]] std::uint64_t anchor() const noexcept { return offset_of(anchor_word); }
  [[nodiscard]] std::uint64_t flags() const noexcept { return rest_of(anchor_word); }
  [[nodiscard]] bool erased() const noexcept { return (flags() & kErased) != 0; }
  [[nodiscard]] bool last_of_commit() const noexcept { return (flags() & kLastOfCommit) != 0; }
  [[nodiscard]] std::string_view key() const noexcept {
    return {reinterpret_cast<const char*>(this + 1), key_size()};
  }
  [[nodiscard]] std::string_view value() const noexcept {
    return {reinterpret_cast<const char*>(this + 1) + key_size(), value_size};
  }
};
static_assert(sizeof(RecordHeader) == 48);
static_assert(offsetof(RecordHeader, sequence) == 0);
static_assert(offsetof(RecordHeader, version) == 8);
static_assert(offsetof(RecordHeader, previous_word) == 16);
static_assert(offsetof(RecordHeader, anchor_word) == 24);
static_assert(offsetof(RecordHeader, time_ms) == 32);
static_assert(offsetof(RecordHeader, value_size) == 40);
static_assert(offsetof(RecordHeader, connection) == 44);

/// Stands where the next record would, when that lies elsewhere.
struct Jump {
  std::uint64_t zero;  ///< Where a record has its sequence.
  std::uint64_t next;  ///< Offset of the next record.
};
static_assert(sizeof(Jump) == 16);
static_assert(offsetof(Jump, zero) == 0);
static_assert(offsetof(Jump, next) == 8);

/// Where a record's FarLink lies, counted from the record.
[[nodiscard]] constexpr std::uint64_t far_link_at(std::uint64_t key_size,
                                                  std::uint64_t value_size) noexcept {
  return (sizeof(RecordHeader) + key_size + value_size + 7) & ~std::uint64_t{7};
}
/// The bytes of a record with everything behind it.
[[nodiscard]] constexpr std::uint64_t record_bytes(std::uint64_t key_size, std::uint64_t value_size,
                                                   bool far_link) noexcept {
  return far_link_at(key_size, value_size) + (far_link ? sizeof(FarLink) : 0);
}

}  // namespace dfs::index
