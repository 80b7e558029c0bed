// Every interleaving of a sleep at the `asleep` word itself (waiting.hpp): one thread of a client
// sleeps there for replies, as long as nobody else of it waits for more, else at its bell; a
// watcher begins to wait, and is interrupted; the daemon moves the ring's end and wakes. With any
// step left out somebody sleeps for ever.
//
// All stores and loads are sequentially consistent here, as they are there. The sleeps have no end
// here: the one that they have there hides nothing.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "common/wire/waiting.hpp"
#include "tests/wire/explorer.hpp"

namespace dfs::wire {
namespace {

using Byte = std::uint8_t;

struct Bed {
  Byte tail = 0;  // replies that the daemon has released
  Byte asleep = 0;
  Byte in_bed = 0;        // the kernel has queued the sleeper at the word
  Byte packet = 0;        // in the bell, from the daemon
  Byte interruption = 0;  // and the watcher's
  Byte waits = 0;         // the watcher's note that it waits
  Byte told = 0;          // it has been served
  Byte seen = 0;          // the replies that the sleeper has taken
  Byte sleeper_pc = 0;
  Byte daemon_pc = 0;
  Byte daemon_moved = 0;
  Byte watcher_pc = 0;
};

enum class Without : Byte {
  nothing,
  the_second_look,
  the_look_for_a_watcher,
  the_exchange,
  the_order,
  a_look_by_the_kernel,
  rousing_by_the_watcher,
  the_bell,
};

constexpr Byte kReplies = 2;
constexpr Byte kDone = 10;

/// Ends a sleep at the word, from `pc` on: looks, exchanges, wakes. Then `done`; or `other`, where
/// nobody sleeps there.
Byte rouse_step(Bed& state, Byte step, Byte other, Byte done, Without without) {
  switch (step) {
    case 0:
      return state.asleep == kAsleepAtWord ? 1 : other;
    case 1:
      if (without == Without::the_exchange) return 2;
      if (state.asleep != kAsleepAtWord) return other;
      state.asleep = 0;
      return 2;
    default:
      state.in_bed = 0;
      return done;
  }
}

void sleeper_steps(const Bed& state, Without without, std::vector<Bed>& next) {
  Bed one = state;
  const bool moved = state.tail != state.seen;
  const bool wanted = state.waits != 0 && without != Without::the_look_for_a_watcher;
  switch (state.sleeper_pc) {
    case 0:  // awake: takes replies, serves the watcher, then goes to one of two places
      one.seen = state.tail;
      if (state.waits != 0 && state.interruption != 0) {
        one.told = 1;
        one.interruption = 0;
      }
      if (one.seen == kReplies && one.told != 0) {
        one.sleeper_pc = kDone;
        break;
      }
      one.sleeper_pc = state.waits != 0 ? 5 : 1;
      break;
    case 1:
      one.asleep = kAsleepAtWord;
      one.sleeper_pc = without == Without::the_second_look ? 3 : 2;
      break;
    case 2:
      one.sleeper_pc = moved || wanted ? 9 : 3;
      break;
    case 3:  // into the kernel, which looks at the word and queues in one
      if (state.asleep != kAsleepAtWord && without != Without::a_look_by_the_kernel) {
        one.sleeper_pc = 9;
        break;
      }
      one.in_bed = 1;
      one.sleeper_pc = 4;
      break;
    case 4:
      if (state.in_bed != 0) return;
      one.sleeper_pc = 9;
      break;
    case 5:  // at the bell: drains, says so, looks, sleeps
      one.packet = 0;
      one.sleeper_pc = 6;
      break;
    case 6:
      one.asleep = kAsleepForReplies;
      one.sleeper_pc = 7;
      break;
    case 7:
      one.sleeper_pc = moved ? 9 : 8;
      break;
    case 8:
      if (state.packet == 0 && state.interruption == 0) return;
      one.sleeper_pc = 9;
      break;
    case 9:
      one.asleep = 0;
      one.sleeper_pc = 0;
      break;
    default:
      return;
  }
  next.push_back(one);
}

void daemon_steps(const Bed& state, Without without, std::vector<Bed>& next) {
  if (state.daemon_moved == kReplies) return;
  Bed one = state;
  const bool order = without != Without::the_order;
  const auto move = [&] { one.tail++; };
  switch (state.daemon_pc) {
    case 0:
      if (order) move();
      one.daemon_pc = 1;
      break;
    case 1:
    case 2:
    case 3: {
      const Byte to = rouse_step(one, static_cast<Byte>(state.daemon_pc - 1), 3, 4, without);
      one.daemon_pc = static_cast<Byte>(to + 1);
      break;
    }
    case 4:  // nobody at the word: at the bell?
      if (state.asleep != 0 && without != Without::the_bell) one.packet = 1;
      one.daemon_pc = 5;
      break;
    default:
      if (!order) move();
      one.daemon_moved++;
      one.daemon_pc = 0;
  }
  next.push_back(one);
}

void watcher_steps(const Bed& state, Without without, std::vector<Bed>& next) {
  Bed one = state;
  switch (state.watcher_pc) {
    case 0:
      one.waits = 1;
      one.watcher_pc = without == Without::rousing_by_the_watcher ? 4 : 1;
      break;
    case 1:
    case 2:
    case 3: {
      const Byte to = rouse_step(one, static_cast<Byte>(state.watcher_pc - 1), 3, 3, without);
      one.watcher_pc = static_cast<Byte>(to + 1);
      break;
    }
    case 4:
      one.interruption = 1;
      one.watcher_pc = 5;
      break;
    default:
      return;
  }
  next.push_back(one);
}

test::Explorer<Bed>::Verdict bed(Without without) {
  test::Explorer<Bed> explorer;
  explorer.steps = [without](const Bed& state, std::vector<Bed>& next) {
    sleeper_steps(state, without, next);
    daemon_steps(state, without, next);
    watcher_steps(state, without, next);
  };
  explorer.at_rest = [](const Bed& state) { return state.sleeper_pc == kDone; };
  return explorer.run({});
}

TEST(AsleepModel, nobody_oversleeps_at_the_word) { test::expect_holds(bed, Without::nothing, 500); }

TEST(AsleepModel, each_step_is_needed) {
  test::expect_each_breaks(
      bed, {Without::the_second_look, Without::the_look_for_a_watcher, Without::the_exchange,
            Without::the_order, Without::a_look_by_the_kernel, Without::rousing_by_the_watcher,
            Without::the_bell});
}

}  // namespace
}  // namespace dfs::wire
