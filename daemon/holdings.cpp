#include "daemon/holdings.hpp"

namespace dfs::daemon {

Holdings holdings_of(const HoldCounts& own, const HoldCounts& all, const Holdable& there) {
  Holdings result;
  bool keeps = false;
  bool others_keep = false;
  for (const Generations::Superseded& old : there.superseded) {
    const std::size_t slot = old.number % kGenerationSlots;
    const std::uint64_t snapshots = own.at(slot);
    keeps = keeps || snapshots > 0;
    others_keep = others_keep || all.at(slot) > snapshots;
    if (snapshots > 0) result.held.push_back({old.number, snapshots, false, old});
    if (keeps) result.keeps_bytes += old.bytes;
    if (keeps && !others_keep) result.frees_bytes += old.bytes;
  }
  const std::uint64_t snapshots = own.at(there.current % kGenerationSlots);
  if (snapshots > 0) result.held.push_back({there.current, snapshots, true, {}});
  return result;
}

}  // namespace dfs::daemon
