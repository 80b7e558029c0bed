// A generation as a reader has it: mapped memory, its slot of the control page, and the one
// function through which every offset goes.
//
// Offsets come from memory that may have been given back, so nothing read there is believed before
// it is checked, and nothing found counts before `look` (I6).
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

/// What may be touched, loaded once for a read and again when an offset lies beyond it.
/// Threads: one; made for one read.
class Reach {
 public:
  explicit Reach(const View& view) noexcept : view_(view) { load(); }

  /// The one check: `bytes` bytes at `offset` as a T, or nullptr where that is not a place that the
  /// writer can have named: 0, not aligned (to eight at the least), beyond what is allocated or
  /// mapped.
  template <class T>
  [[nodiscard]] const T* at(std::uint64_t offset, std::uint64_t bytes = sizeof(T)) noexcept {
    constexpr std::uint64_t kOdd = (alignof(T) > 8 ? alignof(T) : 8) - 1;
    if (offset == 0 || (offset & kOdd) != 0) return nullptr;
    if (!covers(offset, bytes)) return nullptr;
    return reinterpret_cast<const T*>(view_.base + offset);
  }

  /// The same for bytes without alignment.
  [[nodiscard]] const char* bytes_at(std::uint64_t offset, std::uint64_t bytes) noexcept {
    if (offset == 0 || !covers(offset, bytes)) return nullptr;
    return reinterpret_cast<const char*>(view_.base + offset);
  }

  [[nodiscard]] const View& view() const noexcept { return view_; }

  /// What a read that met a place it could not go to has come to.
  [[nodiscard]] Outcome refused() const noexcept {
    return look(view_) ? refused_before_look() : Outcome::given_back;
  }
  /// The same where a look follows.
  [[nodiscard]] Outcome refused_before_look() const noexcept {
    return outgrown_ ? Outcome::outgrown : Outcome::broken;
  }

 private:
  /// What may be touched, and whether an offset that may not is beyond the mapping only.
  struct Limit {
    std::uint64_t bytes;
    bool outgrown;
  };
  void load() noexcept {
    // SYNC POINT: allocated. Acquire, so that the bytes were made before they are touched; pairs
    // with the release store in Space::ensure.
    const std::uint64_t allocated = view_.slot->allocated.load(std::memory_order_acquire);
    limit_ = allocated < view_.mapped_bytes ? allocated : view_.mapped_bytes;
  }
  [[nodiscard]] bool within(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    return offset <= limit_ && bytes <= limit_ - offset;
  }
  [[nodiscard]] bool covers(std::uint64_t offset, std::uint64_t bytes) noexcept {
    if (__builtin_expect(within(offset, bytes), 1)) return true;
    const Limit now = limit_now(view_, offset, bytes);
    limit_ = now.bytes;
    outgrown_ = outgrown_ || now.outgrown;
    return within(offset, bytes);
  }
  /// After a failed check: the generation may have grown since. It has no part in this object, so
  /// that a lookup can keep that in registers.
  [[nodiscard]] static Limit limit_now(const View& view, std::uint64_t offset,
                                       std::uint64_t bytes) noexcept;

  const View& view_;
  std::uint64_t limit_ = 0;
  bool outgrown_ = false;
};

}  // namespace dfs::index
