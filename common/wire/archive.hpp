// Our archives for cereal: over a span, bounded, without streams and without exceptions.
//
// They know numbers, enumerations and views of bytes, and nothing that allocates: whoever reads a
// list checks its count with `count` first, against a limit and against the bytes that are left, so
// that no hostile number reserves memory. No smart pointers, no polymorphism. A failure is a sticky
// flag, looked at once at the end. Numbers are little-endian, as they lie in memory.
#pragma once

#include <bit>
#include <cereal/cereal.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "common/wire/buffer.hpp"

namespace dfs::wire {

static_assert(std::endian::native == std::endian::little, "messages are little-endian");

/// Not bool: a byte from outside that is neither 0 nor 1 must not become one.
template <class T>
concept Number = std::is_integral_v<T> && !std::is_same_v<T, bool>;

/// Writes into memory of its own that grows up to a limit, or into a given span. After a failure it
/// writes nothing more. One object serves any number of messages. Threads: one at a time.
class OutputArchive final
    : public cereal::OutputArchive<OutputArchive, cereal::AllowEmptyClassElision> {
 public:
  /// Grows; `limit` in bytes.
  explicit OutputArchive(std::size_t limit);
  /// Requires: `memory` outlives this.
  explicit OutputArchive(std::span<std::byte> memory);

  /// Forgets everything written and a failure, keeps the memory.
  void restart() noexcept;
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// What was written; valid until the next write or restart.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {begin_, static_cast<std::size_t>(at_ - begin_)};
  }

  void put(const void* bytes, std::size_t size) noexcept {
    if (static_cast<std::size_t>(end_ - at_) < size && !grow(size)) return;
    if (size != 0) std::memcpy(at_, bytes, size);
    at_ += size;
  }
  /// Several numbers under one look at the room that is left: a third of the cost (measured).
  template <Number... T>
  void put_all(const T&... numbers) noexcept {
    constexpr std::size_t kBytes = (sizeof(T) + ...);
    if (static_cast<std::size_t>(end_ - at_) < kBytes && !grow(kBytes)) return;
    std::byte* at = at_;
    ((std::memcpy(at, &numbers, sizeof(T)), at += sizeof(T)), ...);
    at_ = at;
  }
  /// The bytes alone; their length stands elsewhere.
  void put(std::string_view bytes) noexcept { put(bytes.data(), bytes.size()); }

 private:
  [[nodiscard]] bool grow(std::size_t size) noexcept;

  Buffer buffer_;
  std::size_t limit_;
  bool own_memory_;
  bool failed_ = false;
  std::byte* begin_;
  std::byte* at_;
  std::byte* end_;
};

/// Reads over a span. After a failure every number is 0 and every view empty. Views point into the
/// span. Threads: one at a time.
class InputArchive final
    : public cereal::InputArchive<InputArchive, cereal::AllowEmptyClassElision> {
 public:
  InputArchive();
  explicit InputArchive(std::span<const std::byte> bytes);

  /// From the beginning of other bytes; forgets a failure.
  void restart(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// The message does not hold what it should; callers may find so too.
  void fail() noexcept {
    failed_ = true;
    at_ = end_;
  }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  /// How far it has read; where it failed, its end.
  [[nodiscard]] std::size_t position() const noexcept {
    return static_cast<std::size_t>(at_ - begin_);
  }

  /// Several numbers under one look at what is left; all or none.
  template <Number... T>
  void get_all(T&... numbers) noexcept {
    if (left() < (sizeof(T) + ...)) {
      fail();
      ((numbers = 0), ...);
      return;
    }
    const std::byte* at = at_;
    ((std::memcpy(&numbers, at, sizeof(T)), at += sizeof(T)), ...);
    at_ = at;
  }
  /// The next `size` bytes, in place.
  [[nodiscard]] std::string_view view(std::size_t size) noexcept {
    if (left() < size) {
      fail();
      return {};
    }
    const std::string_view bytes(reinterpret_cast<const char*>(at_), size);
    at_ += size;
    return bytes;
  }
  /// True if a list of `count` may follow: no more than `limit`, and each of its members of at
  /// least `member_bytes` has place in what is left. Fails otherwise. Requires: member_bytes > 0.
  [[nodiscard]] bool may_hold(std::size_t count, std::size_t limit,
                              std::size_t member_bytes) noexcept {
    if (count <= limit && count <= left() / member_bytes) return true;
    fail();
    return false;
  }

 private:
  bool failed_ = false;
  const std::byte* begin_ = nullptr;
  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
};

// What cereal looks for.
template <Number T>
void CEREAL_SAVE_FUNCTION_NAME(OutputArchive& archive, const T& number) {
  archive.put_all(number);
}
template <Number T>
void CEREAL_LOAD_FUNCTION_NAME(InputArchive& archive, T& number) {
  archive.get_all(number);
}

}  // namespace dfs::wire

CEREAL_SETUP_ARCHIVE_TRAITS(dfs::wire::InputArchive, dfs::wire::OutputArchive)
