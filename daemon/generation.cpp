#include "daemon/generation.hpp"

#include <algorithm>

#include "common/os/process.hpp"
#include "daemon/faults.hpp"

namespace dfs::daemon {

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kLeastExtent = std::uint64_t{1} << 20;
constexpr std::uint64_t kLargestExtent = std::uint64_t{16} << 20;
// An extent is added in steps, so that a writer that runs into the end waits for a step alone: some
// milliseconds, where memory has to be had from the host.
constexpr std::uint64_t kStep = os::kHugePageBytes;
// From here on memory grows by whole huge pages.
constexpr std::uint64_t kHugeFrom = 4 * os::kHugePageBytes;
// Addresses, not memory: no store outgrows them, and no mapping ever moves.
constexpr std::uint64_t kReservedAddresses = std::uint64_t{64} << 30;
// Kept out of what MemAvailable offers, for everybody else on the machine: for memfds the kernel
// kills, it does not refuse.
constexpr std::uint64_t kLeftToOthers = std::uint64_t{64} << 20;

// Pages are taken away so many bytes at a time: each call holds locks of the kernel.
constexpr std::uint64_t kSlice = std::uint64_t{16} << 20;

constexpr std::uint64_t round_up(std::uint64_t bytes, std::uint64_t to) {
  return (bytes + to - 1) / to * to;
}

}  // namespace

Result<std::unique_ptr<ControlMemory>> ControlMemory::make(const index::StoreId& store,
                                                           const os::ForkMark& mark) {
  auto made = std::unique_ptr<ControlMemory>(new ControlMemory());
  auto memory = os::make_memory("dfs-control", index::kControlPageBytes);
  if (!memory) return std::move(memory).error();
  if (auto sealed = os::seal_memory(memory->get(), true); !sealed) return std::move(sealed).error();
  auto shared = os::reopen_read_only(memory->get());
  if (!shared) return std::move(shared).error();
  auto mapping =
      os::Mapping::map(memory->get(), {index::kControlPageBytes, os::Mapping::Access::write}, mark);
  if (!mapping) return std::move(mapping).error();
  made->memory_ = std::move(*memory);
  made->shared_ = std::move(*shared);
  made->mapping_ = std::move(*mapping);
  index::open_control_page(made->page(), store);
  return made;
}

std::uint64_t memory_limit_of(std::uint64_t option) {
  const std::uint64_t cgroup = os::memory_bounds().cgroup_limit;
  return cgroup == 0 ? option : std::min(option, cgroup / 5 * 4);
}

Result<std::unique_ptr<Generation>> Generation::make(index::ControlPage& page,
                                                     const index::NewGeneration& generation,
                                                     MemoryBudget& budget, MemoryBudget::For whom,
                                                     const os::ForkMark& mark) {
  index::open_generation(page, generation.number);
  auto made = std::unique_ptr<Generation>(
      new Generation(index::slot_of(page, generation.number), generation, budget, whom));
  auto memory = os::make_memory("dfs-generation", 0);
  if (!memory) return std::move(memory).error();
  if (auto sealed = os::seal_memory(memory->get(), false); !sealed)
    return std::move(sealed).error();
  auto shared = os::reopen_read_only(memory->get());
  if (!shared) return std::move(shared).error();
  auto mapping =
      os::Mapping::map(memory->get(), {kReservedAddresses, os::Mapping::Access::write}, mark);
  if (!mapping) {
    // A limit on addresses (RLIMIT_AS): what the memory limit can ever need.
    mapping = os::Mapping::map(memory->get(), {budget.limit(), os::Mapping::Access::write}, mark);
  }
  if (!mapping) return std::move(mapping).error();
  made->memory_ = std::move(*memory);
  made->shared_ = std::move(*shared);
  made->mapping_ = std::move(*mapping);
  if (!made->ensure(index::IndexWriter::kFirstBytes)) {
    return Error(errc::store_full, "no memory for an empty index (" +
                                       std::to_string(index::IndexWriter::kFirstBytes >> 10U) +
                                       " KiB); raise --memory-limit")
        .with_limit(budget.limit());
  }
  made->index_ = std::make_unique<index::IndexWriter>(*made, made->slot_, generation);
  made->grower_ = std::thread([raw = made.get()] { raw->run(); });
  return made;
}

Generation::~Generation() {
  freeze();
  budget_.give_back(allocated(), whom_.load(std::memory_order_relaxed));
}

void Generation::end_growth() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wanted_changed_.notify_one();
}

void Generation::freeze() {
  end_growth();
  if (grower_.joinable()) grower_.join();
}

void Generation::punch() {
  // Readers that still map it have their state word; the pages themselves go now (I6).
  for (std::uint64_t at = 0; at < allocated(); at += kSlice) {
    const std::uint64_t bytes = std::min(kSlice, allocated() - at);
    static_cast<void>(
        os::punch_memory(memory_.get(), at, bytes));  // else they go with the last map
  }
  pass(StopPoint::punched);
}

std::uint64_t Generation::extent() const {
  const std::uint64_t here = allocated();
  const std::uint64_t wanted = std::clamp(here / 16, kLeastExtent, kLargestExtent);
  return here < kHugeFrom ? round_up(wanted, kPage) : round_up(wanted, os::kHugePageBytes);
}

bool Generation::ensure(std::uint64_t bytes) {
  if (bytes <= allocated()) return true;
  needed_.store(true, std::memory_order_relaxed);
  const bool grown =
      grow_to(bytes + std::min(extent(), kStep), Growth::ahead) || grow_to(bytes, Growth::needed);
  needed_.store(false, std::memory_order_relaxed);
  return grown;
}

bool Generation::grow_to(std::uint64_t bytes, Growth growth) {
  bytes =
      round_up(bytes, growth == Growth::ahead && bytes >= kHugeFrom ? os::kHugePageBytes : kPage);
  const std::lock_guard lock(growth_mutex_);
  const std::uint64_t from = allocated();
  if (bytes <= from) return true;
  MemoryBudget::For whom = whom_.load(std::memory_order_relaxed);
  if (growth == Growth::ahead && whom == MemoryBudget::For::next) whom = MemoryBudget::For::ahead;
  if (bytes > mapping_->size() || !budget_.take(bytes - from, whom)) return false;
  const std::uint64_t available = os::memory_bounds().available;
  const bool there = available == 0 || bytes - from + kLeftToOthers <= available;
  if (!there || !mapping_->grow(memory_.get(), from, bytes)) {
    budget_.give_back(bytes - from, whom);
    return false;
  }
  mapping_->populate(from, bytes - from);
  allocated_.store(bytes, std::memory_order_release);
  // SYNC POINT: allocated. Release, after the memory is there; pairs with the acquire load in
  // index::Reach.
  slot_.allocated.store(bytes, std::memory_order_release);
  return true;
}

std::uint64_t Generation::needed_by_next() const {
  // A little more, since tables and nodes grow in steps; where extents do not fit, it grows by what
  // it needs.
  const std::uint64_t live = index_->live_bytes();
  return live + live / 16;
}

bool Generation::fits(std::uint64_t bytes) const {
  const std::uint64_t here = allocated();
  const std::uint64_t grown = std::max(here, index_->used() + bytes);
  const std::uint64_t others = budget_.allocated() - std::min(here, budget_.allocated());
  // Once more: what is added goes into the next one too.
  return others + grown + budget_.promised() + bytes <= budget_.limit();
}

void Generation::grow_ahead() {
  if (allocated() - index_->used() >= extent()) return;
  {
    const std::lock_guard lock(mutex_);
    wanted_ = allocated() + extent();
  }
  wanted_changed_.notify_one();
}

void Generation::run() {
  os::name_thread("dfs-grow");
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (wanted_ <= allocated()) {
      wanted_changed_.wait(lock);
      continue;
    }
    const std::uint64_t next = std::min(wanted_, allocated() + kStep);
    lock.unlock();
    const bool grown = !needed_.load(std::memory_order_relaxed) && grow_to(next, Growth::ahead);
    lock.lock();
    // Refused: the writer finds out when it needs it. Needed: whoever needs it grows, and asks
    // again.
    if (!grown) wanted_ = 0;
  }
}

}  // namespace dfs::daemon
