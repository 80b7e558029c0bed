#include "common/index/chain.hpp"

namespace dfs::index {
namespace {

/// The record at `offset` if a walk at `from` may go there without passing its end.
const RecordHeader* newer_than(Reach& reach, std::uint64_t offset, std::uint64_t from,
                               std::uint64_t sequence) noexcept {
  if (offset == 0 || offset >= from) return nullptr;
  const RecordHeader* record = record_at(reach, offset);
  return record != nullptr && record->sequence > sequence ? record : nullptr;
}

}  // namespace

ChainEnd walk_back(Reach& reach, const RecordHeader* newest, std::uint64_t offset,
                   std::uint64_t sequence) noexcept {
  ChainEnd end{Outcome::found, newest, 0};
  while (end.record->sequence > sequence) {
    ++end.links;
    if ((end.record->flags() & kFarLink) != 0) {
      const auto& far = *reinterpret_cast<const FarLink*>(
          reinterpret_cast<const std::byte*>(end.record) +
          far_link_at(end.record->key_size(), end.record->value_size));
      const std::uint64_t jump = far.jump();
      const std::uint64_t near = far.near();
      // The furthest that is still too new; what is wanted lies behind it.
      if (const RecordHeader* there = newer_than(reach, jump, offset, sequence)) {
        end.record = there;
        offset = jump;
        continue;
      }
      if (const RecordHeader* there = newer_than(reach, near, offset, sequence)) {
        end.record = there;
        offset = near;
        continue;
      }
    }
    const std::uint64_t previous = end.record->previous();
    if (previous == 0) return {Outcome::absent, nullptr, end.links};
    end.record = previous < offset ? record_at(reach, previous) : nullptr;
    if (end.record == nullptr) return {Outcome::broken, nullptr, end.links};
    offset = previous;
  }
  return end;
}

}  // namespace dfs::index
