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
#include "daemon/memory_budget.hpp"

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

/// The smallest of the option and four fifths of the cgroup's limit, at any level.
[[nodiscard]] std::uint64_t memory_limit_of(std::uint64_t option);

/// Growing shared memory. Threads: one at a time builds it (main at the start, the compactor for
/// the next one, the writer for the current one); a thread of its own grows ahead; descriptor(),
/// number(), allocated() any.
class Generation final : public index::Space {
 public:
  /// Opens the slot of `generation.number`, which must be free or given back. The memory counts
  /// against `budget`, which outlives it.
  static Result<std::unique_ptr<Generation>> make(index::ControlPage& page,
                                                  const index::NewGeneration& generation,
                                                  MemoryBudget& budget, MemoryBudget::For whom,
                                                  const os::ForkMark& mark);
  ~Generation() override;

  [[nodiscard]] bool ensure(std::uint64_t bytes) override;
  [[nodiscard]] std::uint64_t allocated() const override {
    return allocated_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::byte* base() override { return mapping_->data(); }

  [[nodiscard]] index::IndexWriter& index() { return *index_; }
  [[nodiscard]] const index::IndexWriter& index() const { return *index_; }
  /// It is the current one from now on.
  void become_current() {
    whom_.store(MemoryBudget::For::current, std::memory_order_relaxed);
    budget_.next_is_current();
  }
  /// While open, growing may take what is promised to the next generation: for erasing, which makes
  /// that need less.
  void open_reserve(bool open) {
    whom_.store(open ? MemoryBudget::For::erasing : MemoryBudget::For::current,
                std::memory_order_relaxed);
  }
  /// What the next generation will take for what is live in this one.
  [[nodiscard]] std::uint64_t needed_by_next() const;
  /// Whether a commit that adds `bytes` leaves room for the next generation within the limit (I8).
  [[nodiscard]] bool fits(std::uint64_t bytes) const;
  /// After a batch, or a group of records: grows ahead if less than an extent is left.
  void grow_ahead();
  /// Nothing will be added to it: it begins to grow no more.
  void end_growth();
  /// The same, and growing has ended.
  void freeze();
  /// Takes the pages away, a slice at a time. Requires: its slot says that it was given back, or
  /// nobody ever heard of it.
  void punch();
  [[nodiscard]] const MemoryBudget& budget() const { return budget_; }
  [[nodiscard]] int descriptor() const { return shared_.get(); }
  [[nodiscard]] std::uint64_t number() const { return generation_.number; }
  [[nodiscard]] index::GenerationSlot& slot() const { return slot_; }

 private:
  Generation(index::GenerationSlot& slot, const index::NewGeneration& generation,
             MemoryBudget& budget, MemoryBudget::For whom)
      : generation_(generation), slot_(slot), budget_(budget), whom_(whom) {}
  enum class Growth : std::uint8_t { needed, ahead };
  [[nodiscard]] bool grow_to(std::uint64_t bytes, Growth growth);
  [[nodiscard]] std::uint64_t extent() const;
  void run();

  // Constant after construction.
  const index::NewGeneration generation_;
  index::GenerationSlot& slot_;
  MemoryBudget& budget_;
  std::atomic<MemoryBudget::For> whom_;
  os::Descriptor memory_;
  os::Descriptor shared_;
  std::unique_ptr<os::Mapping> mapping_;
  std::unique_ptr<index::IndexWriter> index_;

  std::atomic<std::uint64_t> allocated_{0};
  std::atomic<std::uint64_t> limit_{0};  // a number that others do not depend on: relaxed
  std::atomic<bool> needed_{false};      // somebody waits for memory: relaxed, it is a hint
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
