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

template <class Move>
bool SnapshotWalk::make(Move move) {
  if (generation_.connection().forked()) {
    problem_ = errc::forked;
    return false;
  }
  if (!cursor_) cursor_.emplace(generation_.view(), sequence_);
  move(*cursor_);
  while (cursor_->outcome() == index::Outcome::outgrown) {
    if (auto larger = generation_.connection().enlarge(generation_); !larger) {
      problem_ = std::move(larger).error();
      return false;
    }
    cursor_.emplace(generation_.view(), sequence_);
    move(*cursor_);
  }
  return settle();
}

bool SnapshotWalk::settle() {
  problem_ = errc::absent;
  if (cursor_->valid()) {
    entry_ = entry_from(cursor_->record());
    if (cursor_->stands()) return bounds_.hold(entry_.key);
    problem_ = error_from(index::Outcome::given_back, generation_);
  } else if (cursor_->outcome() != index::Outcome::absent) {
    problem_ = error_from(cursor_->outcome(), generation_);
  }
  return false;
}

bool SnapshotWalk::first() {
  return make([this](index::Cursor& cursor) { cursor.seek(bounds_.from); });
}

bool SnapshotWalk::last() {
  return make([this](index::Cursor& cursor) {
    if (bounds_.to.empty()) return cursor.seek_last();
    cursor.seek_for_prev(bounds_.to);
    if (cursor.valid() && cursor.record().key() == bounds_.to) cursor.prev();
  });
}

bool SnapshotWalk::next() {
  // A cursor made anew stands nowhere: from the key on, which this walk stands on.
  return make([this](index::Cursor& cursor) {
    if (!cursor.valid()) cursor.seek(entry_.key);
    if (cursor.valid()) cursor.next();
  });
}

bool SnapshotWalk::prev() {
  return make([this](index::Cursor& cursor) {
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
