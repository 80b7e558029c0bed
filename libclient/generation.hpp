// A generation as this process has it mapped: what every read goes through.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "common/base/result.hpp"
#include "common/index/view.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/memory.hpp"

namespace dfs::client {

class Connection;

/// One mapping of one generation's memfd, over a reserve of addresses in which readers see it grow.
/// Where the kernel refuses so many addresses, it may be outgrown; then a larger mapping stands
/// beside it, and what was read through this one stays where it is. Threads: any.
class Generation {
 public:
  struct Place {
    Connection& connection;
    bool apart = false;  ///< for one snapshot alone, which unmaps it at its end
  };
  static Result<std::unique_ptr<Generation>> map(std::shared_ptr<const os::Descriptor> memory,
                                                 const index::ControlPage& page,
                                                 std::uint64_t number, Place place,
                                                 const os::ForkMark& mark);
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  [[nodiscard]] std::uint64_t number() const noexcept { return view_.number; }
  [[nodiscard]] Connection& connection() const noexcept { return place_.connection; }
  [[nodiscard]] bool apart() const noexcept { return place_.apart; }
  /// Through the largest mapping there is.
  [[nodiscard]] const index::View& view() const noexcept { return largest().view_; }
  /// What is mapped; mappings of one generation share it.
  [[nodiscard]] const std::shared_ptr<const os::Descriptor>& memory() const noexcept {
    return memory_;
  }
  /// The largest mapping there is.
  [[nodiscard]] const Generation& largest() const noexcept {
    // SYNC POINT: larger_. Acquire: whoever sees the larger one sees what it is made of.
    const Generation* larger = larger_.load(std::memory_order_acquire);
    return larger == nullptr ? *this : larger->largest();
  }
  /// From now on `larger` stands for this one. Requires: it outlives this; under the connection's
  /// lock.
  void outgrow(const Generation& larger) const noexcept {
    // SYNC POINT: larger_, with `largest`.
    larger_.store(&larger, std::memory_order_release);
  }

 private:
  Generation(std::shared_ptr<const os::Descriptor> memory, std::unique_ptr<os::Mapping> mapping,
             index::View view, Place place)
      : memory_(std::move(memory)), mapping_(std::move(mapping)), view_(view), place_(place) {}

  // Constant after construction.
  const std::shared_ptr<const os::Descriptor> memory_;
  const std::unique_ptr<os::Mapping> mapping_;
  const index::View view_;
  const Place place_;

  mutable std::atomic<const Generation*> larger_{nullptr};
};

}  // namespace dfs::client
