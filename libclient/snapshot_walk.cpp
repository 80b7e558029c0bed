#include "libclient/snapshot_walk.hpp"

#include <string>
#include <utility>

#include "libclient/connection.hpp"

namespace dfs::client {

Error error_from(index::Outcome outcome, const Generation& generation) {
  if (outcome == index::Outcome::broken) {
    return Error(errc::damaged, "generation " + std::to_string(generation.number()) +
                                    " of the index holds what cannot be; restart the daemon, which "
                                    "makes it anew from the log");
  }
  return Error(errc::snapshot_too_old,
               "the snapshot was revoked, since memory was short; take a new one");
}

SnapshotWalk::SnapshotWalk(const Generation& generation, std::uint64_t sequence, Bounds bounds)
    : generation_(generation), sequence_(sequence), bounds_(std::move(bounds)) {}

std::unique_ptr<Walk> SnapshotWalk::copy() const {
  return std::unique_ptr<Walk>(new SnapshotWalk(*this));
}

template <index::Way way, class Move>
bool SnapshotWalk::make(Move move) {
  if (generation_.connection().forked()) return ended(errc::forked);
  if (!cursor_) cursor_.emplace(generation_.view(), sequence_);
  move(*cursor_);
  return stand<way>() == Stood::within || make_again<way>(move);
}

/// What a move comes to that has not simply come to an entry.
template <index::Way way, class Move>
[[gnu::noinline]] bool SnapshotWalk::make_again(Move move) {
  while (cursor_->outcome() == index::Outcome::outgrown) {
    if (auto larger = generation_.connection().enlarge(generation_); !larger) {
      return ended(std::move(larger).error());
    }
    cursor_.emplace(generation_.view(), sequence_);
    move(*cursor_);
  }
  const Stood stood = stand<way>();
  if (stood == Stood::within) return true;
  if (stood == Stood::outside || cursor_->outcome() == index::Outcome::absent) {
    return ended(errc::absent);
  }
  // What ended it, or what took its record away behind it.
  const bool valid = cursor_->valid();
  return ended(error_from(valid ? index::Outcome::given_back : cursor_->outcome(), generation_));
}

/// Takes what the cursor stands on, if that still stands once it was read.
template <index::Way way>
SnapshotWalk::Stood SnapshotWalk::stand() noexcept {
  if (!cursor_->valid()) return Stood::nowhere;
  entry_ = entry_from(cursor_->record());
  // Of the bounds, the one end that a move may have passed.
  const bool within =
      way == index::Way::forward ? bounds_.below_end(entry_.key) : entry_.key >= bounds_.from;
  if (!cursor_->stands()) return Stood::nowhere;
  return within ? Stood::within : Stood::outside;
}

[[gnu::noinline]] bool SnapshotWalk::ended(Error problem) noexcept {
  problem_ = std::move(problem);
  return false;
}

bool SnapshotWalk::first() {
  return make<index::Way::forward>([this](index::Cursor& cursor) { cursor.seek(bounds_.from); });
}

bool SnapshotWalk::last() {
  return make<index::Way::backward>([this](index::Cursor& cursor) {
    if (bounds_.to.empty()) return cursor.seek_last();
    cursor.seek_for_prev(bounds_.to);
    if (cursor.valid() && cursor.record().key() == bounds_.to) cursor.prev();
  });
}

bool SnapshotWalk::next() {
  // A cursor made anew stands nowhere: from the key on, which this walk stands on.
  return make<index::Way::forward>([this](index::Cursor& cursor) {
    if (!cursor.valid()) cursor.seek(entry_.key);
    if (cursor.valid()) cursor.next();
  });
}

bool SnapshotWalk::prev() {
  return make<index::Way::backward>([this](index::Cursor& cursor) {
    if (!cursor.valid()) cursor.seek_for_prev(entry_.key);
    if (cursor.valid()) cursor.prev();
  });
}

std::unique_ptr<Walk> make_walk(const Generation* generation, std::uint64_t sequence,
                                const Error& error, Bounds bounds) {
  if (generation == nullptr) return std::make_unique<FailedWalk>(error);
  return std::make_unique<SnapshotWalk>(*generation, sequence, std::move(bounds));
}

}  // namespace dfs::client
