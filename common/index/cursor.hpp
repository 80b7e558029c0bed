// Walking the keys of a snapshot in byte order, both ways, while the writer goes on.
//
// (a) Kind, depth and prefix of a node never change. (b) Children are only appended, and a child is
// only replaced by something that holds at least the same keys. (c) The cursor keeps what it loaded
// of a node, sorted, and never goes back to a place in the node. (d) Its snapshot was taken before
// it loads the root. So what it has loaded holds every key of its snapshot, however old it gets.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/index/record.hpp"
#include "common/index/tree_layout.hpp"
#include "common/index/view.hpp"

namespace dfs::index {

/// A place among the records of a snapshot. Threads: one at a time.
class Cursor {
 public:
  enum class Show : std::uint8_t {
    live,         ///< Keys that the snapshot has.
    also_erased,  ///< Tombstones too.
  };

  /// A cursor on nothing; seek first. `sequence` may be above the published one only on the
  /// writer's own thread. Copies the view; its memory must outlive the cursor.
  Cursor(const View& view, std::uint64_t sequence, Show show = Show::live);

  void seek_first();
  void seek_last();
  /// To the first key that is not below `key`.
  void seek(std::string_view key);
  /// To the last key that is not above `key`.
  void seek_for_prev(std::string_view key);
  /// To the next or previous key. Requires: valid().
  void next();
  void prev();

  /// Whether the cursor stands on a record, whose generation stood when it was read.
  [[nodiscard]] bool valid() const noexcept { return outcome_ == Outcome::found; }
  /// Requires: valid(). In shared memory.
  [[nodiscard]] const RecordHeader& record() const noexcept { return *record_; }
  /// found while valid; absent at either end; else why the walk ended early.
  [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
  [[nodiscard]] bool given_back() const noexcept { return outcome_ == Outcome::given_back; }
  /// Asks again whether the generation still stands, after what was read was used.
  [[nodiscard]] bool stands() const noexcept { return look(view_); }

  /// Nodes loaded, keys passed and versions walked since it was made.
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  /// Ends the walk with out_of_steps when steps() would pass `limit`.
  void limit_steps(std::uint64_t limit) noexcept { step_limit_ = limit; }

 private:
  /// A node's children as they were loaded: words_[begin, end), sorted, and where we are.
  struct Frame {
    std::int32_t begin;
    std::int32_t end;
    std::int32_t position;
  };
  enum class Way : std::uint8_t { forward, backward };

  [[nodiscard]] bool load_root();
  void push(const TreeNode& node, std::uint64_t children);
  void seek_from(std::string_view key, Way way);
  void settle(Way way);
  [[nodiscard]] bool visit(Reach& reach, std::uint64_t leaf) noexcept;
  void prefetch_ahead(Reach& reach, Way way) noexcept;
  [[nodiscard]] bool count_step() noexcept;
  void refuse(Reach& reach) noexcept;

  const View view_;
  const std::uint64_t sequence_;
  const Show show_;
  Outcome outcome_ = Outcome::absent;
  const RecordHeader* record_ = nullptr;
  std::uint64_t steps_ = 0;
  std::uint64_t step_limit_ = UINT64_MAX;
  std::vector<Frame> frames_;
  std::vector<std::uint64_t> words_;
};

}  // namespace dfs::index
