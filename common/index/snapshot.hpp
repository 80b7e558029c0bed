// Taking a snapshot: how a reader comes to hold (generation, sequence) without a lock or a system
// call (I2, I11).
//
// The steps and their order are those that tests/index/snapshot_model_test.cpp checks in every
// interleaving; each one left out or moved breaks there.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "common/index/control_page.hpp"

namespace dfs::index {

/// A client's counts of holds, one for each slot, in its own page.
using Holds = std::span<std::atomic<std::uint64_t>, kGenerationSlots>;

/// A hold on a generation, and the last sequence that was published there.
struct Taken {
  std::uint64_t generation;
  std::uint64_t sequence;
  const GenerationSlot* slot;
};

/// Whether a daemon serves the page: its death word says that it lives, and it has not closed. Ask
/// before `take`, once: what is taken then holds every commit acknowledged before the question.
[[nodiscard]] bool served(const ControlPage& page) noexcept;

/// Holds the current generation. Any thread; the counts may be shared by all threads of a client.
[[nodiscard]] Taken take(const ControlPage& page, Holds holds) noexcept;

/// One more hold for a copy of a snapshot whose original is held.
void hold_again(Holds holds, std::uint64_t generation) noexcept;

/// Gives one hold of `generation` back. What was read under it may go from here on.
void release(Holds holds, std::uint64_t generation) noexcept;

}  // namespace dfs::index
