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
[[nodiscard]] inline bool served(const ControlPage& page) noexcept {
  // SYNC POINT: closed, death. Acquire: both before what `take` loads. The kernel marks the death
  // word, and a daemon stores `closed`, before the file lock is free for a successor; so while both
  // are clear nobody else has acknowledged anything (I2).
  return alive(page.death_word.load(std::memory_order_acquire)) &&
         page.closed.load(std::memory_order_acquire) == 0;
}

/// Gives one hold of `generation` back. What was read under it may go from here on.
inline void release(Holds holds, std::uint64_t generation) noexcept {
  // Release: the reads under the hold come before its end; pairs with the daemon's look at holds.
  holds[generation % kGenerationSlots].fetch_sub(1, std::memory_order_release);
}

/// Holds the current generation. Any thread; the counts may be shared by all threads of a client.
[[nodiscard]] inline Taken take(const ControlPage& page, Holds holds) noexcept {
  while (true) {
    // Acquire: the slot was filled in before its number became current.
    const std::uint64_t number = page.current.load(std::memory_order_acquire);
    std::atomic<std::uint64_t>& hold = holds[number % kGenerationSlots];
    // SYNC POINT: switch. seq_cst, before the second look below; see make_current.
    hold.fetch_add(1, std::memory_order_seq_cst);
    const GenerationSlot& slot = slot_of(page, number);
    // SYNC POINT: publish. Acquire: records, nodes and words up to this sequence are seen; pairs
    // with the release store in IndexWriter::publish.
    const std::uint64_t sequence = slot.published.load(std::memory_order_acquire);
    // seq_cst: after the hold. Still current: whoever gives the generation back sees the hold. And
    // only after `published`: a sequence loaded after a switch would be a frozen, older one (I2).
    if (page.current.load(std::memory_order_seq_cst) == number) return {number, sequence, &slot};
    release(holds, number);
  }
}

/// One more hold for a copy of a snapshot whose original is held.
inline void hold_again(Holds holds, std::uint64_t generation) noexcept {
  // Relaxed: the original's hold keeps the generation until this one counts.
  holds[generation % kGenerationSlots].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace dfs::index
