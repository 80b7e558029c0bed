// Requests on the socket after hello: descriptors of generations, questions about a commit, and
// what an operator asks. Answered by a thread that never waits for the disk; an answer that must
// wait (resolve, sync) comes later, so each names the request it belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace dfs::wire {

inline constexpr std::size_t kMaxPacketBytes = std::size_t{64} << 10;

enum class AdminKind : std::uint16_t {
  generation = 1,  ///< argument: its number; answered with its descriptor
  resolve = 2,     ///< argument: a sequence of this store; waits for its batch
  sync = 3,        ///< argument: a sequence; answered when it is on disk
  info = 4,        ///< answered with JSON, as the next two
  clients = 5,
  settings = 6,
  stop = 7,
  compact = 8,   ///< answered when a compaction that began afterwards has ended
  watch = 9,     ///< the client's page says `watching`: ring it after publishes, until it does not
  history = 10,  ///< answered with a base line of the log: version floors and gaps up to now
};

/// `text` is a view into the packet, or the caller's.
struct AdminRequest {
  AdminKind kind = AdminKind::info;
  std::uint64_t serial = 0;  ///< the client's; comes back with the answer
  std::uint64_t argument = 0;
  std::string_view text;
};

enum class AdminStatus : std::uint16_t {
  done = 0,           ///< resolve: it was committed
  not_committed = 1,  ///< resolve: it is not in the log and never will be
  in_flight = 2,      ///< resolve: its batch is neither published nor refused; ask again
  refused = 3,        ///< `code` and `text` say why
};

struct AdminAnswer {
  AdminStatus status = AdminStatus::done;
  errc code = errc::bad_argument;  // refused
  std::uint64_t serial = 0;
  std::uint64_t number = 0;  ///< generation, or the durable sequence (sync)
  bool more = false;         ///< another packet of this answer follows
  bool descriptor = false;   ///< one comes with this packet
  std::string_view text;     ///< JSON, or the text of a refusal; a slice of it if there is more
};

/// Requires: text that fits a packet.
[[nodiscard]] std::vector<std::byte> encode(const AdminRequest& request);
/// One packet, or as many as the text needs; only the first says `descriptor`.
[[nodiscard]] std::vector<std::vector<std::byte>> encode(const AdminAnswer& answer);
/// `bad_argument` for bytes that are no request, `unsupported` for an unknown kind, with its
/// number. Views are into `packet`.
[[nodiscard]] Result<AdminRequest> decode_admin_request(std::span<const std::byte> packet);
/// `incompatible` for bytes that are no answer.
[[nodiscard]] Result<AdminAnswer> decode_admin_answer(std::span<const std::byte> packet);

}  // namespace dfs::wire
