#include "common/index/cursor.hpp"

#include "common/base/assert.hpp"

namespace dfs::index {

Cursor::Cursor(const View& view, std::uint64_t sequence, Show show)
    : vantage_(view, sequence, show) {}

void Cursor::seek_first() {
  way_ = Way::forward;
  runs_.seek_first(vantage_);
  tree_.seek_first(vantage_);
  choose();
}

void Cursor::seek_last() {
  way_ = Way::backward;
  runs_.seek_last(vantage_);
  tree_.seek_last(vantage_);
  choose();
}

void Cursor::seek(std::string_view key) {
  way_ = Way::forward;
  runs_.seek(vantage_, key);
  tree_.seek(vantage_, key);
  choose();
}

void Cursor::seek_for_prev(std::string_view key) {
  way_ = Way::backward;
  runs_.seek_for_prev(vantage_, key);
  tree_.seek_for_prev(vantage_, key);
  choose();
}

void Cursor::next() {
  DFS_ASSERT(valid(), "a cursor on nothing has no next");
  if (way_ != Way::forward) turn(Way::forward);
  if (in_runs_) {
    runs_.next(vantage_);
  } else {
    tree_.next(vantage_);
  }
  choose();
}

void Cursor::prev() {
  DFS_ASSERT(valid(), "a cursor on nothing has no previous");
  if (way_ != Way::backward) turn(Way::backward);
  if (in_runs_) {
    runs_.prev(vantage_);
  } else {
    tree_.prev(vantage_);
  }
  choose();
}

/// Takes the other half across the record, which it does not have.
void Cursor::turn(Way way) {
  way_ = way;
  const std::string_view key = record_->key();
  if (in_runs_) {
    way == Way::forward ? tree_.seek(vantage_, key) : tree_.seek_for_prev(vantage_, key);
  } else {
    way == Way::forward ? runs_.seek(vantage_, key) : runs_.seek_for_prev(vantage_, key);
  }
}

/// Stands on the nearer of both halves' records.
void Cursor::choose() noexcept {
  // Mostly there is but one half.
  if (tree_.outcome() == Outcome::absent) {
    in_runs_ = true;
    outcome_ = runs_.outcome();
    record_ = runs_.record();
    return;
  }
  if (runs_.outcome() == Outcome::absent) {
    in_runs_ = false;
    outcome_ = tree_.outcome();
    record_ = tree_.record();
    return;
  }
  const auto ended_early = [](Outcome outcome) {
    return outcome != Outcome::found && outcome != Outcome::absent;
  };
  record_ = nullptr;
  outcome_ = ended_early(runs_.outcome()) ? runs_.outcome() : tree_.outcome();
  if (ended_early(outcome_)) return;
  const RecordHeader* in_runs = runs_.record();
  const RecordHeader* in_tree = tree_.record();
  in_runs_ = in_tree == nullptr;
  if (in_runs != nullptr && in_tree != nullptr) {
    in_runs_ = (in_runs->key() < in_tree->key()) == (way_ == Way::forward);
    // The keys were read once more.
    if (!stands()) {
      outcome_ = Outcome::given_back;
      return;
    }
  }
  record_ = in_runs_ ? in_runs : in_tree;
  outcome_ = record_ != nullptr ? Outcome::found : Outcome::absent;
}

}  // namespace dfs::index
