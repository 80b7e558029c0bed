// How the model goes from world to world, and the memory that its daemon shares.
#include "tests/index/snapshot_search.hpp"

#include <cstring>

namespace dfs::index::model {

std::string SnapshotSearch::run() {
  World first{};
  first.serving = kNobody;
  start(first, 0);
  visit(first);
  while (!open_.empty() && broken_.empty()) {
    const World world = open_.back();
    open_.pop_back();
    drain(world);
    daemon(world);
    for (int i = 0; i < 2; ++i) reader(world, i);
    mail(world);
  }
  return broken_;
}

void SnapshotSearch::start(World& world, Byte d) {
  Shared& shared = world.shared[d];
  shared.current = 1;
  shared.number[1] = 1;
  shared.state[1] = kCurrent;
  shared.published[1] = shared.published[0] = world.logged;
  shared.top[1] = world.logged;
  shared.pages = 1 << 1;
  world.serving = d;
  world.daemon = d;
  world.generation = 1;
  world.superseded = 0;
  world.step = kIdle;
}

void SnapshotSearch::apply(World& world, const Byte (&store)[4]) {
  Shared& shared = world.shared[store[0]];
  const Byte at = store[2];
  const Byte value = store[3];
  switch (static_cast<Place>(store[1])) {
    case kCurrentPlace:
      shared.current = value;
      break;
    case kNumber:
      shared.number[at] = value;
      break;
    case kState:
      shared.state[at] = value;
      break;
    case kIdentity:
      shared.number[at] = value >> 2;
      shared.state[at] = value & 3;
      break;
    case kPublished:
      shared.published[at] = value;
      break;
    case kAcknowledged:
      world.acknowledged = value;
      break;
    case kClosed:
      shared.closed = 1;
      break;
  }
}

void SnapshotSearch::drain(World world) {
  if (world.buffered == 0) return;
  apply(world, world.buffer[0]);
  --world.buffered;
  std::memmove(world.buffer[0], world.buffer[1], sizeof world.buffer[0] * 2);
  std::memset(world.buffer[2], 0, sizeof world.buffer[2]);
  visit(world);
}

bool SnapshotSearch::put(World& world, Place place, Byte at, Byte value) {
  if (world.buffered == 3) return false;
  const Byte store[4] = {world.daemon, place, at, value};
  std::memcpy(world.buffer[world.buffered++], store, sizeof store);
  return true;
}

}  // namespace dfs::index::model
