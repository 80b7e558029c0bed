#include "common/index/run_writer.hpp"

#include "common/index/record.hpp"

namespace dfs::index {

// Relaxed loads below: the writer reads what it alone has written.

bool RunWriter::takes(std::string_view key) const noexcept {
  if (last_run_ == 0) return true;
  const Anchor& last = arena_.at<Run>(last_run_)->anchors[in_last_ - 1];
  return arena_.at<RecordHeader>(last.record.load(std::memory_order_relaxed))->key() < key;
}

std::uint64_t RunWriter::place_anchor() {
  if (in_last_ == kRunKeys) {
    const std::uint64_t made = arena_.place_node(sizeof(Run));
    arena_.at<Run>(made)->previous = last_run_;
    last_run_ = made;
    in_last_ = 0;
  }
  return last_run_ + offsetof(Run, anchors) + in_last_++ * sizeof(Anchor);
}

void RunWriter::link(std::string_view key, std::uint64_t anchor) {
  if (in_last_ != 1) return;  // the run is linked, and its anchors are read until one is 0
  const std::uint64_t previous = arena_.at<Run>(last_run_)->previous;
  // SYNC POINT: link. Release: the run and its first anchor come before the words that lead there.
  if (previous != 0) {
    arena_.at<Run>(previous)->next.store(last_run_, std::memory_order_release);
  }
  tree_.insert(key, anchor);
}

std::uint64_t RunWriter::bytes_at_most(std::uint64_t new_keys) const noexcept {
  const std::uint64_t runs = new_keys / kRunKeys + 1;
  return runs * sizeof(Run) + tree_.bytes_at_most(runs);
}

}  // namespace dfs::index
