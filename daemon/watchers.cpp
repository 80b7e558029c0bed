#include "daemon/watchers.hpp"

#include <algorithm>
#include <utility>

namespace dfs::daemon {

namespace {

constexpr std::chrono::milliseconds kBetweenRings{1};

}  // namespace

Watchers::Watchers(const index::ControlPage& page, std::function<void(bool)> listen)
    : page_(page), listen_(std::move(listen)) {}

void Watchers::add(std::shared_ptr<Session> session) {
  if (std::find(sessions_.begin(), sessions_.end(), session) == sessions_.end()) {
    sessions_.push_back(std::move(session));
  }
  // What is published from here on is news; what was before, its client finds by itself, since it
  // looks after it was answered.
  if (sessions_.size() == 1) listen(true);
}

void Watchers::remove(std::uint64_t connection) {
  std::erase_if(sessions_, [connection](const auto& session) {
    return session->identity().connection == connection;
  });
  if (!sessions_.empty()) return;
  listen(false);
  listens_from_ = os::Deadline::never();
}

void Watchers::on_news() {
  if (listening_ && published() != rung_for_) ring();
}

void Watchers::on_time() {
  if (!listens_from_.passed()) return;
  listens_from_ = os::Deadline::never();
  // SYNC POINT: publishes_watched_, stored before the look at what is published.
  listen(true);
  if (published() != rung_for_) ring();
}

Watchers::Published Watchers::published() const {
  // seq_cst, both: see Writer::release.
  const std::uint64_t generation = page_.current.load(std::memory_order_seq_cst);
  const auto& slot = index::slot_of(page_, generation);
  return {generation, slot.published.load(std::memory_order_seq_cst)};
}

void Watchers::listen(bool on) {
  listening_ = on;
  listen_(on);
}

void Watchers::ring() {
  listen(false);
  rung_for_ = published();
  std::erase_if(sessions_, [](const auto& session) { return !session->watching(); });
  for (const auto& session : sessions_) session->wake();
  listens_from_ = sessions_.empty() ? os::Deadline::never() : os::Deadline::after(kBetweenRings);
}

}  // namespace dfs::daemon
