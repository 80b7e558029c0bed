// What the readers of the model do: take a snapshot, read, look again, let go, and find a
// successor.
#include "tests/index/snapshot_search.hpp"

#include <cstring>

namespace dfs::index::model {

void SnapshotSearch::reader(World world, int i) {
  Reader& r = world.readers[i];
  Shared& shared = world.shared[r.daemon];
  switch (static_cast<ReaderStep>(r.step)) {
    case kBegin:
      if (r.rounds == (i == 1 ? 0 : variant_.copies ? 1 : 2)) return next(world, i, kDone);
      ++r.rounds;
      r.known = world.acknowledged;  // what it has heard of must be in its snapshot (I2)
      return next(world, i, kServed);
    case kServed:
      if (!variant_.death_not_looked_at && (shared.dead != 0 || shared.closed != 0)) {
        return next(world, i, kReconnect);
      }
      return next(world, i, kLoadCurrent);
    case kLoadCurrent:
      r.generation = shared.current;
      if (variant_.second_look_before_hold) {
        return next(world, i, kFirst);
      }
      return next(world, i, kHold);
    case kHold:
      ++shared.holds[r.generation % 2];
      return next(world, i, variant_.second_look_before_hold ? kThen : kFirst);
    case kFirst:
      if (variant_.second_look_before_hold) {
        return next(world, i, shared.current == r.generation ? kHold : kServed);
      }
      if (variant_.published_after_second_look) return second_look(world, i, kThen);
      r.sequence = published(shared, r.generation);
      return next(world, i, kThen);
    case kThen:
      if (variant_.published_after_second_look || variant_.second_look_before_hold) {
        r.sequence = published(shared, r.generation);
        return next(world, i, kTaken);
      }
      if (variant_.no_second_look_at_current) return next(world, i, kTaken);
      return second_look(world, i, kTaken);
    case kTaken:
      if (r.sequence < r.known) return breaks("I2: a snapshot without an acknowledged commit");
      if (r.sequence > shared.top[r.generation]) {
        return breaks("a sequence that its generation does not hold");
      }
      return next(world, i, kRead);
    default:
      return read(world, i);
  }
}

void SnapshotSearch::second_look(World world, int i, ReaderStep then) {
  Reader& r = world.readers[i];
  Shared& shared = world.shared[r.daemon];
  if (shared.current == r.generation) return next(world, i, then);
  --shared.holds[r.generation % 2];
  r.generation = r.sequence = 0;
  next(world, i, kServed);
}

void SnapshotSearch::read(World world, int i) {
  Reader& r = world.readers[i];
  Shared& shared = world.shared[r.daemon];
  const Byte at = r.generation % 2;
  switch (static_cast<ReaderStep>(r.step)) {
    case kRead:
      r.pages = shared.pages >> r.generation & 1;
      return next(world, i, kLookOne);
    case kLookOne:
      switch (variant_.look) {
        case Look::one_word:
          r.stands = shared.number[at] == r.generation && shared.state[at] != kGivenBack;
          break;
        case Look::state_only:
          r.stands = shared.state[at] != kGivenBack;
          break;
        case Look::number_then_state:
          r.stands = shared.number[at] == r.generation;
          return next(world, i, kLookTwo);
        case Look::none:
          r.stands = 1;
          break;
      }
      return next(world, i, kRelease);
    case kLookTwo:
      r.stands &= static_cast<Byte>(shared.state[at] != kGivenBack);
      return next(world, i, kRelease);
    case kRelease:
      ++(r.stands != 0 ? counted_ : refused_);
      if (r.stands != 0 && r.pages == 0) return breaks("I6: pages that are gone were read");
      if (r.stands == 0 && !variant_.revokes) return breaks("I6: a held generation went");
      --shared.holds[at];
      r.generation = r.sequence = r.known = r.pages = r.stands = 0;
      return next(world, i, kBegin);
    case kReconnect:
      // Nobody serves: the answer is stale and says so, and the round is over.
      if (world.serving == kNobody || world.serving == r.daemon) return next(world, i, kBegin);
      r.daemon = world.serving;
      ++reconnected_;
      return next(world, i, kServed);
    default:
      return;
  }
}

void SnapshotSearch::mail(World world) {
  if (!variant_.copies) return;
  Reader& from = world.readers[0];
  Reader& to = world.readers[1];
  if (from.step == kRead && world.mailed == 0) {
    World sent = world;
    ++sent.shared[from.daemon].holds[from.generation % 2];
    sent.mailed = 1;
    const Byte mail[3] = {from.daemon, from.generation, from.sequence};
    std::memcpy(sent.mail, mail, sizeof mail);
    visit(sent);
  }
  if (to.step == kDone && world.mailed == 1) {
    to.daemon = world.mail[0];
    to.generation = world.mail[1];
    to.sequence = world.mail[2];
    to.known = 0;
    world.mailed = 2;
    next(world, 1, kRead);
  }
}

}  // namespace dfs::index::model
