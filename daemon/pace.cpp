#include "daemon/pace.hpp"

#include <algorithm>

namespace dfs::daemon {

namespace {

// Of a processor that others want as well, the compactor takes one part in so many.
constexpr int kPart = 8;
// So long at a time; it may be owed as much.
constexpr std::chrono::milliseconds kMostCredit{1};
// The writer is let on by so many bytes of its log at once: enough for a batch that is worth it.
constexpr std::uint64_t kStep = std::uint64_t{64} << 10;

}  // namespace

bool ProcessorShare::used_up(std::chrono::nanoseconds now, std::chrono::nanoseconds mine) noexcept {
  credit_ += (now - looked_at_) / kPart - (mine - mine_);
  credit_ = std::clamp<std::chrono::nanoseconds>(credit_, -kMostCredit, kMostCredit);
  looked_at_ = now;
  mine_ = mine;
  return credit_.count() < 0;
}

void Pace::open() {
  pause_at_.store(UINT64_MAX, std::memory_order_seq_cst);
  wake_writer_();
}

void Pace::begin_round(std::uint64_t log_end, std::uint64_t more) {
  round_end_ = log_end + more;
  let_on_to(round_end_);
}

void Pace::copied(std::uint64_t bytes) {
  const std::uint64_t end = round_end_ + bytes / 2;
  if (end >= pause_at() + kStep) let_on_to(end);
}

void Pace::let_on_to(std::uint64_t log_end) {
  if (pause_at() == 0) return;
  // SYNC POINT: awaited_. seq_cst, both: either the writer, which sets that and then looks at this,
  // finds it moved, or this finds the writer waiting.
  pause_at_.store(log_end, std::memory_order_seq_cst);
  if (awaited_.exchange(false, std::memory_order_seq_cst)) wake_writer_();
}

void Pace::give_way() {
  const auto now = os::Monotonic::now().time_since_epoch();
  if (share_.used_up(now, os::thread_time())) os::yield_processor();
}

}  // namespace dfs::daemon
