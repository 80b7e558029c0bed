// Hello: the one packet each way in which daemon and client agree before they share anything.
//
// The client says what it can and wants; the daemon chooses, or refuses with a text that says what
// to upgrade. Unknown optional fields are stepped over on both sides, so either may be newer. This
// layout never changes; byte table: docs/client-memory.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/limits.hpp"
#include "common/base/result.hpp"
#include "common/wire/commit_id.hpp"
#include "common/wire/layout_hash.hpp"

namespace dfs::wire {

/// "DFS\1", read as a little-endian number.
inline constexpr std::uint32_t kHelloMagic = 0x01534644;
inline constexpr std::size_t kMaxHelloBytes = 4096;
/// What this version speaks: requests and replies, and the memory of this folder.
inline constexpr std::uint16_t kProtocol = 1;
inline constexpr std::uint16_t kLayout = 1;

/// A range of numbers that a side knows.
struct Known {
  std::uint16_t lowest = 1;
  std::uint16_t highest = 1;
  friend bool operator==(const Known&, const Known&) = default;
};
/// The highest number that both know, or 0.
[[nodiscard]] std::uint16_t choose(Known mine, Known theirs) noexcept;

/// Capability of a daemon: it wakes a client that sleeps at its `asleep` word (waiting.hpp).
inline constexpr std::uint64_t kWakesAtWord = 1;

inline constexpr std::uint8_t kWantRead = 1;
inline constexpr std::uint8_t kWantWrite = 2;

/// Strings are views into the packet, or the caller's.
struct Hello {
  Known protocol{kProtocol, kProtocol};
  Known layout{kLayout, kLayout};
  std::uint64_t capabilities = 0;
  std::uint8_t wanted = kWantRead | kWantWrite;
  std::string_view origin;           ///< a name for who writes: printable ASCII, 64 at most
  std::string_view program;          ///< for `clients`
  std::string_view library_version;  ///< for messages about upgrading
};

enum class HelloStatus : std::uint16_t {
  welcome = 0,
  incompatible = 1,   ///< no number known to both
  not_permitted = 2,  ///< the log's mode
  busy = 3,           ///< too many clients
  ending = 4,         ///< the daemon stops
  malformed = 5,
  read_only = 6,  ///< writing was wanted of a store that is only read
};
/// The code under which the library reports a status that is no welcome.
[[nodiscard]] errc code_of(HelloStatus status) noexcept;

/// The descriptors that come with the answer, named in their order.
enum class Descriptor : std::uint8_t {
  control_page = 1,
  client_page = 2,
  reply_ring = 3,
  request_ring = 4,  ///< writers only
  eventfd = 5,       ///< the doorbell to the daemon
  bell = 6,          ///< the client's end of its own doorbell
};
inline constexpr std::size_t kMaxDescriptors = 8;

enum class StoreDurability : std::uint8_t { durable = 0, written = 1 };

/// The daemon's bounds, where a client must know them.
struct Limits {
  std::uint64_t key_bytes = kMaxKeyBytes;
  std::uint64_t value_bytes = kMaxValueBytes;
  std::uint64_t value_depth = kMaxValueDepth;
  std::uint64_t commit_records = kMaxCommitRecords;
  std::uint64_t commit_bytes = kMaxCommitBytes;
  std::uint64_t in_flight = kMaxInFlight;
  std::uint64_t request_ring_bytes = kRequestRingBytes;
  std::uint64_t reply_ring_bytes = kReplyRingBytes;
  std::uint64_t snapshot_ttl_ms = 60'000;
  friend bool operator==(const Limits&, const Limits&) = default;
};

struct HelloAnswer {
  HelloStatus status = HelloStatus::welcome;
  std::string_view text;  ///< what is wrong and what to do; empty with welcome
  std::uint16_t protocol = kProtocol;
  std::uint16_t layout = kLayout;
  /// What the daemon knows; for the text where nothing fits.
  Known known_protocol{kProtocol, kProtocol};
  Known known_layout{kLayout, kLayout};
  std::uint64_t capabilities = 0;
  std::uint64_t layout_hash = 0;
  StoreId store{};
  std::uint64_t connection = 0;
  Limits limits;
  StoreDurability durability = StoreDurability::durable;
  std::vector<Descriptor> descriptors;
  std::string_view daemon_version;
};

/// At most kMaxHelloBytes; longer names and texts are cut to fit.
[[nodiscard]] std::vector<std::byte> encode(const Hello& hello);
[[nodiscard]] std::vector<std::byte> encode(const HelloAnswer& answer);
/// `bad_argument` for bytes that are no hello, with what is wrong. Views are into `packet`.
[[nodiscard]] Result<Hello> decode_hello(std::span<const std::byte> packet);
/// `incompatible` for bytes that are no answer.
[[nodiscard]] Result<HelloAnswer> decode_hello_answer(std::span<const std::byte> packet);

}  // namespace dfs::wire
