#include "common/wire/one_write.hpp"

#include <bit>
#include <cstring>

#include "common/base/assert.hpp"
#include "common/wire/request_layout.hpp"

namespace dfs::wire {

std::size_t one_write_bytes(const Write& write) noexcept {
  const std::size_t version = normal(write.expect) == Expect::version ? sizeof(std::uint64_t) : 0;
  return kHeadBytes + kMinWriteBytes + version + write.key.size() +
         (write.erase ? 0 : write.value.size());
}

void encode_one_write(const Write& write, bool durable, std::byte* to) noexcept {
  const std::string_view value = write.erase ? std::string_view() : write.value;
  DFS_ASSERT(value.size() <= kMaxValueBytes, "values are measured before they are encoded");
  const Expect expect = normal(write.expect);
  const auto put = [&to](const auto& number) {
    std::memcpy(to, &number, sizeof number);
    to += sizeof number;
  };
  // The same numbers in the same order as in the archive: Head, then Write.
  put(static_cast<std::uint8_t>(RequestKind::commit));
  put(durable ? kDurable : std::uint8_t{0});
  put(std::uint16_t{0});
  put(std::uint32_t{0});
  put(std::uint32_t{0});
  put(std::uint32_t{0});
  put(std::uint32_t{1});
  put(key_size(write.key));
  put(write.erase ? kErase : kSet);
  put(static_cast<std::uint8_t>(expect));
  put(static_cast<std::uint32_t>(value.size()));
  if (expect == Expect::version) put(write.expect.version);
  std::memcpy(to, write.key.data(), write.key.size());
  if (!value.empty()) std::memcpy(to + write.key.size(), value.data(), value.size());
}

bool decode_one_set(std::span<const std::byte> bytes, CommitRequest& request) {
  // The head, then size, operation, expectation and value size of the write.
  constexpr std::size_t kBytes = kHeadBytes + kMinWriteBytes;
  static_assert(std::endian::native == std::endian::little);
  if (bytes.size() < kBytes) return false;
  const auto number_at = [&bytes](std::size_t at, auto number) {
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
  };
  const auto kind_flags_reads = number_at(0, std::uint64_t{0});
  const auto ranges_checks = number_at(8, std::uint64_t{0});
  const auto writes = number_at(16, std::uint32_t{0});
  constexpr auto kCommit = static_cast<std::uint64_t>(RequestKind::commit);
  constexpr std::uint64_t kDurableBit = std::uint64_t{kDurable} << 8;
  if ((kind_flags_reads & ~kDurableBit) != kCommit || ranges_checks != 0 || writes != 1) {
    return false;
  }
  const auto key = number_at(kHeadBytes, std::uint16_t{0});
  const auto operation_expect = number_at(kHeadBytes + 2, std::uint16_t{0});
  const auto value = number_at(kHeadBytes + 4, std::uint32_t{0});
  static_assert(kSet == 0 && static_cast<int>(Expect::any) == 0);
  if (operation_expect != 0 || key == 0 || key > kMaxKeyBytes || value > kMaxValueBytes ||
      bytes.size() != kBytes + key + value) {
    return false;
  }
  request.clear();
  request.durable = (kind_flags_reads & kDurableBit) != 0;
  const char* at = reinterpret_cast<const char*>(bytes.data() + kBytes);
  request.writes.push_back({{at, key}, {at + key, value}, {}, false});
  return true;
}

}  // namespace dfs::wire
