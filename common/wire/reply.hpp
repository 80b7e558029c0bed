// What the daemon answers to a request: committed, or refused with the reason in figures.
//
// Texts do not cross the queue. `to_error` makes them from the figures, in library and dfsctl
// alike, and says what, where and what to do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/limits.hpp"
#include "common/base/result.hpp"

namespace dfs::wire {

/// What of the request a refusal is about.
enum class Subject : std::uint8_t { request = 0, read = 1, range = 2, check = 3, write = 4 };

/// The rule or bound that was met, where the code alone does not say it. Numbers never change.
enum class Rule : std::uint16_t {
  none = 0,
  key_empty = 1,
  key_too_long = 2,
  key_not_utf8 = 3,
  key_has_nul = 4,
  value_not_json = 5,
  value_too_long = 6,
  value_too_deep = 7,
  commit_records = 8,       ///< too many in one of its lists
  commit_bytes = 9,         ///< keys and values together
  range_steps = 10,         ///< the ranges take too long to check
  memory_limit = 11,        ///< of the store's index
  disk_full = 12,           ///< the log could not be appended to
  received_bytes = 13,      ///< received and not committed, all clients
  received_bytes_uid = 14,  ///< the same, this user's clients
  partial_requests = 15,    ///< too many begun and not finished
  unknown_kind = 16,        ///< a request that this daemon does not know; limit has its number
  unknown_field = 17,       ///< an optional field that it does not know; limit has its id
  malformed = 18,           ///< the bytes are no request; offset has the place
  version_exhausted = 19,   ///< the key has had its last version
  unknown_flag = 20,        ///< a flag that this daemon does not know; limit has the flags
};

/// What would free most of what a store is out of: `index` of a refusal with store_full; `offset`
/// has the bytes that it would free.
enum class Relief : std::uint32_t {
  unknown = 0,
  letting_go = 1,  ///< snapshots of superseded generations are held
  compacting = 2,  ///< garbage
  erasing = 3,     ///< live records
};

/// Not executed, and nothing written. Fields that do not apply are 0 or empty.
struct Refusal {
  errc code = errc::bad_argument;
  Rule rule = Rule::none;
  Subject subject = Subject::request;
  std::uint32_t index = 0;    ///< in the list of its subject; a Relief (store_full)
  std::uint64_t version = 0;  ///< the key's real version (version_mismatch); 0: it is absent
  std::uint64_t limit = 0;    ///< the limit or figure
  std::uint64_t offset = 0;   ///< place in the value, key or request; bytes (store_full)
  std::int32_t system_errno = 0;
  std::string_view key;  ///< a view into the ring, or the caller's
};

/// Executed. A commit that wrote nothing has sequence 0.
struct Commitment {
  std::uint64_t sequence = 0;
  /// One for each write, in order; 0 where an erase found nothing. Empty if there were more than
  /// kMaxReplyVersions (`versions_left_out`): read them from the records.
  std::span<const std::uint64_t> versions;
  bool versions_left_out = false;
};

enum class ReplyKind : std::uint32_t {
  padding = 0,  ///< nothing; up to the end of the ring
  committed = 1,
  refused = 2,
};

/// One of the two, for the request with that number.
struct Reply {
  ReplyKind kind = ReplyKind::padding;
  std::uint64_t number = 0;
  Commitment commitment;  // committed
  Refusal refusal;        // refused
};

/// In front of each frame of the reply ring. `size`, `number` and `sequence` never change once
/// prepared, so a client may read them while the daemon turns the frame into a refusal.
struct FrameHeader {
  std::uint32_t size;  ///< of the whole frame, a multiple of 8
  std::uint32_t kind;  ///< a ReplyKind; changed by one atomic store
  std::uint64_t number;
  std::uint64_t sequence;  ///< given to the commit, also where it was refused later; else 0
};
static_assert(sizeof(FrameHeader) == 24 && offsetof(FrameHeader, kind) == 4);
static_assert(offsetof(FrameHeader, number) == 8 && offsetof(FrameHeader, sequence) == 16);

/// Behind the header of a refused frame; `key_bytes` of key follow.
struct RefusalBody {
  std::uint16_t code;
  std::uint16_t rule;
  std::uint32_t index;
  std::uint64_t version;
  std::uint64_t limit;
  std::uint64_t offset;
  std::int32_t system_errno;
  std::uint16_t subject;
  std::uint16_t key_bytes;
};
static_assert(sizeof(RefusalBody) == 40 && offsetof(RefusalBody, key_bytes) == 38);

/// Behind the header of a committed frame; `count` versions of 8 bytes follow.
struct CommitBody {
  std::uint32_t count;
  std::uint32_t left_out;  ///< 1: the commit has more than fit, and none is here
};
static_assert(sizeof(CommitBody) == 8);

/// Every frame has place for a refusal without its key, so it can become one where it stands. It is
/// a cache line, and kMaxInFlight of them fill the ring exactly.
inline constexpr std::size_t kMinFrameBytes = sizeof(FrameHeader) + sizeof(RefusalBody);
static_assert(kMinFrameBytes == 64 && kMinFrameBytes * kMaxInFlight <= kReplyRingBytes);
inline constexpr std::size_t kMaxFrameBytes = kMinFrameBytes + kMaxKeyBytes;

[[nodiscard]] std::size_t frame_bytes(const Commitment& commitment) noexcept;
[[nodiscard]] std::size_t frame_bytes(const Refusal& refusal) noexcept;
[[nodiscard]] std::size_t frame_bytes(const Reply& reply) noexcept;
/// What the reply to such a request may need at most: room for this is asked for before it is
/// taken. `longest_key` of its reads, checks and writes.
[[nodiscard]] std::size_t reply_bound(std::size_t writes, std::size_t longest_key) noexcept;

/// The error that the caller sees: code, text and figures.
[[nodiscard]] Error to_error(const Refusal& refusal);

}  // namespace dfs::wire
