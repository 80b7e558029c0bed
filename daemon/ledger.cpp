#include "daemon/ledger.hpp"

namespace dfs::daemon {

void Ledger::burnt(log::Gap gap) {
  const std::lock_guard lock(mutex_);
  gaps_.add(gap.after, gap.next);
}

Fate Ledger::fate(std::uint64_t sequence) const {
  // In this order: a batch moves from prepared to published or burnt, so what is looked at later is
  // never older. What was burnt is known as that before anything behind it is published.
  const std::uint64_t prepared = prepared_.load(std::memory_order_seq_cst);
  const std::uint64_t published = published_.load(std::memory_order_seq_cst);
  if (sequence == 0 || sequence > prepared || lost(sequence)) return Fate::not_committed;
  return sequence <= published ? Fate::committed : Fate::in_flight;
}

log::Gaps Ledger::gaps() const {
  const std::lock_guard lock(mutex_);
  return gaps_;
}

bool Ledger::lost(std::uint64_t sequence) const {
  const std::lock_guard lock(mutex_);
  return gaps_.lost(sequence);
}

}  // namespace dfs::daemon
