// Walks through every state that the actors of a small model can come to, in every order of steps.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

namespace dfs::wire::test {

/// A state is a plain struct of bytes; its bytes are its key.
template <class State>
struct Explorer {
  /// All states that one step of anybody leads to.
  std::function<void(const State&, std::vector<State>&)> steps;
  /// What must be true always, and once nobody can move any more.
  std::function<bool(const State&)> always = [](const State&) { return true; };
  std::function<bool(const State&)> at_rest;

  struct Verdict {
    bool holds = true;
    std::size_t states = 0;
  };

  Verdict run(const State& start) const {
    static_assert(std::has_unique_object_representations_v<State>);
    const auto key = [](const State& state) {
      return std::string(reinterpret_cast<const char*>(&state), sizeof(state));
    };
    std::unordered_set<std::string> seen{key(start)};
    std::deque<State> queue{start};
    Verdict verdict;
    std::vector<State> next;
    while (!queue.empty()) {
      const State state = queue.front();
      queue.pop_front();
      next.clear();
      steps(state, next);
      if (!always(state) || (next.empty() && !at_rest(state))) verdict.holds = false;
      for (const State& one : next) {
        if (seen.insert(key(one)).second) queue.push_back(one);
      }
    }
    verdict.states = seen.size();
    return verdict;
  }
};

/// A model is a function from a fault, which is in it on purpose, to the verdict: with each of
/// these it must be seen to break.
template <class Model, class Fault>
void expect_each_breaks(Model model, std::initializer_list<Fault> faults) {
  for (const Fault fault : faults) {
    EXPECT_FALSE(model(fault).holds) << "fault " << static_cast<int>(fault);
  }
}

/// Without a fault it holds, and is no smaller than it is known to be.
template <class Model, class Fault>
void expect_holds(Model model, Fault nothing, std::size_t states) {
  const auto verdict = model(nothing);
  EXPECT_TRUE(verdict.holds);
  EXPECT_GT(verdict.states, states);
}

}  // namespace dfs::wire::test
