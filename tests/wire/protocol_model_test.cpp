// Every interleaving of sleep and wake (waiting.hpp), in both directions, in small steps. As
// designed no wake-up is lost; with any step left out, moved or weakened one is, so that the model
// is known to see what it is for.
//
// Stores may wait in a buffer of one place for each actor, as on x86: a later load may overtake
// one, a locked instruction or a system call may not. That is what seq_cst at both ends is for.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "tests/wire/explorer.hpp"

namespace dfs::wire {
namespace {

using Byte = std::uint8_t;
using test::Explorer;

// ---------------------------------------------------------------------------------------------
// Client to daemon: two clients, each with its ring and eventfd; one `asleep` word; an epoll edge.

struct ToDaemon {
  std::array<Byte, 2> tail{};
  std::array<Byte, 2> head{};
  Byte asleep = 0;
  Byte edge = 0;
  // Store buffers: a tail not yet seen by others, the daemon's `asleep` likewise (2: a 1 waits).
  std::array<Byte, 2> tail_waits{};
  Byte asleep_waits = 0;
  std::array<Byte, 2> client_pc{};
  std::array<Byte, 2> client_pushed{};
  std::array<Byte, 2> client_saw{};
  Byte daemon_pc = 0;
  Byte daemon_got = 0;
};

enum class Broken : Byte {
  nothing,
  no_second_look,
  asleep_after_second_look,
  look_before_move,
  weak_move,
  weak_asleep,
  // Daemon to client only.
  drain_after_second_look,
  two_sleepers,
};

constexpr Byte kMessages = 2;

void client_steps(const ToDaemon& state, std::size_t i, Broken broken,
                  std::vector<ToDaemon>& next) {
  ToDaemon one = state;
  if (state.tail_waits[i] != 0) {  // the buffer drains whenever it likes
    one.tail[i]++;
    one.tail_waits[i] = 0;
    next.push_back(one);
    one = state;
  }
  const bool look_first = broken == Broken::look_before_move;
  switch (state.client_pc[i]) {
    case 0:  // move the tail (or, broken, look first)
      if (state.client_pushed[i] == kMessages) return;
      if (look_first) {
        one.client_saw[i] = state.asleep;
      } else if (broken == Broken::weak_move) {
        one.tail_waits[i] = 1;
      } else {
        one.tail[i]++;
      }
      one.client_pc[i] = 1;
      next.push_back(one);
      return;
    case 1:  // look at asleep
      if (look_first) {
        one.tail[i]++;
      } else {
        one.client_saw[i] = state.asleep;
      }
      one.client_pc[i] = 2;
      next.push_back(one);
      return;
    default:  // ring: a system call, behind everything buffered
      if (state.tail_waits[i] != 0) return;
      if (state.client_saw[i] != 0) one.edge = 1;
      one.client_pushed[i]++;
      one.client_pc[i] = 0;
      next.push_back(one);
  }
}

void daemon_steps(const ToDaemon& state, Broken broken, std::vector<ToDaemon>& next) {
  ToDaemon one = state;
  if (state.asleep_waits != 0) {
    one.asleep = 1;
    one.asleep_waits = 0;
    next.push_back(one);
    one = state;
  }
  const Byte pc = state.daemon_pc;
  switch (pc) {
    case 0:  // take what is there, ring after ring
    case 1: {
      const std::size_t ring = pc;
      if (state.head[ring] != state.tail[ring]) one.daemon_got = 1;
      one.head[ring] = state.tail[ring];
      one.daemon_pc = static_cast<Byte>(pc + 1);
      if (pc == 1) {
        one.daemon_pc = one.daemon_got != 0 ? 0 : 2;
        one.daemon_got = 0;
      }
      break;
    }
    case 2:  // asleep
      if (broken == Broken::weak_asleep) {
        one.asleep_waits = 1;
      } else if (broken != Broken::asleep_after_second_look) {
        one.asleep = 1;
      }
      one.daemon_pc = broken == Broken::no_second_look ? 5 : 3;
      break;
    case 3:  // the second look
    case 4: {
      const std::size_t ring = pc - 3U;
      if (state.head[ring] != state.tail[ring]) one.daemon_got = 1;
      one.daemon_pc = static_cast<Byte>(pc + 1);
      if (pc == 4) {
        const Byte sleep = broken == Broken::asleep_after_second_look ? 7 : 5;
        one.daemon_pc = one.daemon_got != 0 ? 6 : sleep;
        one.daemon_got = 0;
      }
      break;
    }
    case 5:  // epoll: behind everything buffered, until an edge
      if (state.asleep_waits != 0 || state.edge == 0) return;
      one.edge = 0;
      one.daemon_pc = 6;
      break;
    case 7:  // only where it comes too late
      one.asleep = 1;
      one.daemon_pc = 5;
      break;
    default:
      if (state.asleep_waits != 0) return;
      one.asleep = 0;
      one.daemon_pc = 0;
  }
  next.push_back(one);
}

Explorer<ToDaemon>::Verdict to_daemon(Broken broken) {
  Explorer<ToDaemon> explorer;
  explorer.steps = [broken](const ToDaemon& state, std::vector<ToDaemon>& next) {
    client_steps(state, 0, broken, next);
    client_steps(state, 1, broken, next);
    daemon_steps(state, broken, next);
  };
  explorer.always = [](const ToDaemon&) { return true; };
  explorer.at_rest = [](const ToDaemon& state) { return state.head == state.tail; };
  return explorer.run({});
}

TEST(ProtocolModel, no_wake_up_of_the_daemon_is_lost) {
  const auto verdict = to_daemon(Broken::nothing);
  EXPECT_TRUE(verdict.holds);
  EXPECT_GT(verdict.states, 500U);
}

TEST(ProtocolModel, each_step_of_waking_the_daemon_is_needed) {
  EXPECT_FALSE(to_daemon(Broken::no_second_look).holds);
  EXPECT_FALSE(to_daemon(Broken::asleep_after_second_look).holds);
  EXPECT_FALSE(to_daemon(Broken::look_before_move).holds);
  EXPECT_FALSE(to_daemon(Broken::weak_move).holds);
  EXPECT_FALSE(to_daemon(Broken::weak_asleep).holds);
}

// ---------------------------------------------------------------------------------------------
// Daemon to client: one ring of replies; two threads of the client wait for every other reply; one
// bell with room for a single packet, level-triggered. One thread at a time sleeps at it.

struct ToClient {
  Byte tail = 0;
  Byte asleep = 0;
  Byte packet = 0;
  Byte leader = 0;
  Byte tail_waits = 0;
  Byte asleep_waits = 0;
  Byte daemon_pc = 0;
  Byte daemon_moved = 0;
  Byte daemon_saw = 0;
  std::array<Byte, 2> pc{};
  std::array<Byte, 2> wants{1, 2};
};

constexpr Byte kReplies = 3;

void daemon_steps(const ToClient& state, Broken broken, std::vector<ToClient>& next) {
  ToClient one = state;
  if (state.tail_waits != 0) {
    one.tail++;
    one.tail_waits = 0;
    next.push_back(one);
    one = state;
  }
  const bool look_first = broken == Broken::look_before_move;
  switch (state.daemon_pc) {
    case 0:
      if (state.daemon_moved == kReplies) return;
      if (look_first) {
        one.daemon_saw = state.asleep;
      } else if (broken == Broken::weak_move) {
        one.tail_waits = 1;
      } else {
        one.tail++;
      }
      one.daemon_pc = 1;
      break;
    case 1:
      if (look_first) {
        one.tail++;
      } else {
        one.daemon_saw = state.asleep;
      }
      one.daemon_pc = 2;
      break;
    default:  // one packet or none: a full bell rings already
      if (state.tail_waits != 0) return;
      if (state.daemon_saw != 0) one.packet = 1;
      one.daemon_moved++;
      one.daemon_pc = 0;
  }
  next.push_back(one);
}

void thread_steps(const ToClient& state, std::size_t t, Broken broken,
                  std::vector<ToClient>& next) {
  if (state.wants[t] > kReplies) return;
  ToClient one = state;
  const bool there = state.tail >= state.wants[t];
  const bool leads = broken != Broken::two_sleepers;
  Byte& pc = one.pc[t];
  switch (state.pc[t]) {
    case 0:  // the first look
      if (there) {
        one.wants[t] = static_cast<Byte>(state.wants[t] + 2);
      } else {
        pc = 1;
      }
      break;
    case 1:  // become the one that sleeps
      if (leads && state.leader != 0) return;
      if (leads) one.leader = 1;
      pc = 2;
      break;
    case 2:  // drain, before asleep
      if (broken != Broken::drain_after_second_look) one.packet = 0;
      pc = 3;
      break;
    case 3:
      if (broken == Broken::weak_asleep) {
        one.asleep_waits = 1;
      } else if (broken != Broken::asleep_after_second_look) {
        one.asleep = 1;
      }
      pc = broken == Broken::no_second_look ? 5 : 4;
      break;
    case 4:  // the second look
      pc = there ? 6 : 5;
      if (!there && (broken == Broken::asleep_after_second_look ||
                     broken == Broken::drain_after_second_look)) {
        pc = 7;
      }
      break;
    case 5:  // poll: a system call, until there is a packet
      if (state.asleep_waits != 0 || state.packet == 0) return;
      pc = 6;
      break;
    case 7:  // only where one of the two comes too late
      if (broken == Broken::asleep_after_second_look) one.asleep = 1;
      if (broken == Broken::drain_after_second_look) one.packet = 0;
      pc = 5;
      break;
    default:
      if (state.asleep_waits != 0) return;
      one.asleep = 0;
      if (leads) one.leader = 0;
      pc = 0;
  }
  next.push_back(one);
}

Explorer<ToClient>::Verdict to_client(Broken broken) {
  Explorer<ToClient> explorer;
  explorer.steps = [broken](const ToClient& state, std::vector<ToClient>& next) {
    daemon_steps(state, broken, next);
    if (state.asleep_waits != 0) {
      ToClient one = state;
      one.asleep = 1;
      one.asleep_waits = 0;
      next.push_back(one);
    }
    thread_steps(state, 0, broken, next);
    thread_steps(state, 1, broken, next);
  };
  explorer.always = [](const ToClient&) { return true; };
  explorer.at_rest = [](const ToClient& state) {
    return state.wants[0] > kReplies && state.wants[1] > kReplies;
  };
  return explorer.run({});
}

TEST(ProtocolModel, no_wake_up_of_a_client_is_lost) {
  const auto verdict = to_client(Broken::nothing);
  EXPECT_TRUE(verdict.holds);
  EXPECT_GT(verdict.states, 300U);
}

TEST(ProtocolModel, each_step_of_waking_a_client_is_needed) {
  EXPECT_FALSE(to_client(Broken::no_second_look).holds);
  EXPECT_FALSE(to_client(Broken::asleep_after_second_look).holds);
  EXPECT_FALSE(to_client(Broken::look_before_move).holds);
  EXPECT_FALSE(to_client(Broken::weak_move).holds);
  EXPECT_FALSE(to_client(Broken::weak_asleep).holds);
  EXPECT_FALSE(to_client(Broken::drain_after_second_look).holds);
  EXPECT_FALSE(to_client(Broken::two_sleepers).holds);
}

}  // namespace
}  // namespace dfs::wire
