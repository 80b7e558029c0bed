#include "common/index/snapshot.hpp"

namespace dfs::index {

bool served(const ControlPage& page) noexcept {
  // SYNC POINT: closed, death. Acquire: both before what `take` loads. The kernel marks the death
  // word, and a daemon stores `closed`, before the file lock is free for a successor; so while both
  // are clear nobody else has acknowledged anything (I2).
  return alive(page.death_word.load(std::memory_order_acquire)) &&
         page.closed.load(std::memory_order_acquire) == 0;
}

Taken take(const ControlPage& page, Holds holds) noexcept {
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

void hold_again(Holds holds, std::uint64_t generation) noexcept {
  // Relaxed: the original's hold keeps the generation until this one counts.
  holds[generation % kGenerationSlots].fetch_add(1, std::memory_order_relaxed);
}

void release(Holds holds, std::uint64_t generation) noexcept {
  // Release: the reads under the hold come before its end; pairs with the daemon's look at holds.
  holds[generation % kGenerationSlots].fetch_sub(1, std::memory_order_release);
}

}  // namespace dfs::index
