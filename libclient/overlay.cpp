#include "libclient/overlay.hpp"

#include <utility>

#include "libclient/overlay_walk.hpp"

namespace dfs::client {

void RangeRead::reached_forward(std::string_view key, std::uint64_t live_keys) {
  if (forward_.ended || (forward_.stepped && key <= forward_.last)) return;
  forward_.stepped = true;
  forward_.last = key;
  forward_.live_keys = live_keys;
}

void RangeRead::ended_forward(std::uint64_t live_keys) {
  forward_.stepped = true;
  forward_.ended = true;
  forward_.live_keys = live_keys;
}

void RangeRead::reached_backward(std::string_view key, std::uint64_t live_keys) {
  if (backward_.ended || (backward_.stepped && key >= backward_.last)) return;
  backward_.stepped = true;
  backward_.last = key;
  backward_.live_keys = live_keys;
}

void RangeRead::ended_backward(std::uint64_t live_keys) {
  backward_.stepped = true;
  backward_.ended = true;
  backward_.live_keys = live_keys;
}

void RangeRead::fill(wire::CommitRequest& request) const {
  using wire::RangeEnd;
  const RangeEnd far = bounds_.to.empty() ? RangeEnd::everything : RangeEnd::exclusive;
  // Walked to its end from either side: all of it, once.
  if (forward_.ended || backward_.ended) {
    const Stretch& all = forward_.ended ? forward_ : backward_;
    request.ranges.push_back({bounds_.from, bounds_.to, far, all.live_keys});
    return;
  }
  if (forward_.stepped) {
    request.ranges.push_back(
        {bounds_.from, forward_.last, RangeEnd::inclusive, forward_.live_keys});
  }
  if (backward_.stepped) {
    request.ranges.push_back({backward_.last, bounds_.to, far, backward_.live_keys});
  }
}

Result<Entry> Overlay::get(std::string_view key) {
  if (finished()) return errc::finished;
  const Writes::ByKey& own = writes_.by_key();
  if (const auto found = own.find(key); found != own.end()) {
    if (found->second.erase) return errc::absent;
    return Entry{found->first, found->second.value};
  }
  auto entry = source_->get(key);
  if (!entry && entry.error() != errc::absent) return entry;
  // The snapshot answers the same every time, so the first counts.
  if (reads_.find(key) == reads_.end()) reads_.emplace(key, entry ? entry->sequence : 0);
  return entry;
}

std::shared_ptr<RangeRead> Overlay::begin_range(Bounds bounds) {
  ranges_.push_back(std::make_shared<RangeRead>(std::move(bounds)));
  return ranges_.back();
}

std::unique_ptr<Walk> Overlay::walk(const std::shared_ptr<RangeRead>& read) {
  return std::make_unique<OverlayWalk>(*this, read,
                                       finished() ? nullptr : source_->walk(read->bounds()));
}

void Overlay::finish() {
  if (finished()) return;
  last_sequence_ = source_->sequence();
  source_.reset();
}

std::optional<Error> Overlay::obstacle() {
  if (finished()) return Error(errc::finished, "the transaction is over; begin another");
  if (writes_.wrong()) return *writes_.wrong();
  // Everything it has read still stood at this moment, so nothing was decided on what is gone.
  if (auto good = source_->check(); !good) return std::move(good).error();
  return std::nullopt;
}

void Overlay::fill(wire::CommitRequest& request) const {
  request.snapshot_isolation = options_.snapshot_isolation;
  request.has_snapshot = true;
  request.snapshot_generation = source_->generation();
  request.snapshot_sequence = source_->sequence();
  if (!options_.snapshot_isolation) {
    request.reads.reserve(reads_.size());
    for (const auto& [key, sequence] : reads_) request.reads.push_back({key, sequence});
    for (const auto& range : ranges_) range->fill(request);
  }
  writes_.fill(request);
}

}  // namespace dfs::client
