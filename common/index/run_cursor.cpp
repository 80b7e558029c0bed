#include "common/index/run_cursor.hpp"

#include "common/index/run_layout.hpp"

namespace dfs::index {
namespace {

/// How many keys ahead a record is prefetched: reading one costs about a third of a miss.
constexpr std::int64_t kAhead = 8;
constexpr std::int64_t kEnd = kRunKeys;

template <Way way>
[[gnu::always_inline]] inline void prefetch_ahead(const View& view, const Run& run,
                                                  std::int64_t position) noexcept {
  const std::int64_t ahead = position + (way == Way::forward ? kAhead : -kAhead);
  if (ahead >= 0 && ahead < kEnd) {
    // Relaxed, here and below: a hint.
    prefetch(view, run.anchors[ahead].record.load(std::memory_order_relaxed));
  } else if (position == (way == Way::forward ? kEnd - 1 : 0)) {
    prefetch(view, way == Way::forward ? run.next.load(std::memory_order_relaxed) : run.previous);
  }
}

}  // namespace

void RunCursor::end(Outcome outcome) noexcept {
  outcome_ = outcome;
  record_ = nullptr;
}

bool RunCursor::stand(Vantage& vantage, Reach& reach, const RunPlace& place) noexcept {
  vantage.add_steps(place.steps);
  run_ = place.run;
  position_ = place.position;
  if (place.outcome == Outcome::found) return true;
  end(place.outcome != Outcome::absent ? reach.refused()
      : look(vantage.view())           ? Outcome::absent
                                       : Outcome::given_back);
  return false;
}

/// The run that a link leads to; nullptr where it cannot be. Runs lie in the order in which they
/// were made, so a walk along links ends whatever the bytes are.
[[gnu::always_inline]] inline const Run* RunCursor::enter(Reach& reach, std::uint64_t run,
                                                          Way way) noexcept {
  const bool onward = way == Way::forward ? run > run_ : run < run_;
  run_ = run;
  position_ = way == Way::forward ? 0 : kEnd - 1;
  return onward ? reach.at<Run>(run) : nullptr;
}

/// From where it stands, going `way`, to the first key that the snapshot shows.
template <Way way>
void RunCursor::settle(Vantage& vantage) noexcept {
  Reach reach(vantage.view());
  const auto* run = reach.at<Run>(run_);
  while (run != nullptr) {
    if (position_ < 0 || position_ >= kEnd) {
      // SYNC POINT: link. Acquire: the run was made before it was linked; pairs with
      // RunWriter::link. Later keys come behind it, none between.
      const std::uint64_t on =
          way == Way::forward ? run->next.load(std::memory_order_acquire) : run->previous;
      if (on == 0) return end(look(vantage.view()) ? Outcome::absent : Outcome::given_back);
      run = enter(reach, on, way);
      continue;
    }
    // SYNC POINT: newest. Acquire, as in see_leaf; 0 behind the last key.
    const std::uint64_t newest = run->anchors[position_].record.load(std::memory_order_acquire);
    if (newest != 0) {
      if (!vantage.count_step()) return end(Outcome::out_of_steps);
      prefetch_ahead<way>(vantage.view(), *run, position_);
      const Vantage::Seen seen = vantage.see(reach, newest);
      record_ = seen.record;
      outcome_ = seen.outcome;
      if (seen.outcome != Outcome::absent) return;
    }
    position_ += way == Way::forward ? 1 : -1;
    // Each step, so that a walk over pages that are gone ends soon.
    if (!look(vantage.view())) return end(Outcome::given_back);
  }
  end(reach.refused());
}

void RunCursor::seek_first(Vantage& vantage) noexcept {
  Reach reach(vantage.view());
  if (stand(vantage, reach, first_run(reach))) settle<Way::forward>(vantage);
}

void RunCursor::seek_last(Vantage& vantage) noexcept {
  Reach reach(vantage.view());
  if (!stand(vantage, reach, last_run(reach))) return;
  position_ = kEnd - 1;
  settle<Way::backward>(vantage);
}

void RunCursor::seek(Vantage& vantage, std::string_view key) noexcept {
  Reach reach(vantage.view());
  const RunPlace place = floor_in_runs(reach, key);
  if (place.outcome == Outcome::absent) return seek_first(vantage);
  if (!stand(vantage, reach, place)) return;
  if (place.leaf.record->key() != key) ++position_;
  settle<Way::forward>(vantage);
}

void RunCursor::seek_for_prev(Vantage& vantage, std::string_view key) noexcept {
  Reach reach(vantage.view());
  if (stand(vantage, reach, floor_in_runs(reach, key))) settle<Way::backward>(vantage);
}

void RunCursor::next(Vantage& vantage) noexcept {
  ++position_;
  settle<Way::forward>(vantage);
}

void RunCursor::prev(Vantage& vantage) noexcept {
  --position_;
  settle<Way::backward>(vantage);
}

}  // namespace dfs::index
