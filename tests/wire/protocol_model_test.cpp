// Every interleaving of the two protocols that must not lose anything, in small steps: sleep and
// wake in both directions (waiting.hpp), and the request word (request_word.hpp). As designed they
// hold; with any step left out, moved or weakened they are shown to break, so that the model is
// known to see what it is for.
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

// ---------------------------------------------------------------------------------------------
// The request word. Three requests one after the other, all with the same word; a ring with place
// for two; the client may give up each. The daemon looks, takes, gives the space back.

enum class WordFault : Byte {
  nothing,
  space_before_take,
  freed_when_withdrawn,
  take_in_two_steps,
  withdraw_in_two_steps,
  executed_without_taking,
};

constexpr Byte kRequests = 3;

struct Words {
  Byte word = 0;  // number * 4 + state: 0 free, 1 submitted, 2 taken, 3 withdrawn
  Byte pushed = 0;
  Byte given_back = 0;
  Byte client_pc = 0;
  Byte number = 1;
  Byte daemon_pc = 0;
  Byte daemon_number = 0;
  Byte old = 0;         // what the daemon read, in two steps
  Byte client_old = 0;  // what the client read, in two steps
  Byte dropped = 0;     // the daemon found a word that was not this request's
  std::array<Byte, kRequests + 1> executed{};
  std::array<Byte, kRequests + 1> told{};  // 1 timeout: nothing written; 2 answered
};

Byte word_in(Byte number, Byte state) { return static_cast<Byte>(number * 4 + state); }

void client_steps(const Words& state, WordFault fault, std::vector<Words>& next) {
  Words one = state;
  const Byte n = state.number;
  if (n > kRequests) return;
  const bool split = fault == WordFault::withdraw_in_two_steps;
  switch (state.client_pc) {
    case 0:  // submit: the word is free
      if (state.word % 4 != 0) return;
      one.word = word_in(n, 1);
      one.client_pc = 1;
      break;
    case 1:  // push
      if (state.pushed - state.given_back == 2) return;
      one.pushed = n;
      one.client_pc = 2;
      break;
    case 2:  // answered; or give up: compare and exchange
      if (state.executed[n] != 0) {
        Words answered = state;
        answered.told[n] = 2;
        answered.client_pc = 5;
        next.push_back(answered);
      }
      one.client_old = state.word;
      if (!split && state.word == word_in(n, 1)) one.word = word_in(n, 3);
      one.client_pc = 3;
      break;
    case 3:  // withdrawn, or too late
      if (split && state.client_old == word_in(n, 1)) one.word = word_in(n, 3);
      one.client_pc = state.client_old == word_in(n, 1) ? 5 : 4;
      if (one.client_pc == 5) one.told[n] = 1;
      break;
    case 4:  // taken: wait for the answer
      if (state.executed[n] == 0) return;
      one.told[n] = 2;
      one.client_pc = 5;
      break;
    default: {  // free the word: the reply was read, or the space came back
      const bool early = fault == WordFault::freed_when_withdrawn;
      if (state.told[n] == 1 && !early && state.given_back < n) return;
      one.word = word_in(n, 0);
      one.client_old = 0;
      one.number++;
      one.client_pc = 0;
    }
  }
  next.push_back(one);
}

void daemon_steps(const Words& state, WordFault fault, std::vector<Words>& next) {
  Words one = state;
  const Byte n = state.daemon_number;
  const bool split = fault == WordFault::take_in_two_steps;
  switch (state.daemon_pc) {
    case 0:  // look, copy
      if (state.pushed == state.given_back) return;
      one.daemon_number = static_cast<Byte>(state.given_back + 1);
      if (fault == WordFault::space_before_take) one.given_back++;
      one.daemon_pc = 1;
      break;
    case 1:  // compare and exchange
      one.old = state.word;
      if (state.word != word_in(n, 1) && state.word != word_in(n, 3)) one.dropped = 1;
      if (!split && state.word == word_in(n, 1)) one.word = word_in(n, 2);
      one.daemon_pc = 2;
      break;
    case 2:  // execute what was taken, and answer
      if (split && state.old == word_in(n, 1)) one.word = word_in(n, 2);
      if (state.old == word_in(n, 1) || fault == WordFault::executed_without_taking) {
        one.executed[n]++;
      }
      one.old = 0;
      one.daemon_pc = 3;
      break;
    default:  // give back
      if (fault != WordFault::space_before_take) one.given_back++;
      one.daemon_number = 0;
      one.daemon_pc = 0;
  }
  next.push_back(one);
}

Explorer<Words>::Verdict words(WordFault fault) {
  Explorer<Words> explorer;
  explorer.steps = [fault](const Words& state, std::vector<Words>& next) {
    client_steps(state, fault, next);
    daemon_steps(state, fault, next);
  };
  explorer.always = [](const Words& state) {
    for (std::size_t n = 1; n <= kRequests; ++n) {
      if (state.executed[n] > 1 || state.dropped != 0) return false;
      if (state.told[n] == 1 && state.executed[n] != 0) return false;
    }
    return true;
  };
  explorer.at_rest = [](const Words& state) { return state.number > kRequests; };
  return explorer.run({});
}

TEST(ProtocolModel, request_is_withdrawn_and_never_written_or_taken_and_answered) {
  const auto verdict = words(WordFault::nothing);
  EXPECT_TRUE(verdict.holds);
  EXPECT_GT(verdict.states, 100U);
}

TEST(ProtocolModel, each_step_of_taking_and_withdrawing_is_needed) {
  EXPECT_FALSE(words(WordFault::space_before_take).holds);
  EXPECT_FALSE(words(WordFault::freed_when_withdrawn).holds);
  EXPECT_FALSE(words(WordFault::take_in_two_steps).holds);
  EXPECT_FALSE(words(WordFault::withdraw_in_two_steps).holds);
  EXPECT_FALSE(words(WordFault::executed_without_taking).holds);
}

}  // namespace
}  // namespace dfs::wire
