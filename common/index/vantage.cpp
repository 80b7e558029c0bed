#include "common/index/vantage.hpp"

namespace dfs::index {

Vantage::Seen Vantage::see_older(std::uint64_t newest) noexcept {
  Reach reach(view_);
  const RecordHeader* record = record_at(reach, newest);
  if (record == nullptr) return {reach.refused(), nullptr};
  const ChainEnd end = walk_back(reach, record, newest, sequence_);
  steps_ += end.links;
  if (end.outcome == Outcome::absent) return {};
  if (end.outcome != Outcome::found) return {reach.refused(), nullptr};
  return show(*end.record);
}

}  // namespace dfs::index
