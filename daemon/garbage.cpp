#include "daemon/garbage.hpp"

#include <algorithm>

#include "common/index/writer.hpp"
#include "common/os/file.hpp"

namespace dfs::daemon {

namespace {

// The disk is nearly too small for another copy where it has room for less than two and a little.
constexpr std::uint64_t kCopies = 2;
constexpr std::uint64_t kDiskRoom = std::uint64_t{64} << 20;
// Of the index: with less garbage a copy would not help the disk.
constexpr std::uint64_t kGarbageForDisk = 4;
// Of the log: less garbage is not worth a word.
constexpr std::uint64_t kWorthAWord = 4;
// A log without records: its first, base and start line, rounded up.
constexpr std::uint64_t kEmptyLogBytes = 512;

std::uint64_t of(const std::atomic<std::uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

}  // namespace

std::uint64_t Garbage::live_records() const {
  // Without what an empty generation takes, which is counted at its most.
  const std::uint64_t live = of(counters_.live_bytes);
  return live - std::min(live, index::IndexWriter::kFirstBytes);
}

std::uint64_t Garbage::of_current() const {
  const std::uint64_t used = of(counters_.used_bytes);
  return used - std::min(used, live_records());
}

std::uint64_t Garbage::dead() const {
  const std::uint64_t garbage = of_current();
  return garbage - std::min(garbage, index::IndexWriter::kLeastBytes);
}

std::uint64_t Garbage::all() const { return generations_.old_bytes() + of_current(); }

std::uint64_t Garbage::copy_bytes() const {
  // By the share of the index's records that is live: lines and records are of about one length.
  const std::uint64_t records = live_records() + dead();
  const double live =
      records == 0 ? 0.0 : static_cast<double>(live_records()) / static_cast<double>(records);
  const auto bytes = static_cast<double>(of(counters_.log_bytes)) * live;
  return kEmptyLogBytes + static_cast<std::uint64_t>(bytes);
}

bool Garbage::disk_is_nearly_too_small() const {
  if (dead() < of(counters_.used_bytes) / kGarbageForDisk) return false;
  const auto free = os::free_space_of(directory_);
  const std::uint64_t copy = copy_bytes();
  return free && *free > copy && *free < copy * kCopies + kDiskRoom;
}

bool Garbage::is_due(std::uint64_t least) const {
  if (disk_is_nearly_too_small()) return true;
  const std::uint64_t garbage = of_current();
  return garbage >= least && garbage > of(counters_.used_bytes) / 2;
}

Relief Garbage::memory_relief() const {
  Relief most{wire::Relief::erasing, live_records()};
  const Relief others[] = {{wire::Relief::compacting, dead()},
                           {wire::Relief::letting_go, generations_.old_bytes()}};
  for (const Relief& other : others) {
    if (other.bytes > most.bytes) most = other;
  }
  return most;
}

Relief Garbage::disk_relief() const {
  const std::uint64_t log = of(counters_.log_bytes);
  const std::uint64_t garbage = log - std::min(log, copy_bytes());
  if (garbage < log / kWorthAWord) return {};
  return {wire::Relief::compacting, garbage};
}

}  // namespace dfs::daemon
