// Walking the keys that the tree has in byte order, both ways, while the writer goes on.
//
// (a) Kind, depth and prefix of a node never change. (b) Children are only appended, and a child is
// only replaced by something that holds at least the same keys. (c) The cursor keeps what it loaded
// of a node, sorted, and never goes back to a place in the node. (d) Its snapshot was taken before
// it loads the root. So what it has loaded holds every key of its snapshot, however old it gets.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/index/reach.hpp"
#include "common/index/record.hpp"
#include "common/index/tree_layout.hpp"
#include "common/index/vantage.hpp"

namespace dfs::index {

/// One half of a Cursor. Threads: one at a time.
class TreeCursor {
 public:
  void seek_first(Vantage& vantage);
  void seek_last(Vantage& vantage);
  /// To the first key that is not below `key`.
  void seek(Vantage& vantage, std::string_view key);
  /// To the last key that is not above `key`.
  void seek_for_prev(Vantage& vantage, std::string_view key);
  /// Requires: it stands on a record.
  void next(Vantage& vantage);
  void prev(Vantage& vantage);

  /// nullptr where it stands on none; then `outcome` says why.
  [[nodiscard]] const RecordHeader* record() const noexcept { return record_; }
  [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }

 private:
  /// A node's children as they were loaded: words_[begin, end), sorted, and where we are.
  struct Frame {
    std::int32_t begin;
    std::int32_t end;
    std::int32_t position;
  };

  [[nodiscard]] bool load_root(const View& view);
  void push(const View& view, const TreeNode& node, std::uint64_t children);
  void seek_from(Vantage& vantage, std::string_view key, Way way);
  void settle(Vantage& vantage, Way way);
  [[nodiscard]] bool visit(Vantage& vantage, Reach& reach, std::uint64_t leaf) noexcept;
  void prefetch_ahead(Reach& reach, Way way) noexcept;
  void end(Outcome outcome) noexcept;

  Outcome outcome_ = Outcome::absent;
  const RecordHeader* record_ = nullptr;
  std::vector<Frame> frames_;
  std::vector<std::uint64_t> words_;
};

}  // namespace dfs::index
