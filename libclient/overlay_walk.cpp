#include "libclient/overlay_walk.hpp"

#include <iterator>
#include <utility>

namespace dfs::client {

OverlayWalk::OverlayWalk(Overlay& overlay, std::shared_ptr<RangeRead> read,
                         std::unique_ptr<Walk> below)
    : overlay_(overlay), read_(std::move(read)), below_(std::move(below)) {}

OverlayWalk::OverlayWalk(const OverlayWalk& other)
    : Walk(other),
      overlay_(other.overlay_),
      read_(other.read_),
      below_(other.below_ ? other.below_->copy() : nullptr),
      failed_(other.failed_),
      side_(other.side_),
      from_end_(other.from_end_),
      ordinal_(other.ordinal_) {}

std::unique_ptr<Walk> OverlayWalk::copy() const {
  return std::unique_ptr<Walk>(new OverlayWalk(*this));
}

Error OverlayWalk::problem() const {
  if (overlay_.finished()) return errc::finished;
  return below_->problem();
}

// The walk below. Its ordinal tells how many keys of the snapshot lie between where this began and
// where it stands.

void OverlayWalk::move_below(bool stands, Side off, int ordinals) {
  side_ = stands ? Side::on : off;
  ordinal_ += static_cast<std::uint64_t>(ordinals);
  if (!stands && below_->problem() != errc::absent) failed_ = true;
}

void OverlayWalk::below_next() {
  move_below(side_ == Side::before ? below_->first() : below_->next(), Side::behind,
             from_end_ ? -1 : 1);
}

void OverlayWalk::below_prev() {
  move_below(side_ == Side::behind ? below_->last() : below_->prev(), Side::before,
             from_end_ ? 1 : -1);
}

// The steps.

bool OverlayWalk::first() {
  if (dead()) return false;
  from_end_ = false;
  ordinal_ = 0;
  move_below(below_->first(), Side::behind, 1);
  return settle_forward(own().lower_bound(read_->bounds().from));
}

bool OverlayWalk::last() {
  if (dead()) return false;
  from_end_ = true;
  ordinal_ = 0;
  move_below(below_->last(), Side::before, 1);
  const Bounds& bounds = read_->bounds();
  return settle_backward(bounds.to.empty() ? own().end() : own().lower_bound(bounds.to));
}

bool OverlayWalk::next() {
  if (dead()) return false;
  while (!failed_ &&
         (side_ == Side::before || (side_ == Side::on && below_->entry().key <= entry_.key))) {
    below_next();
  }
  return settle_forward(own().upper_bound(entry_.key));
}

bool OverlayWalk::prev() {
  if (dead()) return false;
  while (!failed_ &&
         (side_ == Side::behind || (side_ == Side::on && below_->entry().key >= entry_.key))) {
    below_prev();
  }
  return settle_backward(own().lower_bound(entry_.key));
}

bool OverlayWalk::settle_forward(Writes::ByKey::const_iterator at) {
  while (!failed_) {
    const bool mine = at != own().end() && read_->bounds().below_end(at->first);
    const bool below = side_ == Side::on;
    if (!mine && !below) {
      // Off the end its ordinal is one more than there are.
      if (!from_end_) read_->ended_forward(ordinal_ - 1);
      return false;
    }
    if (!mine || (below && below_->entry().key < at->first)) return stand_on(below_->entry());
    if (!at->second.erase) return stand_on(own_entry(at));
    if (below && below_->entry().key == at->first) below_next();
    ++at;
  }
  return false;
}

bool OverlayWalk::settle_backward(Writes::ByKey::const_iterator behind) {
  while (!failed_) {
    const bool mine = behind != own().begin() && std::prev(behind)->first >= read_->bounds().from;
    const bool below = side_ == Side::on;
    if (!mine && !below) {
      if (from_end_) read_->ended_backward(ordinal_ - 1);
      return false;
    }
    if (!mine) return stand_on(below_->entry());
    const auto at = std::prev(behind);
    if (below && below_->entry().key > at->first) return stand_on(below_->entry());
    if (!at->second.erase) return stand_on(own_entry(at));
    if (below && below_->entry().key == at->first) below_prev();
    behind = at;
  }
  return false;
}

bool OverlayWalk::stand_on(const Entry& entry) {
  entry_ = entry;
  // The key below is this one, or lies beyond it in the direction of the walk; in the other
  // direction nothing new is shown.
  const bool counted = side_ == Side::on && below_->entry().key == entry_.key;
  const std::uint64_t passed = counted ? ordinal_ : ordinal_ - 1;
  if (from_end_) {
    read_->reached_backward(entry_.key, passed);
  } else {
    read_->reached_forward(entry_.key, passed);
  }
  return true;
}

}  // namespace dfs::client
