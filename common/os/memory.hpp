// Shared memory: memfds that the daemon makes and seals, and mappings of them.
//
// A client gets descriptors over the socket, so nothing has a name that could be squatted on or
// leak. Mappings are Boost.Interprocess' mapped_region; they are not inherited by a child and not
// written to core dumps.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "common/base/result.hpp"
#include "common/os/descriptor.hpp"

namespace dfs::os {

/// A new memfd of `bytes` zero bytes, allocated, mode 0400 so that nobody can reopen it for writing
/// through /proc.
Result<Descriptor> make_memory(const char* name, std::uint64_t bytes);
/// What a huge page holds; memory that grows in such steps can have them.
inline constexpr std::uint64_t kHugePageBytes = std::uint64_t{2} << 20;
/// Allocates up to `bytes` (never shrinks). The kernel's refusal comes back; nothing faults later.
Result<void> grow_memory(int fd, std::uint64_t from, std::uint64_t bytes);
/// No more shrinking; with `fixed`, no growing either and no further seals.
Result<void> seal_memory(int fd, bool fixed);
/// Gives the pages of [from, from + bytes) back; they read as zeros afterwards.
Result<void> punch_memory(int fd, std::uint64_t from, std::uint64_t bytes);
/// A descriptor of the same memory that only reads, to be handed out.
Result<Descriptor> reopen_read_only(int fd);
/// Bytes of the file behind the descriptor.
Result<std::uint64_t> memory_size(int fd);

/// Tells a child of fork(2) from the process that made this: one load, no system call.
/// Threads: any.
class ForkMark {
 public:
  ForkMark();
  ~ForkMark();
  ForkMark(const ForkMark&) = delete;
  ForkMark& operator=(const ForkMark&) = delete;
  [[nodiscard]] bool in_child() const noexcept {
    return page_->load(std::memory_order_relaxed) == 0;
  }

 private:
  // Constant after construction. A page that the kernel wipes in a child (MADV_WIPEONFORK).
  std::atomic<std::uint32_t>* page_;
};

/// One mapping of a descriptor's memory, for its own lifetime.
/// In a child of fork it is not there (MADV_DONTFORK), and its destructor leaves the addresses
/// alone: the child may have put something else there since.
class Mapping {
 public:
  enum class Access { read, write };
  struct Extent {
    std::uint64_t bytes = 0;  ///< addresses to reserve; may be more than the file has now
    Access access = Access::read;
  };
  /// `mark` tells the destructor whether it runs in a child; it lives at least as long.
  static Result<std::unique_ptr<Mapping>> map(int fd, Extent extent, const ForkMark& mark);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// `grow_memory` of the mapped file, in huge pages wherever a whole one fits and the kernel
  /// grants it: of a large table most of a miss in the cache is the walk to its page. What cannot
  /// be huge is of small pages.
  Result<void> grow(int fd, std::uint64_t from, std::uint64_t bytes) const;
  /// Faults the pages of [from, from + bytes) in for writing, so that no commit waits for it. Best
  /// effort.
  void populate(std::uint64_t from, std::uint64_t bytes) const noexcept;

 private:
  struct Region;
  Mapping(std::unique_ptr<Region> region, const ForkMark& mark);

  // Constant after construction.
  std::unique_ptr<Region> region_;
  const ForkMark& mark_;
  std::byte* data_;
  std::uint64_t size_;
};

}  // namespace dfs::os
