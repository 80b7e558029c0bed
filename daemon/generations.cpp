#include "daemon/generations.hpp"

#include <algorithm>
#include <utility>

#include "common/base/assert.hpp"
#include "common/os/random.hpp"

namespace dfs::daemon {

namespace {

// Superseded generations that may be held by snapshots too young to be revoked: a third would have
// to wait for them.
constexpr std::size_t kMostYoung = 2;

}  // namespace

Generations::Generations(index::ControlPage& page, std::unique_ptr<MemoryBudget> budget,
                         std::unique_ptr<Generation> first, const os::ForkMark& mark)
    : page_(page),
      budget_(std::move(budget)),
      mark_(mark),
      writers_(first.get()),
      current_(std::move(first)) {}

void Generations::make_current(const std::shared_ptr<Generation>& next) {
  // Not waited for: it may be growing just now, by an extent that nobody will use.
  writers_->end_growth();
  const std::uint64_t bytes = writers_->allocated();
  {
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<Generation> before = current_;
    old_.push_back({before, bytes, os::Monotonic::now()});
    old_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    current_ = next;
    writers_ = next.get();
    writers_->become_current();
    // Under the mutex, so that nobody looks at the holds of the old one before the switch.
    index::make_current(page_, next->number());
  }
}

Result<std::shared_ptr<Generation>> Generations::make_next(std::uint64_t expected_keys) {
  index::NewGeneration settings;
  {
    const std::lock_guard lock(mutex_);
    settings.number = current_->number() + 1;
  }
  settings.seed = os::random_number();
  settings.store = page_.store;
  settings.expected_keys = expected_keys;
  auto made = Generation::make(page_, settings, *budget_, MemoryBudget::For::next, mark_);
  if (!made) {
    index::close_unused(page_, settings.number);
    return std::move(made).error();
  }
  return std::shared_ptr<Generation>(std::move(*made));
}

void Generations::drop_next(const std::shared_ptr<Generation>& next) {
  next->freeze();
  index::close_unused(page_, next->number());
  next->punch();
}

bool Generations::there_is_room(std::chrono::milliseconds snapshot_ttl) const {
  const std::lock_guard lock(mutex_);
  const auto young = os::Monotonic::now() - snapshot_ttl;
  const auto count = std::count_if(old_.begin(), old_.end(),
                                   [young](const Old& old) { return old.since > young; });
  // The current one and the next have a slot each.
  return static_cast<std::size_t>(count) < kMostYoung && old_.size() + 2 <= kGenerationSlots;
}

bool Generations::is_full() const {
  const std::lock_guard lock(mutex_);
  return old_.size() + 2 > kGenerationSlots;
}

bool Generations::held(std::uint64_t number) const {
  return std::any_of(holders_.begin(), holders_.end(), [number](const auto& session) {
    return session->holds(number % kGenerationSlots) != 0;
  });
}

void Generations::give_back_oldest(std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<Generation> generation = std::move(old_.front().generation);
  const std::uint64_t bytes = old_.front().bytes;
  old_.pop_front();
  // State before pages (I6), and the pages without the lock: that may take a while.
  index::give_back(generation->slot());
  lock.unlock();
  generation->freeze();
  generation->punch();
  old_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  lock.lock();
}

std::size_t Generations::give_back_unheld() {
  std::unique_lock lock(mutex_);
  while (!old_.empty() && !held(old_.front().generation->number())) give_back_oldest(lock);
  return old_.size();
}

bool Generations::revoke_oldest(std::chrono::milliseconds snapshot_ttl) {
  std::unique_lock lock(mutex_);
  if (old_.empty() || old_.front().since > os::Monotonic::now() - snapshot_ttl) return false;
  give_back_oldest(lock);
  return true;
}

std::optional<std::chrono::nanoseconds> Generations::may_revoke_in(
    std::chrono::milliseconds snapshot_ttl) const {
  const std::lock_guard lock(mutex_);
  if (old_.empty()) return std::nullopt;
  const std::chrono::nanoseconds left = old_.front().since + snapshot_ttl - os::Monotonic::now();
  return std::max(left, std::chrono::nanoseconds(0));
}

std::shared_ptr<const Generation> Generations::find(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  if (current_->number() == number) return current_;
  const auto found = std::find_if(old_.begin(), old_.end(), [number](const Old& old) {
    return old.generation->number() == number;
  });
  return found == old_.end() ? nullptr : found->generation;
}

void Generations::add_holder(std::shared_ptr<Session> session) {
  const std::lock_guard lock(mutex_);
  holders_.push_back(std::move(session));
}

void Generations::remove_holder(std::uint64_t connection) {
  const std::lock_guard lock(mutex_);
  std::erase_if(holders_, [connection](const auto& session) {
    return session->identity().connection == connection;
  });
}

std::vector<Generations::Superseded> Generations::superseded() const {
  const std::lock_guard lock(mutex_);
  std::vector<Superseded> list;
  for (const Old& old : old_) {
    list.push_back({old.generation->number(), old.generation->allocated(), old.since});
  }
  return list;
}

}  // namespace dfs::daemon
