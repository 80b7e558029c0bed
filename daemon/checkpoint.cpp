#include "daemon/checkpoint.hpp"

#include <algorithm>

namespace dfs::daemon {

namespace {

// How many are kept: enough that the one chosen is near the one wanted. Full, every second one
// goes, so that they reach back as far as the generation does.
constexpr std::size_t kMostKept = 512;
constexpr std::chrono::milliseconds kLeastApart{100};

}  // namespace

void Checkpoints::note(const Checkpoint& now) {
  const std::lock_guard lock(mutex_);
  latest_ = now;
  if (!kept_.empty() && now.time - kept_.back().time < kLeastApart) return;
  if (kept_.size() == kMostKept) {
    std::size_t place = 0;
    std::erase_if(kept_, [&place](const Checkpoint&) { return (place++ & 1U) != 0; });
  }
  kept_.push_back(now);
}

Checkpoint Checkpoints::latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

bool Checkpoints::any() const { return latest().log_end != 0; }

Checkpoint Checkpoints::choose(const Wanted& wanted) const {
  const std::lock_guard lock(mutex_);
  const auto until = os::Monotonic::now() - wanted.age;
  Checkpoint chosen = latest_;
  if (latest_.time <= until) return chosen;
  // From the newest back, as far as the tail allows, and no further than was asked for.
  for (auto at = kept_.rbegin(); at != kept_.rend(); ++at) {
    if (latest_.log_end - at->log_end > wanted.tail_bytes || at->sequence == 0) break;
    chosen = *at;
    if (at->time <= until) break;
  }
  return chosen;
}

void Checkpoints::move(const Checkpoint& from, const Checkpoint& to) {
  const auto moved = [&](Checkpoint& c) {
    c.log_end = c.log_end - from.log_end + to.log_end;
    c.used = c.used - from.used + to.used;
  };
  const std::lock_guard lock(mutex_);
  std::erase_if(kept_, [&from](const Checkpoint& c) { return c.log_end < from.log_end; });
  for (Checkpoint& c : kept_) moved(c);
  moved(latest_);
}

}  // namespace dfs::daemon
