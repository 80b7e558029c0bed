#include "daemon/memory_budget.hpp"

namespace dfs::daemon {

namespace {

// The current generation, the next, and two that snapshots too young to be revoked may hold.
constexpr std::uint64_t kGenerationsAtOnce = 4;

}  // namespace

std::string narrowness(const MemoryBudget& budget, std::uint64_t live_bytes) {
  if (budget.limit() / kGenerationsAtOnce >= live_bytes) return {};
  return "memory_limit (" + std::to_string(budget.limit()) +
         " bytes) is below four times the live bytes (" + std::to_string(live_bytes) +
         "): while snapshots are held, a compaction may have to wait for them, and writers with it";
}

}  // namespace dfs::daemon
