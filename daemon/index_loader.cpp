#include "daemon/index_loader.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "common/os/process.hpp"

namespace dfs::daemon {

namespace {

// Large enough that handing a batch over costs nothing beside it.
constexpr std::size_t kBatchRecords = 1024;
// How far the reading of lines may run ahead.
constexpr std::size_t kMostQueued = 8;
constexpr std::size_t kReservedRecords = 64;

}  // namespace

IndexLoader::IndexLoader(Generation& generation, std::uint64_t base, std::string_view bytes,
                         Pulse& pulse)
    : generation_(generation), base_(base), bytes_(bytes), pulse_(pulse) {
  batch_.records.reserve(kBatchRecords);
  thread_ = std::thread([this] { run(); });
}

IndexLoader::~IndexLoader() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string_view IndexLoader::kept(std::string_view text) {
  const bool inside = text.data() >= bytes_.data() && text.data() < bytes_.data() + bytes_.size();
  return inside || text.empty() ? text : batch_.texts.emplace_back(text);
}

Result<void> IndexLoader::record(const log::Record& record) {
  if (!record.in_base && !fed_) {
    if (auto passed = pass_on(); !passed) return passed;
    fed_ = batch_.begins_feed = true;
  }
  index::NewRecord& made = batch_.records.emplace_back();
  made.key = kept(record.key);
  made.value = kept(record.value);
  made.version = record.version;
  made.sequence = record.sequence;
  made.time_ms = record.time_ms.value_or(0);
  made.erased = record.erased;
  made.last_of_commit = record.in_base || record.commit_position + 1 == record.commit_records;
  return batch_.records.size() < kBatchRecords ? Result<void>() : pass_on();
}

Result<void> IndexLoader::pass_on() {
  pulse_.beat();
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return queue_.size() < kMostQueued || failure_; });
    if (failure_) return *failure_;
    queue_.push_back(std::exchange(batch_, {}));
  }
  changed_.notify_all();
  batch_.records.reserve(kBatchRecords);
  return {};
}

Result<void> IndexLoader::finish() {
  auto passed = pass_on();
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (!passed) return passed;
  if (failure_) return *failure_;
  if (!fed_ && base_ > 0) generation_.index().begin_feed(base_);
  return {};
}

void IndexLoader::run() {
  os::name_thread("dfs-load");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !queue_.empty() || ending_; });
    if (queue_.empty()) return;
    const Batch batch = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    changed_.notify_all();
    auto inserted = insert(batch);
    lock.lock();
    if (!inserted) {
      failure_ = std::move(inserted).error();
      queue_.clear();
      changed_.notify_all();
      return;
    }
  }
}

Result<void> IndexLoader::insert(const Batch& batch) {
  if (batch.begins_feed && base_ > 0) generation_.index().begin_feed(base_);
  std::span<const index::NewRecord> left = batch.records;
  while (!left.empty()) {
    auto some = left.first(std::min(kReservedRecords, left.size()));
    // What a group may need at the most is more than what its records need one after the other.
    if (!generation_.index().reserve(some)) some = left.first(1);
    if (!generation_.index().reserve(some)) return no_memory();
    generation_.index().add_all(some);
    left = left.subspan(some.size());
  }
  generation_.grow_ahead();
  return {};
}

Error IndexLoader::no_memory() const {
  const std::uint64_t limit = generation_.budget().limit();
  return Error(errc::store_full, "the index of this log needs more than the memory limit of " +
                                     std::to_string(limit >> 20U) +
                                     " MiB, or than the machine has; raise --memory-limit")
      .with_limit(limit);
}

}  // namespace dfs::daemon
