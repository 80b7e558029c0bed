// Sleep and wake between daemon and client, without a lost wake-up and without a lock.
//
// The sleeper stores `asleep`, looks at the ring once more, sleeps. The mover stores the ring's
// end, looks at `asleep`, rings. All four are seq_cst, so in their one order either the sleeper's
// second look comes behind the moved end and finds it, or the mover's look comes behind `asleep`
// and rings. With less, both loads may overtake both stores, and everybody sleeps.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace dfs::wire {

// What a client's `asleep` says. Any word but 0 asks to be rung for a reply; who moves another end
// looks whether that is waited for, since a ring for nothing costs two system calls and a switch.
inline constexpr std::uint32_t kAsleep = 1;
/// A client's only: nothing of it waits for room in its request ring.
inline constexpr std::uint32_t kAsleepForReplies = 2;
/// A client's only, of a daemon that knows it (hello.hpp): the same, and it sleeps not at its bell
/// but at this very word, as a futex; who wakes it stores 0 there first.
inline constexpr std::uint32_t kAsleepAtWord = 3;

/// The sleeper's half. `drain` empties the doorbell, and comes before `asleep`: after it, a drain
/// takes away the ring meant for this very sleep. (A doorbell that needs none: an empty function.)
/// `anything` is the second look, with seq_cst loads (`has_more`, `given_back`); `sleep` returns
/// when the doorbell rings, or for reasons of its own. Returns true if it slept. `how`: the word
/// that says so. Requires: one thread at a time at one word; of two sleepers the first to drain
/// takes the ring of the other.
template <class Drain, class Anything, class Sleep>
bool sleep_unless(std::atomic<std::uint32_t>& asleep, Drain&& drain, Anything&& anything,
                  Sleep&& sleep, std::uint32_t how = kAsleep) {
  std::forward<Drain>(drain)();
  // SYNC POINT: the store of `asleep`, against `wake_if_asleep`.
  asleep.store(how, std::memory_order_seq_cst);
  const bool slept = !std::forward<Anything>(anything)();
  if (slept) std::forward<Sleep>(sleep)();
  // Relaxed: whoever still reads 1 rings once too often, and nobody is hurt.
  asleep.store(0, std::memory_order_relaxed);
  return slept;
}

/// The mover's half: after its seq_cst store of a ring's end (push, release, give back). `ring`
/// must not block and may fail when the doorbell is full: then it rings already.
template <class Ring>
void wake_if_asleep(const std::atomic<std::uint32_t>& asleep, Ring&& ring) {
  // SYNC POINT: the look at `asleep`, against `sleep_unless`.
  if (asleep.load(std::memory_order_seq_cst) != 0) std::forward<Ring>(ring)();
}

/// The same for a mover of `request_head`, which a client that sleeps for replies does not want.
template <class Ring>
void wake_if_asleep_for_room(const std::atomic<std::uint32_t>& asleep, Ring&& ring) {
  // SYNC POINT: the look at `asleep`, against `sleep_unless` and `wants_room`.
  if (asleep.load(std::memory_order_seq_cst) == kAsleep) std::forward<Ring>(ring)();
}

/// For a thread that begins to wait for room while another of the same client may sleep: between
/// its note that it waits, which whoever sleeps next finds, and its look at the room.
inline void wants_room(std::atomic<std::uint32_t>& asleep) noexcept {
  std::uint32_t expected = kAsleepForReplies;
  // seq_cst: before the look at `request_head`, as the store in `sleep_unless`.
  asleep.compare_exchange_strong(expected, kAsleep, std::memory_order_seq_cst);
}

/// Ends a sleep at the word, if there is one. `wake` wakes a futex. True where it did.
template <class Wake>
bool rouse(std::atomic<std::uint32_t>& asleep, Wake&& wake) {
  std::uint32_t expected = kAsleepAtWord;
  // The exchange: a sleeper that has not got to its sleep finds the word changed, and of several
  // wakers one wakes. SYNC POINT: the look at `asleep`, against `sleep_unless`.
  if (asleep.load(std::memory_order_seq_cst) != kAsleepAtWord) return false;
  if (!asleep.compare_exchange_strong(expected, 0, std::memory_order_seq_cst)) return false;
  std::forward<Wake>(wake)();
  return true;
}

}  // namespace dfs::wire
