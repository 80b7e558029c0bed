#include "common/wire/admin.hpp"

#include <algorithm>
#include <string>

#include "common/base/assert.hpp"
#include "common/wire/archive.hpp"

namespace dfs::wire {

namespace {

constexpr std::uint16_t kMore = 1;
constexpr std::uint16_t kDescriptor = 2;
constexpr std::size_t kRequestHeadBytes = 2 + 2 + 4 + 8 + 8;
constexpr std::size_t kAnswerHeadBytes = 2 + 2 + 2 + 2 + 4 + 8 + 8;

std::vector<std::byte> packet_of(const OutputArchive& archive) {
  DFS_ASSERT(!archive.failed(), "an administrator's text fits its packet");
  return {archive.bytes().begin(), archive.bytes().end()};
}

}  // namespace

std::vector<std::byte> encode(const AdminRequest& request) {
  DFS_ASSERT(request.text.size() <= kMaxPacketBytes - kRequestHeadBytes,
             "an administrator's text fits its packet");
  OutputArchive archive(kMaxPacketBytes);
  archive(static_cast<std::uint16_t>(request.kind), std::uint16_t{0},
          static_cast<std::uint32_t>(request.text.size()), request.serial, request.argument);
  archive.put(request.text);
  return packet_of(archive);
}

std::vector<std::vector<std::byte>> encode(const AdminAnswer& answer) {
  constexpr std::size_t kSliceBytes = kMaxPacketBytes - kAnswerHeadBytes;
  std::vector<std::vector<std::byte>> packets;
  std::string_view rest = answer.text;
  OutputArchive archive(kMaxPacketBytes);
  do {
    const std::string_view slice = rest.substr(0, kSliceBytes);
    rest.remove_prefix(slice.size());
    const bool more = answer.more || !rest.empty();
    const bool descriptor = answer.descriptor && packets.empty();
    archive.restart();
    archive(static_cast<std::uint16_t>(answer.status), static_cast<std::uint16_t>(answer.code),
            static_cast<std::uint16_t>((more ? kMore : 0) | (descriptor ? kDescriptor : 0)),
            std::uint16_t{0}, static_cast<std::uint32_t>(slice.size()), answer.serial,
            answer.number);
    archive.put(slice);
    packets.push_back(packet_of(archive));
  } while (!rest.empty());
  return packets;
}

Result<AdminRequest> decode_admin_request(std::span<const std::byte> packet) {
  InputArchive archive(packet);
  AdminRequest request;
  std::uint16_t kind = 0;
  std::uint16_t unused = 0;
  std::uint32_t text_bytes = 0;
  archive(kind, unused, text_bytes, request.serial, request.argument);
  request.text = archive.view(text_bytes);
  if (archive.failed() || packet.size() > kMaxPacketBytes) {
    return Error(errc::bad_argument, "the packet is no request of dfs");
  }
  if (kind < static_cast<std::uint16_t>(AdminKind::generation) ||
      kind > static_cast<std::uint16_t>(AdminKind::history)) {
    return Error(errc::unsupported, "the daemon does not know requests of kind " +
                                        std::to_string(kind) + " on its socket; upgrade it")
        .with_limit(kind);
  }
  request.kind = static_cast<AdminKind>(kind);
  return request;
}

Result<AdminAnswer> decode_admin_answer(std::span<const std::byte> packet) {
  InputArchive archive(packet);
  AdminAnswer answer;
  std::uint16_t status = 0;
  std::uint16_t code = 0;
  std::uint16_t flags = 0;
  std::uint16_t unused = 0;
  std::uint32_t text_bytes = 0;
  archive(status, code, flags, unused, text_bytes, answer.serial, answer.number);
  answer.text = archive.view(text_bytes);
  const bool known = status <= static_cast<std::uint16_t>(AdminStatus::refused);
  if (archive.failed() || packet.size() > kMaxPacketBytes || !known) {
    return Error(errc::incompatible,
                 "the daemon's answer is none that this version knows; upgrade the older of both");
  }
  answer.status = static_cast<AdminStatus>(status);
  answer.code = static_cast<errc>(code);
  answer.more = (flags & kMore) != 0;
  answer.descriptor = (flags & kDescriptor) != 0;
  return answer;
}

}  // namespace dfs::wire
