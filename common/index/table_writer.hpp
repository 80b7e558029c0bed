// The writer's side of the table: inserting keys, splitting segments, doubling the directory.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/index/arena.hpp"
#include "common/index/control_page.hpp"
#include "common/index/table_layout.hpp"

namespace dfs::index {

/// Writer thread only; readers search meanwhile, and see a segment before or after its split, both
/// right: what a snapshot can hold was there before the split.
class TableWriter {
 public:
  /// An empty table laid out for `expected_keys`, or fewer where there is no memory.
  /// Requires: memory for a directory and one segment.
  TableWriter(Arena& arena, GenerationSlot& slot, std::uint64_t seed, std::uint64_t expected_keys);

  struct Found {
    std::uint64_t slot = 0;    ///< Offset of the slot, 0 where the table does not have the key.
    std::uint64_t record = 0;  ///< Offset of the key's newest record.
    bool ask_tree = false;     ///< Not here, and the home bucket is marked.
  };
  [[nodiscard]] Found find(std::uint64_t hash, std::string_view key) const noexcept;

  /// Begins to load the home bucket.
  void prefetch(std::uint64_t hash) const noexcept;
  /// Then: begins to load the record that `find` would compare first in the home bucket; nothing
  /// where there is none. Whether its key is the one nobody has looked.
  [[nodiscard]] Found prefetch_record(std::uint64_t hash) const noexcept;

  /// Puts a key in that the table does not have. The offset of its slot, or 0 where it was left out
  /// and its home marked. Costs at most a bounded number of splits, of a constant size each.
  std::uint64_t insert(std::uint64_t hash, std::uint64_t record);

  /// The key in `slot` has a newer record. Visible to readers at once.
  void replace(std::uint64_t slot, std::uint64_t record) noexcept;
  /// Whether `slot` holds `record` still: it has neither moved nor changed.
  [[nodiscard]] bool holds(std::uint64_t slot, std::uint64_t record) const noexcept;

  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }
  /// Segments that readers reach.
  [[nodiscard]] std::uint64_t segments() const noexcept { return segments_; }
  /// How often a segment has split; after that a slot may lie elsewhere.
  [[nodiscard]] std::uint64_t splits() const noexcept { return splits_; }

  /// Part of one new key in splits: two segments for every third of one that fills up.
  static constexpr std::uint64_t kBytesPerNewKey = 2 * sizeof(Segment) / (kSlotsPerSegment / 3);

 private:
  [[nodiscard]] std::uint64_t place(Segment& segment, std::uint64_t base, std::uint64_t hash,
                                    std::uint64_t record) noexcept;
  [[nodiscard]] std::uint64_t displace(Segment& segment, std::uint64_t base, std::uint64_t hash,
                                       std::uint64_t record) noexcept;
  [[nodiscard]] std::atomic<std::uint64_t>* movable(Segment& segment, std::uint64_t to) noexcept;
  [[nodiscard]] bool split(std::uint64_t entry);
  [[nodiscard]] bool double_directory();
  [[nodiscard]] std::uint32_t copy_halves(const Segment& from, std::uint64_t depth,
                                          std::uint64_t zero, std::uint64_t one) noexcept;
  [[nodiscard]] DirectoryEntry* directory() const noexcept;
  [[nodiscard]] std::uint64_t first_entry(std::uint64_t entry) const noexcept;

  // Constant after construction.
  Arena& arena_;
  GenerationSlot& slot_;
  const std::uint64_t seed_;

  // Writer thread only.
  std::uint64_t directory_ = 0;
  std::uint64_t depth_ = 0;
  std::vector<std::uint32_t> fill_;  ///< Keys of a segment, at the first entry that names it.
  std::uint64_t keys_ = 0;
  std::uint64_t left_out_ = 0;
  std::uint64_t segments_ = 0;
  std::uint64_t splits_ = 0;
};

}  // namespace dfs::index
