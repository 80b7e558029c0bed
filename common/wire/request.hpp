// The one kind of request that crosses the queue: a commit, with what it read, what it checks and
// what it writes. A plain `set` is a commit of one write.
//
// Bytes: a head of 20, `kind flags 0 reads ranges checks writes`, the snapshot if there is one, the
// four lists in that order, then optional fields to the end. Byte table: docs/client-memory.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/limits.hpp"
#include "common/wire/archive.hpp"
#include "common/wire/field.hpp"
#include "common/wire/reply.hpp"

namespace dfs::wire {

enum class RequestKind : std::uint8_t { commit = 1 };

enum class Expect : std::uint8_t { any = 0, present = 1, absent = 2, version = 3 };
/// What the caller says of a key before the commit. `version` counts only with Expect::version,
/// where 0 means absent; encoding makes that Expect::absent.
struct Expectation {
  Expect kind = Expect::any;
  std::uint64_t version = 0;
};

/// A key read, and the sequence of the record found: 0 if it was absent.
struct ReadKey {
  std::string_view key;
  std::uint64_t sequence = 0;
};

enum class RangeEnd : std::uint8_t {
  exclusive = 0,   ///< up to `to`, without it
  inclusive = 1,   ///< `to` is the last key shown
  everything = 2,  ///< to the end of the store; `to` is empty
};
/// A range read, from `from` on (inclusive; empty: from the first key), and how many live keys of
/// the snapshot lie in it.
struct ReadRange {
  std::string_view from;
  std::string_view to;
  RangeEnd end = RangeEnd::everything;
  std::uint64_t live_keys = 0;
};

/// Compared, not written.
struct Check {
  std::string_view key;
  Expectation expect;
};

struct Write {
  std::string_view key;
  std::string_view value;  // empty for an erase
  Expectation expect;
  bool erase = false;
};

/// Views are into the received copy, or the caller's. Lists keep their memory from one use to the
/// next, so one object serves a connection. Threads: one at a time.
struct CommitRequest {
  bool durable = false;             ///< synced before it is acknowledged, whatever the store does
  bool snapshot_isolation = false;  ///< reads and ranges are not checked
  bool has_snapshot = false;
  std::uint64_t snapshot_generation = 0;
  std::uint64_t snapshot_sequence = 0;
  std::vector<ReadKey> reads;
  std::vector<ReadRange> ranges;
  std::vector<Check> checks;
  std::vector<Write> writes;

  void clear() noexcept;
  /// Writes one key, and neither reads nor checks any.
  [[nodiscard]] bool is_one_write() const noexcept {
    return writes.size() == 1 && reads.empty() && ranges.empty() && checks.empty() && !has_snapshot;
  }
};

/// Heads of the encoded lists' members, at their longest; keys and values come on top.
inline constexpr std::size_t kReadHeadBytes = 2 + 8;
inline constexpr std::size_t kRangeHeadBytes = 2 + 2 + 1 + 8;
inline constexpr std::size_t kCheckHeadBytes = 2 + 1 + 8;
inline constexpr std::size_t kWriteHeadBytes = 2 + 1 + 1 + 4 + 8;
inline constexpr std::size_t kRequestHeadBytes = 20 + 16;
inline constexpr std::size_t kMaxFieldsBytes = 4096;
/// The largest request: each of its lists may be kMaxCommitRecords long.
inline constexpr std::size_t kMaxRequestBytes =
    kMaxCommitBytes + kRequestHeadBytes + kMaxFieldsBytes +
    kMaxCommitRecords * (kReadHeadBytes + kRangeHeadBytes + kCheckHeadBytes + kWriteHeadBytes);

/// Appends the request, and `fields` behind it, to the archive; `archive.failed()` tells whether it
/// found room. Requires: keys, values and counts within limits.hpp (`measure` says so).
void encode(const CommitRequest& request, OutputArchive& archive,
            std::span<const Field> fields = {});

/// The limit of limits.hpp that this request breaks, as the daemon would refuse it; for the library
/// to say so before it sends anything.
[[nodiscard]] std::optional<Refusal> measure(const CommitRequest& request) noexcept;
/// The same of a request that does this and nothing else.
[[nodiscard]] std::optional<Refusal> measure(const Write& write) noexcept;

/// Reads the received copy into `request`. On failure the refusal says what is wrong with it: a
/// limit, an unknown kind or field (`unsupported`, with its number), or bytes that are no request
/// (`bad_argument`, with the place); then `request` is not to be used. Keys and values are checked
/// for their size only. Memory: lists of at most kMaxCommitRecords, and never more members than the
/// bytes can hold.
[[nodiscard]] std::optional<Refusal> decode(InputArchive& archive, std::span<const std::byte> bytes,
                                            CommitRequest& request);

}  // namespace dfs::wire
