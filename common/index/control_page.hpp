// The control page: the one page, alive as long as its daemon, through which readers learn what is
// current.
//
// On the way of a write it is the publish step: one release store of a slot's published sequence
// makes a batch visible. The daemon alone writes it; clients map it read-only.
// docs/shared-memory.md has the same layout as tables.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/base/limits.hpp"

namespace dfs::index {

/// 16 bytes that name a store for ever.
using StoreId = std::array<std::uint8_t, 16>;

inline constexpr std::size_t kControlPageBytes = 4096;
inline constexpr std::uint64_t kControlMagic = 0x4C52544E43534644;  // "DFSCNTRL" in memory
/// The control page's layout; it does not change.
inline constexpr std::uint32_t kControlLayout = 1;

/// What a generation's memory is good for.
enum class GenerationState : std::uint8_t {
  free = 0,        ///< No generation in this slot.
  current = 1,     ///< New snapshots are taken here.
  superseded = 2,  ///< Held by older snapshots; its published sequence is frozen.
  given_back = 3,  ///< Its pages go or are gone: what was read there counts for nothing.
};

/// Number and state in one word: read apart, a slot that changes hands in between could pass for
/// the generation that a reader meant.
[[nodiscard]] constexpr std::uint64_t identity_of(std::uint64_t number,
                                                  GenerationState state) noexcept {
  return number << 2 | static_cast<std::uint64_t>(state);
}
[[nodiscard]] constexpr std::uint64_t number_of(std::uint64_t identity) noexcept {
  return identity >> 2;
}
[[nodiscard]] constexpr GenerationState state_of(std::uint64_t identity) noexcept {
  return static_cast<GenerationState>(identity & 3);
}

/// Low 48 bits an offset, high 16 something small: the shape of most words in a generation.
inline constexpr unsigned kOffsetBits = 48;
inline constexpr std::uint64_t kOffsetMask = (std::uint64_t{1} << kOffsetBits) - 1;
[[nodiscard]] constexpr std::uint64_t offset_of(std::uint64_t word) noexcept {
  return word & kOffsetMask;
}
[[nodiscard]] constexpr std::uint64_t rest_of(std::uint64_t word) noexcept {
  return word >> kOffsetBits;
}
[[nodiscard]] constexpr std::uint64_t word_of(std::uint64_t offset, std::uint64_t rest) noexcept {
  return offset | rest << kOffsetBits;
}

/// One generation's entry. Written by the daemon, read by clients.
/// What changes with every batch lies two cache lines from the rest, so that a lookup from a held
/// snapshot does not miss for it (neighbouring lines are fetched in pairs).
struct alignas(256) GenerationSlot {
  std::atomic<std::uint64_t> identity;    ///< number << 2 | GenerationState.
  std::atomic<std::uint64_t> allocated;   ///< Bytes that may be touched; never falls.
  std::atomic<std::uint64_t> directory;   ///< The table's directory: offset, and depth above it.
  std::atomic<std::uint64_t> root;        ///< The tree's root: a child word, 0 while empty.
  std::atomic<std::uint64_t> feed;        ///< Offset of the newest block of feed entries, or 0.
  std::atomic<std::uint64_t> feed_base;   ///< The feed begins behind this sequence.
  std::atomic<std::uint64_t> feed_begin;  ///< Offset where the feed's first record lies, or will.
  std::atomic<std::uint64_t> runs;        ///< Root of the tree of runs, 0 while there is none.
  std::uint64_t reserved0[8];
  std::atomic<std::uint64_t> published;    ///< The last sequence that readers may see.
  std::atomic<std::uint64_t> records_end;  ///< Offset behind the last published record.
  std::uint64_t reserved1[14];
};
static_assert(sizeof(GenerationSlot) == 256);
static_assert(offsetof(GenerationSlot, identity) == 0);
static_assert(offsetof(GenerationSlot, allocated) == 8);
static_assert(offsetof(GenerationSlot, directory) == 16);
static_assert(offsetof(GenerationSlot, root) == 24);
static_assert(offsetof(GenerationSlot, feed) == 32);
static_assert(offsetof(GenerationSlot, feed_base) == 40);
static_assert(offsetof(GenerationSlot, feed_begin) == 48);
static_assert(offsetof(GenerationSlot, runs) == 56);
static_assert(offsetof(GenerationSlot, published) == 128);
static_assert(offsetof(GenerationSlot, records_end) == 136);

/// The page itself. All bytes not named are zero.
struct alignas(kControlPageBytes) ControlPage {
  // Constant after construction.
  std::uint64_t magic;
  std::uint32_t layout;
  std::uint32_t reserved0;
  StoreId store;
  std::uint64_t reserved1[4];

  // Written by the daemon, read by clients with every snapshot; changes seldom, so one line.
  std::atomic<std::uint64_t> current;     ///< Number of the current generation.
  std::atomic<std::uint32_t> death_word;  ///< The writer's thread id; see `alive`.
  std::atomic<std::uint32_t> closed;      ///< 1: the daemon ended cleanly.
  std::uint64_t reserved2[14];

  // Written by the daemon, read by clients that wait for the disk.
  std::atomic<std::uint64_t> durable;  ///< The last sequence known to be on disk.
  std::uint64_t reserved3[15];

  // Written by the daemon, read by clients that have moved a request ring.
  std::atomic<std::uint32_t> writer_asleep;  ///< 1: ring after moving a request ring.
  std::uint32_t reserved4[31];

  std::uint64_t reserved5[200];
  GenerationSlot slots[kGenerationSlots];  ///< Generation n lies in slot n mod 8.
};
static_assert(sizeof(ControlPage) == kControlPageBytes);
static_assert(offsetof(ControlPage, magic) == 0);
static_assert(offsetof(ControlPage, layout) == 8);
static_assert(offsetof(ControlPage, store) == 16);
static_assert(offsetof(ControlPage, current) == 64);
static_assert(offsetof(ControlPage, death_word) == 72);
static_assert(offsetof(ControlPage, closed) == 76);
static_assert(offsetof(ControlPage, durable) == 192);
static_assert(offsetof(ControlPage, writer_asleep) == 320);
static_assert(offsetof(ControlPage, slots) == 2048);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(sizeof(std::atomic<std::uint64_t>) == 8 && sizeof(std::atomic<std::uint32_t>) == 4);

/// The bit that the kernel sets in a robust futex word when its owner dies (FUTEX_OWNER_DIED).
inline constexpr std::uint32_t kOwnerDied = 0x40000000;

/// Whether a death word's owner lives. 0 counts as dead: nobody has registered.
[[nodiscard]] constexpr bool alive(std::uint32_t death_word) noexcept {
  return death_word != 0 && (death_word & kOwnerDied) == 0;
}

/// Makes a zeroed page into a control page without a generation. Main thread, before the page is
/// shared.
void open_control_page(ControlPage& page, const StoreId& store) noexcept;

/// Whether this is a control page of a layout that we read.
[[nodiscard]] bool is_control_page(const ControlPage& page) noexcept;

[[nodiscard]] GenerationSlot& slot_of(ControlPage& page, std::uint64_t number) noexcept;
[[nodiscard]] const GenerationSlot& slot_of(const ControlPage& page, std::uint64_t number) noexcept;

// The switch and giving back, each one step of the protocol that
// tests/index/snapshot_model_test.cpp checks in every interleaving. Writer thread only, or in turn
// with it: slots apart from the current one may be another thread's.

/// Clears the slot of generation `number` and names it there. Requires: the slot is free or given
/// back. No client looks at it before `make_current`.
void open_generation(ControlPage& page, std::uint64_t number) noexcept;
/// New snapshots are taken from generation `number` from here on; the one before is superseded.
/// Requires: `number` holds every commit that its predecessor has published, and is published up to
/// there. Look at the holds of the old one only after this.
void make_current(ControlPage& page, std::uint64_t number) noexcept;
/// Frees the slot of a generation that was opened and never became current. Requires: no other
/// generation has the slot.
void close_unused(ControlPage& page, std::uint64_t number) noexcept;
/// State before pages: after this, and only after it, the memory may go.
void give_back(GenerationSlot& slot) noexcept;

}  // namespace dfs::index
