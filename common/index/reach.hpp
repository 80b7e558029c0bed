// The one check through which every offset into a generation goes.
//
// Offsets come from memory that may have been given back, so nothing read there is believed before
// it is checked (I6).
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/index/view.hpp"

namespace dfs::index {

/// What may be touched, as it was when this was made. Threads: any.
class NearReach {
 public:
  explicit NearReach(const View& view) noexcept : view_(&view) {
    // SYNC POINT: allocated. Acquire, so that the bytes were made before they are touched; pairs
    // with the release store in Space::ensure.
    const std::uint64_t allocated = view.slot->allocated.load(std::memory_order_acquire);
    limit_ = allocated < view.mapped_bytes ? allocated : view.mapped_bytes;
  }

  /// `bytes` bytes at `offset` as a T, or nullptr where that is not a place that the writer can
  /// have named: 0, not aligned (to eight at the least), beyond what is allocated or mapped.
  template <class T>
  [[nodiscard]] const T* at(std::uint64_t offset, std::uint64_t bytes = sizeof(T)) const noexcept {
    constexpr std::uint64_t kOdd = (alignof(T) > 8 ? alignof(T) : 8) - 1;
    if (offset == 0 || (offset & kOdd) != 0 || !within(offset, bytes)) return nullptr;
    return reinterpret_cast<const T*>(view_->base + offset);
  }

  /// The same for bytes without alignment.
  [[nodiscard]] const char* bytes_at(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    if (offset == 0 || !within(offset, bytes)) return nullptr;
    return reinterpret_cast<const char*>(view_->base + offset);
  }

  [[nodiscard]] const View& view() const noexcept { return *view_; }

 private:
  [[nodiscard]] bool within(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    // One comparison where the compiler knows that both are small, as nearly always.
    const std::uint64_t end = offset + bytes;
    return end >= offset && __builtin_expect(end <= limit_, 1);
  }

  const View* view_;
  std::uint64_t limit_;
};

/// The same, but what may be touched is loaded again when an offset lies beyond it.
/// Threads: one; made for one read.
class Reach {
 public:
  explicit Reach(const View& view) noexcept : near_(view) {}

  /// As NearReach::at.
  template <class T>
  [[nodiscard]] const T* at(std::uint64_t offset, std::uint64_t bytes = sizeof(T)) noexcept {
    const T* place = near_.at<T>(offset, bytes);
    if (__builtin_expect(place != nullptr, 1)) return place;
    load_for(offset, bytes);
    return near_.at<T>(offset, bytes);
  }

  /// As NearReach::bytes_at.
  [[nodiscard]] const char* bytes_at(std::uint64_t offset, std::uint64_t bytes) noexcept {
    const char* place = near_.bytes_at(offset, bytes);
    if (__builtin_expect(place != nullptr, 1)) return place;
    load_for(offset, bytes);
    return near_.bytes_at(offset, bytes);
  }

  [[nodiscard]] const View& view() const noexcept { return near_.view(); }

  /// What a read that met a place it could not go to has come to.
  [[nodiscard]] Outcome refused() const noexcept {
    return look(view()) ? refused_before_look() : Outcome::given_back;
  }
  /// The same where a look follows.
  [[nodiscard]] Outcome refused_before_look() const noexcept {
    return outgrown_ ? Outcome::outgrown : Outcome::broken;
  }

 private:
  void load_for(std::uint64_t offset, std::uint64_t bytes) noexcept {
    near_ = NearReach(view());
    outgrown_ = outgrown_ || is_outgrown(view(), offset, bytes);
  }
  /// Whether the writer has made what lies there, and this mapping is too small for it. It has no
  /// part in this object, so that a read can keep that in registers.
  [[nodiscard]] static bool is_outgrown(const View& view, std::uint64_t offset,
                                        std::uint64_t bytes) noexcept;

  NearReach near_;
  bool outgrown_ = false;
};

}  // namespace dfs::index
