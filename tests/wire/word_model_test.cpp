// Every interleaving of the request word (request_word.hpp): three requests one after the other,
// all with the same word; a ring with place for two; the client may give up each. The daemon looks,
// takes, gives the space back. With a step moved or taken apart, a request is written that its
// caller was told was not.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/wire/explorer.hpp"

namespace dfs::wire {
namespace {

using Byte = std::uint8_t;

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

test::Explorer<Words>::Verdict words(WordFault fault) {
  test::Explorer<Words> explorer;
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

TEST(WordModel, request_is_withdrawn_and_never_written_or_taken_and_answered) {
  test::expect_holds(words, WordFault::nothing, 100);
}

TEST(WordModel, each_step_of_taking_and_withdrawing_is_needed) {
  test::expect_each_breaks(words, {WordFault::space_before_take, WordFault::freed_when_withdrawn,
                                   WordFault::take_in_two_steps, WordFault::withdraw_in_two_steps,
                                   WordFault::executed_without_taking});
}

}  // namespace
}  // namespace dfs::wire
