#include "common/index/vantage.hpp"

#include "common/index/chain.hpp"

namespace dfs::index {

Vantage::Seen Vantage::see(Reach& reach, std::uint64_t newest) noexcept {
  const RecordHeader* record = record_at(reach, newest);
  if (record == nullptr) return {reach.refused(), nullptr};
  if (record->sequence > sequence_) {
    const ChainEnd end = walk_back(reach, record, newest, sequence_);
    steps_ += end.links;
    if (end.outcome == Outcome::absent) return {};
    if (end.outcome != Outcome::found) return {reach.refused(), nullptr};
    record = end.record;
  }
  if (record->erased() && show_ == Show::live) return {};
  if (!look(view_)) return {Outcome::given_back, nullptr};
  return {Outcome::found, record};
}

}  // namespace dfs::index
