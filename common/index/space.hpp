// The memory that a generation lies in, as its writer sees it: it grows at its end and never moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/index/control_page.hpp"

namespace dfs::index {

/// Growing memory. The daemon implements it over a memfd that it grows an extent ahead.
/// Threads: `ensure` and `base` are called by the writer thread only.
class Space {
 public:
  Space() = default;
  Space(const Space&) = delete;
  Space& operator=(const Space&) = delete;
  virtual ~Space() = default;

  /// Makes at least the first `bytes` bytes usable and stores their number (release) as `allocated`
  /// in the generation's slot. False where there is no memory for it: nothing has changed then.
  /// New bytes are zero. Called seldom: the writer remembers what it was given.
  [[nodiscard]] virtual bool ensure(std::uint64_t bytes) = 0;
  /// Bytes usable now.
  [[nodiscard]] virtual std::uint64_t allocated() const = 0;
  /// The first byte; the same for life, aligned to a page.
  [[nodiscard]] virtual std::byte* base() = 0;
};

/// A Space of ordinary memory with a fixed upper bound, for tests and for programs without clients.
class BufferSpace final : public Space {
 public:
  /// `capacity` is reserved at once and touched as it grows, `step_bytes` at a time.
  BufferSpace(GenerationSlot& slot, std::uint64_t capacity, std::uint64_t step_bytes = 1 << 20);

  [[nodiscard]] bool ensure(std::uint64_t bytes) override;
  [[nodiscard]] std::uint64_t allocated() const override { return allocated_; }
  [[nodiscard]] std::byte* base() override { return memory_.get(); }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };

  GenerationSlot& slot_;
  const std::uint64_t capacity_;
  const std::uint64_t step_bytes_;
  std::uint64_t allocated_ = 0;
  std::unique_ptr<std::byte[], Free> memory_;
};

}  // namespace dfs::index
