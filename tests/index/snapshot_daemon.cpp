// What the daemon of the model does: commit, switch, give back, and end.
#include "tests/index/snapshot_search.hpp"

namespace dfs::index::model {

void SnapshotSearch::daemon(const World& world) {
  if (world.step == kGone) {
    if (world.lock_free != 0) {
      World next = world;
      next.lock_free = 0;
      start(next, 1);
      visit(next);
    }
    return;
  }
  if (variant_.dies && world.daemon == 0 && world.step < kUnlock) go(world, kDying);
  if (world.step == kIdle) {
    choose(world);
  } else if (world.step < kFill) {
    commit(world);
  } else if (world.step < kStateGoes) {
    switch_over(world);
  } else if (world.step < kClosing) {
    give_back(world);
  } else {
    end(world);
  }
}

void SnapshotSearch::choose(const World& world) {
  if (world.logged < kCommits) {
    World next = world;
    ++next.logged;  // appended and synced
    go(next, variant_.acknowledge_before_publish ? kAcknowledge : kPublish);
  }
  const Byte generations =
      variant_.dies || variant_.closes ? kGenerationsWithDeath[world.daemon] : kGenerations;
  if (world.generation < generations && world.superseded == 0) go(world, kFill);
  if (world.superseded != 0) {
    const bool held = variant_.holds_before_switch
                          ? world.saw_no_holds == 0
                          : world.shared[world.daemon].holds[old_slot(world)] != 0;
    if (!held || variant_.revokes) {
      go(world, variant_.pages_before_state ? kPagesGo : kStateGoes);
    }
  }
  if (variant_.closes && world.daemon == 0) {
    go(world, variant_.closed_after_lock ? kUnlock : kClosing);
  }
}

void SnapshotSearch::commit(World world) {
  const bool late = variant_.acknowledge_before_publish;
  if (world.step == kPublish) {
    world.shared[world.daemon].top[world.generation] = world.logged;
    const Byte at = published_at(world.generation);
    if (put(world, kPublished, at, world.logged)) go(world, late ? kIdle : kAcknowledge);
  } else if (put(world, kAcknowledged, 0, world.logged)) {
    go(world, late ? kPublish : kIdle);
  }
}

void SnapshotSearch::switch_over(World world) {
  const Byte next = world.generation + 1;
  const Byte at = next % 2;
  const bool one_word = variant_.look == Look::one_word;
  switch (static_cast<DaemonStep>(world.step)) {
    case kFill:
      world.shared[world.daemon].pages |= static_cast<Byte>(1 << next);
      world.shared[world.daemon].top[next] = world.logged;
      world.saw_no_holds = world.shared[world.daemon].holds[world.generation % 2] == 0;
      return go(world, kOpen);
    case kOpen:
      if (one_word) {
        if (put(world, kIdentity, at, static_cast<Byte>(next << 2 | kCurrent))) {
          go(world, kPublishNew);
        }
      } else if (put(world, kNumber, at, next)) {
        go(world, kOpenSecond);
      }
      return;
    case kOpenSecond:
      if (put(world, kState, at, kCurrent)) go(world, kPublishNew);
      return;
    case kPublishNew:
      if (variant_.one_published_word || put(world, kPublished, at, world.logged)) {
        go(world, kSwitch);
      }
      return;
    case kSwitch:
      if (put(world, kCurrentPlace, 0, next)) go(world, kSwitched);
      return;
    default:
      if (world.buffered != 0 && !variant_.current_may_lag_behind_holds) return;
      ++world.generation;
      world.superseded = 1;
      return go(world, kIdle);
  }
}

void SnapshotSearch::give_back(World world) {
  const Byte old = world.generation - 1;
  const auto state_goes = [&] {
    return variant_.look == Look::one_word
               ? put(world, kIdentity, old % 2, static_cast<Byte>(old << 2 | kGivenBack))
               : put(world, kState, old % 2, kGivenBack);
  };
  switch (static_cast<DaemonStep>(world.step)) {
    case kStateGoes:
      if (state_goes()) go(world, kFence);
      return;
    case kFence:
      if (world.buffered == 0 || variant_.state_may_lag_behind_pages) go(world, kPagesGo);
      return;
    case kPagesGo:
      world.shared[world.daemon].pages &= static_cast<Byte>(~(1 << old));
      if (variant_.pages_before_state) return go(world, kStateLate);
      world.superseded = 0;
      return go(world, kIdle);
    default:
      if (!state_goes()) return;
      world.superseded = 0;
      return go(world, kIdle);
  }
}

void SnapshotSearch::end(World world) {
  switch (static_cast<DaemonStep>(world.step)) {
    case kClosing:
      if (put(world, kClosed, 0, 1)) go(world, kUnlock);
      return;
    case kUnlock:
      if (world.buffered != 0) return;
      world.serving = kNobody;
      world.lock_free = 1;
      // Where it is moved, closed is stored later than all that happens here.
      return go(world, kGone);
    case kDying:
      if (world.buffered != 0) return;
      world.serving = kNobody;
      if (variant_.death_marked_after_lock) {  // later than all that happens here
        world.lock_free = 1;
        return go(world, kGone);
      }
      world.shared[0].dead = 1;
      return go(world, kMark);
    default:
      world.lock_free = 1;
      return go(world, kGone);
  }
}

}  // namespace dfs::index::model
