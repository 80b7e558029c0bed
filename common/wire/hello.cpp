#include "common/wire/hello.hpp"

#include <algorithm>
#include <array>

#include "common/base/assert.hpp"
#include "common/wire/archive.hpp"
#include "common/wire/field.hpp"

namespace dfs::wire {

namespace {

// Ids of optional fields; they never change.
constexpr std::uint16_t kOriginField = 1;
constexpr std::uint16_t kProgramField = 2;
constexpr std::uint16_t kLibraryVersionField = 3;
constexpr std::uint16_t kDaemonVersionField = 1;

constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxTextBytes = 2048;
constexpr std::uint8_t kKnownWishes = kWantRead | kWantWrite;

std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool valid(Known known) { return known.lowest >= 1 && known.lowest <= known.highest; }

std::vector<std::byte> packet_of(const OutputArchive& archive) {
  DFS_ASSERT(!archive.failed(), "a hello and its answer fit their packet");
  return {archive.bytes().begin(), archive.bytes().end()};
}

Error no_hello(std::string_view what) {
  return Error(errc::bad_argument, "the first packet is no hello of dfs: " + std::string(what));
}

Error no_answer(std::string_view what) {
  return Error(errc::incompatible,
               "what answered is no dfs daemon, or one of another major version: " +
                   std::string(what) + "; is this the store's socket?");
}

}  // namespace

template <class Archive>
static void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, Known& known) {
  archive(known.lowest, known.highest);
}

template <class Archive>
static void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, Limits& limits) {
  archive(limits.key_bytes, limits.value_bytes, limits.value_depth, limits.commit_records,
          limits.commit_bytes, limits.in_flight, limits.request_ring_bytes, limits.reply_ring_bytes,
          limits.snapshot_ttl_ms);
}

std::uint16_t choose(Known mine, Known theirs) noexcept {
  const std::uint16_t highest = std::min(mine.highest, theirs.highest);
  return highest >= std::max(mine.lowest, theirs.lowest) ? highest : std::uint16_t{0};
}

errc code_of(HelloStatus status) noexcept {
  switch (status) {
    case HelloStatus::welcome:
    case HelloStatus::malformed:
      return errc::bad_argument;
    case HelloStatus::incompatible:
      return errc::incompatible;
    case HelloStatus::not_permitted:
      return errc::not_permitted;
    case HelloStatus::busy:
      return errc::busy;
    case HelloStatus::ending:
      return errc::no_daemon;
    case HelloStatus::read_only:
      return errc::read_only;
  }
  return errc::incompatible;
}

std::vector<std::byte> encode(const Hello& hello) {
  OutputArchive archive(kMaxHelloBytes);
  const std::uint8_t unused = 0;
  archive(kHelloMagic, hello.protocol, hello.layout, hello.wanted, unused, unused, unused,
          hello.capabilities);
  const auto put_name = [&](std::uint16_t id, std::string_view name, std::size_t bytes) {
    if (!name.empty()) put_field(archive, {id, cut(name, bytes)});
  };
  put_name(kOriginField, hello.origin, kMaxOriginBytes);
  put_name(kProgramField, hello.program, kMaxNameBytes);
  put_name(kLibraryVersionField, hello.library_version, kMaxNameBytes);
  return packet_of(archive);
}

std::vector<std::byte> encode(const HelloAnswer& answer) {
  DFS_ASSERT(answer.descriptors.size() <= kMaxDescriptors, "an answer names eight descriptors");
  OutputArchive archive(kMaxHelloBytes);
  const std::string_view text = cut(answer.text, kMaxTextBytes);
  archive(kHelloMagic, static_cast<std::uint16_t>(answer.status),
          static_cast<std::uint16_t>(text.size()), answer.protocol, answer.layout,
          answer.known_protocol, answer.known_layout, static_cast<std::uint8_t>(answer.durability),
          static_cast<std::uint8_t>(answer.descriptors.size()), std::uint16_t{0},
          answer.capabilities, answer.layout_hash);
  archive.put(answer.store.data(), answer.store.size());
  archive(answer.connection, answer.limits);
  std::array<std::uint8_t, kMaxDescriptors> kinds{};
  for (std::size_t i = 0; i < answer.descriptors.size(); ++i) {
    kinds[i] = static_cast<std::uint8_t>(answer.descriptors[i]);
  }
  archive.put(kinds.data(), kinds.size());
  archive.put(text);
  if (!answer.daemon_version.empty()) {
    put_field(archive, {kDaemonVersionField, cut(answer.daemon_version, kMaxNameBytes)});
  }
  return packet_of(archive);
}

Result<Hello> decode_hello(std::span<const std::byte> packet) {
  if (packet.size() > kMaxHelloBytes) return no_hello("it is too long");
  InputArchive archive(packet);
  Hello hello;
  std::uint32_t magic = 0;
  std::uint8_t unused = 0;
  archive(magic, hello.protocol, hello.layout, hello.wanted, unused, unused, unused,
          hello.capabilities);
  if (magic != kHelloMagic) return no_hello("it does not begin as one");
  if (archive.failed()) return no_hello("it breaks off");
  if (!valid(hello.protocol) || !valid(hello.layout)) {
    return no_hello("its ranges of versions are empty");
  }
  if (hello.wanted == 0 || (hello.wanted & ~kKnownWishes) != 0) {
    return no_hello("it wants neither to read nor to write");
  }
  Field field;
  while (get_field(archive, field)) {
    if (field.id == kOriginField) hello.origin = field.bytes;
    if (field.id == kProgramField) hello.program = cut(field.bytes, kMaxNameBytes);
    if (field.id == kLibraryVersionField) hello.library_version = cut(field.bytes, kMaxNameBytes);
  }
  if (archive.failed()) return no_hello("one of its fields breaks off");
  if (hello.origin.size() > kMaxOriginBytes || !printable(hello.origin)) {
    return no_hello("an origin has at most 64 bytes of printable ASCII");
  }
  return hello;
}

Result<HelloAnswer> decode_hello_answer(std::span<const std::byte> packet) {
  if (packet.size() > kMaxHelloBytes) return no_answer("it is too long");
  InputArchive archive(packet);
  HelloAnswer answer;
  std::uint32_t magic = 0;
  std::uint16_t status = 0;
  std::uint16_t text_bytes = 0;
  std::uint16_t unused = 0;
  std::uint8_t durability = 0;
  std::uint8_t descriptors = 0;
  archive(magic, status, text_bytes, answer.protocol, answer.layout, answer.known_protocol,
          answer.known_layout, durability, descriptors, unused, answer.capabilities,
          answer.layout_hash);
  const std::string_view store = archive.view(answer.store.size());
  archive(answer.connection, answer.limits);
  const std::string_view kinds = archive.view(kMaxDescriptors);
  answer.text = archive.view(text_bytes);
  if (magic != kHelloMagic) return no_answer("it does not begin as one");
  if (archive.failed()) return no_answer("it breaks off");
  if (descriptors > kMaxDescriptors) return no_answer("it names too many descriptors");
  if (durability > static_cast<std::uint8_t>(StoreDurability::written)) {
    return no_answer("it promises a durability that is unknown here");
  }
  answer.status = static_cast<HelloStatus>(status);
  answer.durability = static_cast<StoreDurability>(durability);
  std::copy(store.begin(), store.end(), reinterpret_cast<char*>(answer.store.data()));
  for (const char kind : kinds.substr(0, descriptors)) {
    answer.descriptors.push_back(static_cast<Descriptor>(kind));
  }
  Field field;
  while (get_field(archive, field)) {
    if (field.id == kDaemonVersionField) answer.daemon_version = cut(field.bytes, kMaxNameBytes);
  }
  if (archive.failed()) return no_answer("one of its fields breaks off");
  return answer;
}

}  // namespace dfs::wire
