// A generation as the daemon has it: its memfd, which grows an extent ahead of the writer, and its
// index.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "common/index/control_page.hpp"
#include "common/index/space.hpp"
#include "common/index/writer.hpp"
#include "common/os/memory.hpp"

namespace dfs::daemon {

/// The control page and the memfd it lies in.
class ControlMemory {
 public:
  static Result<std::unique_ptr<ControlMemory>> make(const index::StoreId& store,
                                                     const os::ForkMark& mark);
  [[nodiscard]] index::ControlPage& page() const {
    return *reinterpret_cast<index::ControlPage*>(mapping_->data());
  }
  /// Read-only, to be handed out.
  [[nodiscard]] int descriptor() const { return shared_.get(); }

 private:
  ControlMemory() = default;
  os::Descriptor memory_;
  os::Descriptor shared_;
  std::unique_ptr<os::Mapping> mapping_;
};

/// Growing shared memory. Threads: ensure() and used() by the writer (before it starts, by main); a
/// thread of its own grows ahead; descriptor() any.
class Generation final : public index::Space {
 public:
  struct Settings {
    index::NewGeneration generation;
    std::uint64_t memory_limit = 0;
  };
  static Result<std::unique_ptr<Generation>> make(index::ControlPage& page,
                                                  const Settings& settings,
                                                  const os::ForkMark& mark);
  ~Generation() override;

  [[nodiscard]] bool ensure(std::uint64_t bytes) override;
  [[nodiscard]] std::uint64_t allocated() const override {
    return allocated_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::byte* base() override { return mapping_->data(); }

  [[nodiscard]] index::IndexWriter& index() { return *index_; }
  /// Whether a commit that adds `bytes` leaves room for the next generation within the limit.
  [[nodiscard]] bool fits(std::uint64_t bytes) const;
  [[nodiscard]] std::uint64_t memory_limit() const {
    return limit_.load(std::memory_order_relaxed);
  }
  /// From now on; any thread. What is allocated stays.
  void set_memory_limit(std::uint64_t bytes);
  /// After a batch: grows ahead if less than an extent is left.
  void grow_ahead();
  [[nodiscard]] int descriptor() const { return shared_.get(); }
  [[nodiscard]] std::uint64_t number() const { return settings_.generation.number; }

 private:
  Generation(index::GenerationSlot& slot, const Settings& settings)
      : settings_(settings), slot_(slot) {}
  [[nodiscard]] bool grow_to(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t extent() const;
  void run();

  // Constant after construction.
  const Settings settings_;
  index::GenerationSlot& slot_;
  os::Descriptor memory_;
  os::Descriptor shared_;
  std::unique_ptr<os::Mapping> mapping_;
  std::unique_ptr<index::IndexWriter> index_;

  std::atomic<std::uint64_t> allocated_{0};
  std::atomic<std::uint64_t> limit_{0};  // a number that others do not depend on: relaxed
  // Guarded by growth_mutex_: who grows.
  std::mutex growth_mutex_;
  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable wanted_changed_;
  std::uint64_t wanted_ = 0;
  bool ending_ = false;
  std::thread grower_;
};

}  // namespace dfs::daemon
