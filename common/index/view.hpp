// A generation as a reader has it: mapped memory, and its slot of the control page.
//
// Nothing found there counts before `look`, since the memory may have been given back (I6). Every
// offset goes through reach.hpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/base/result.hpp"
#include "common/index/control_page.hpp"

namespace dfs::index {

inline constexpr std::uint64_t kGenerationMagic = 0x5845444E49534644;  // "DFSINDEX" in memory
/// The layout of everything in a generation.
inline constexpr std::uint32_t kGenerationLayout = 2;

/// The first bytes of a generation. Constant after construction.
struct GenerationHeader {
  std::uint64_t magic;
  std::uint32_t layout;
  std::uint32_t reserved;
  std::uint64_t number;
  std::uint64_t seed;  ///< Of the table's hash.
  StoreId store;
  std::uint64_t reserved1[2];
};
static_assert(sizeof(GenerationHeader) == 64);
static_assert(offsetof(GenerationHeader, magic) == 0);
static_assert(offsetof(GenerationHeader, layout) == 8);
static_assert(offsetof(GenerationHeader, number) == 16);
static_assert(offsetof(GenerationHeader, seed) == 24);
static_assert(offsetof(GenerationHeader, store) == 32);

/// A mapped generation. Plain data; valid while mapping and control page are. Any threads.
struct View {
  const std::byte* base = nullptr;
  std::uint64_t mapped_bytes = 0;  ///< May be more than is allocated; never touched beyond that.
  const GenerationSlot* slot = nullptr;
  std::uint64_t number = 0;
  std::uint64_t seed = 0;
};

/// A View of generation `number` after its header was checked; errc::incompatible where that is of
/// another layout, store or number; snapshot_too_old where the generation was given back.
[[nodiscard]] Result<View> open_view(const std::byte* base, std::uint64_t mapped_bytes,
                                     const ControlPage& page, std::uint64_t number);

/// What a read came to.
enum class Outcome : std::uint8_t {
  found,         ///< The record is there.
  absent,        ///< The snapshot has no such record.
  given_back,    ///< The generation is gone: `snapshot_too_old`, whatever was read.
  outgrown,      ///< It lies beyond the mapping: map what is allocated now, ask again.
  out_of_steps,  ///< A cursor's limit of steps was reached.
  broken,        ///< The generation stands, and what is in it cannot be: our bug, or bad memory.
};

/// Every read ends with this look: true while the generation that the view means still stands, so
/// that what was read before counts.
/// SYNC POINT: state before pages. Ends what `give_back` begins: whoever read a page that was
/// already gone sees the state that was stored before it went.
[[nodiscard]] inline bool look(const View& view) noexcept {
#if defined(__SANITIZE_THREAD__)
  // ThreadSanitizer does not see fences; its load stands for fence and load.
  const std::uint64_t identity = view.slot->identity.load(std::memory_order_acquire);
#else
  // Acquire fence: the loads of the read above stay before the load below.
  std::atomic_thread_fence(std::memory_order_acquire);
  // Relaxed: the fence orders it, and nothing that it guards is read after it.
  const std::uint64_t identity = view.slot->identity.load(std::memory_order_relaxed);
#endif
  // One of two numbers that follow each other.
  static_assert(identity_of(0, GenerationState::current) + 1 ==
                identity_of(0, GenerationState::superseded));
  return identity - identity_of(view.number, GenerationState::current) <= 1;
}

/// Begins to load the two cache lines at an offset, which needs no check: nothing is touched.
/// Always inlined: the call of a function that does no more than that has no effect in GCC's eyes,
/// and is dropped.
[[gnu::always_inline]] inline void prefetch(const View& view, std::uint64_t offset) noexcept {
  // Sums of integers, since an address beyond the mapping is no pointer to do sums with.
  const std::uintptr_t at = reinterpret_cast<std::uintptr_t>(view.base) + offset;
  __builtin_prefetch(reinterpret_cast<const void*>(at));       // NOLINT(performance-no-int-to-ptr)
  __builtin_prefetch(reinterpret_cast<const void*>(at + 64));  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace dfs::index
