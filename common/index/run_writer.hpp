// The writer's side of the runs: an anchor behind the last for a key above all of them.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/index/arena.hpp"
#include "common/index/control_page.hpp"
#include "common/index/run_layout.hpp"
#include "common/index/tree_writer.hpp"

namespace dfs::index {

/// Writer thread only; readers walk meanwhile. A key becomes visible with the release store into
/// its anchor.
class RunWriter {
 public:
  RunWriter(Arena& arena, GenerationSlot& slot) noexcept : arena_(arena), tree_(arena, slot.runs) {}

  /// Whether `key` is above all keys in runs.
  [[nodiscard]] bool takes(std::string_view key) const noexcept;
  /// The anchor for a key that it takes. Requires: its bytes were reserved.
  [[nodiscard]] std::uint64_t place_anchor();
  /// After the record was stored in `anchor`, the last one placed: readers find it from here on.
  /// `key` lies in the record.
  void link(std::string_view key, std::uint64_t anchor);

  /// The most that `new_keys` new keys can take from here on.
  [[nodiscard]] std::uint64_t bytes_at_most(std::uint64_t new_keys) const noexcept;

  /// Part of one key in a store whose keys all lie in runs.
  static constexpr std::uint64_t kBytesPerKey =
      (sizeof(Run) + TreeWriter::kBytesPerNewKey + kRunKeys - 1) / kRunKeys;

 private:
  // Constant after construction.
  Arena& arena_;

  // Writer thread only.
  TreeWriter tree_;
  std::uint64_t last_run_ = 0;
  std::uint64_t in_last_ = kRunKeys;  ///< Anchors placed in the last run.
};

}  // namespace dfs::index
