// Every interleaving of waiting for room in a request ring (waiting.hpp): one thread of a client
// sleeps, perhaps for replies only; another begins to wait for room; the daemon gives room back,
// and rings only who waits for that. With any step left out somebody waits for ever.
//
// All stores and loads are sequentially consistent here, as they are there.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "common/wire/waiting.hpp"
#include "tests/wire/explorer.hpp"

namespace dfs::wire {
namespace {

using Byte = std::uint8_t;

struct Room {
  Byte head = 0;  // 1: the daemon has given back what the pusher needs
  Byte asleep = 0;
  Byte bell = 0;
  Byte waits = 0;  // the pusher's note that it waits
  Byte told = 0;   // its condition variable was notified
  Byte seen = 0;   // the head that the sleeper has looked at last
  Byte for_room = 0;
  Byte pusher_pc = 0;
  Byte sleeper_pc = 0;
  Byte daemon_pc = 0;
};

enum class Without : Byte {
  nothing,
  turning_the_word,
  the_look_for_it,
  the_look_at_the_head,
  order
};

/// The pusher has the mutex from its note until it waits.
constexpr bool locked(const Room& state) { return state.pusher_pc == 1 || state.pusher_pc == 2; }

void pusher_steps(const Room& state, Without without, std::vector<Room>& next) {
  Room one = state;
  switch (state.pusher_pc) {
    case 0:  // notes that it waits
      one.waits = 1;
      one.pusher_pc = 1;
      break;
    case 1:  // wants_room
      if (without != Without::turning_the_word && state.asleep == kAsleepForReplies) {
        one.asleep = kAsleep;
      }
      one.pusher_pc = 2;
      break;
    case 2:  // looks, and waits or is done
      one.pusher_pc = state.head != 0 ? 4 : 3;
      break;
    case 3:
      if (state.told == 0) return;
      one.told = 0;
      one.pusher_pc = 2;
      break;
    default:
      return;
  }
  next.push_back(one);
}

void sleeper_steps(const Room& state, Without without, std::vector<Room>& next) {
  Room one = state;
  switch (state.sleeper_pc) {
    case 0:
      one.for_room = state.waits;
      one.sleeper_pc = 1;
      break;
    case 1:
      one.bell = 0;
      one.sleeper_pc = 2;
      break;
    case 2:
      one.asleep = static_cast<Byte>(state.for_room != 0 ? kAsleep : kAsleepForReplies);
      one.sleeper_pc = 3;
      break;
    case 3: {  // the second look: at the head for who waits, and whether somebody began to
      const bool moved = state.waits != 0 && state.head != state.seen;
      const bool look = without != Without::the_look_at_the_head;
      one.sleeper_pc = moved && look ? 6 : 4;
      break;
    }
    case 4: {
      const bool came = state.for_room == 0 && state.waits != 0;
      one.sleeper_pc = came && without != Without::the_look_for_it ? 6 : 5;
      break;
    }
    case 5:  // asleep at the bell
      if (state.bell == 0) return;
      one.sleeper_pc = 6;
      break;
    case 6:
      one.asleep = 0;
      one.sleeper_pc = 7;
      break;
    default:  // under the mutex: tells the pusher
      if (locked(state)) return;
      if (state.head != state.seen && state.waits != 0) one.told = 1;
      one.seen = state.head;
      one.sleeper_pc = 0;
  }
  next.push_back(one);
}

void daemon_steps(const Room& state, Without without, std::vector<Room>& next) {
  Room one = state;
  const bool looks = (state.daemon_pc == 0) == (without == Without::order);
  if (state.daemon_pc == 2) return;
  if (looks) {
    if (state.asleep == kAsleep) one.bell = 1;
  } else {
    one.head = 1;
  }
  one.daemon_pc = static_cast<Byte>(state.daemon_pc + 1);
  next.push_back(one);
}

test::Explorer<Room>::Verdict room(Without without) {
  test::Explorer<Room> explorer;
  explorer.steps = [without](const Room& state, std::vector<Room>& next) {
    pusher_steps(state, without, next);
    sleeper_steps(state, without, next);
    daemon_steps(state, without, next);
  };
  explorer.at_rest = [](const Room& state) { return state.pusher_pc == 4; };
  return explorer.run({});
}

TEST(RoomModel, who_waits_for_room_while_another_sleeps_hears_of_it) {
  test::expect_holds(room, Without::nothing, 200);
}

TEST(RoomModel, each_step_is_needed) {
  test::expect_each_breaks(room, {Without::turning_the_word, Without::the_look_for_it,
                                  Without::the_look_at_the_head, Without::order});
}

}  // namespace
}  // namespace dfs::wire
