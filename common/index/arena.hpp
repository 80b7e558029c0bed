// Where the writer puts things: records in chunks of their own, so that walking them is the feed,
// and nodes, anchors and segments in others. Memory is only ever appended.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/assert.hpp"
#include "common/index/space.hpp"

namespace dfs::index {

/// Hands out offsets in a Space. Offset 0 is the generation's header, never anything else.
/// Writer thread only.
class Arena {
 public:
  /// Requires: `space` is empty and has memory for the first bytes.
  Arena(Space& space, std::uint64_t header_bytes);

  /// Chunks are a thirty-second of what is in use, within these bounds: small in a small store, and
  /// in a large one few jumps.
  static constexpr std::uint64_t kMinChunkBytes = std::uint64_t{64} << 10;
  static constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{1} << 20;

  /// Makes sure that records of `record_bytes` and nodes of `node_bytes` can be made, however they
  /// fall into chunks. False: there is no memory.
  [[nodiscard]] bool reserve(std::uint64_t record_bytes, std::uint64_t node_bytes);

  // What must be there: memory was reserved for it.
  /// Opens the first chunk of records, so that the feed has a beginning.
  void open_records();
  /// The next record's place; leaves a jump where the last chunk ended.
  [[nodiscard]] std::uint64_t place_record(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t place_node(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t place_anchor();

  /// What may be done without: 0 where there is no memory, or not beyond what is reserved. Aligned
  /// to a cache line.
  [[nodiscard]] std::uint64_t try_place(std::uint64_t bytes);

  template <class T>
  [[nodiscard]] T* at(std::uint64_t offset) const noexcept {
    return reinterpret_cast<T*>(base_ + offset);
  }
  [[nodiscard]] const std::byte* base() const noexcept { return base_; }

  /// Behind the last record.
  [[nodiscard]] std::uint64_t records_end() const noexcept { return record_at_; }
  /// Bytes in use, whole chunks.
  [[nodiscard]] std::uint64_t used() const noexcept { return used_; }

 private:
  [[nodiscard]] static std::uint64_t chunk_bytes(std::uint64_t used) noexcept;
  [[nodiscard]] bool try_ensure(std::uint64_t bytes);
  void grow_to(std::uint64_t bytes);

  // Constant after construction.
  Space& space_;
  std::byte* const base_;

  // Writer thread only.
  std::uint64_t used_;
  std::uint64_t ensured_ = 0;   ///< What the space has said it has.
  std::uint64_t promised_ = 0;  ///< Up to here memory is spoken for by `reserve`.
  std::uint64_t record_at_ = 0;
  std::uint64_t record_end_ = 0;  ///< Of the chunk; room for a Jump always lies before it.
  std::uint64_t node_at_ = 0;
  std::uint64_t node_end_ = 0;
  std::uint64_t anchor_at_ = 0;
  std::uint64_t anchor_end_ = 0;
};

}  // namespace dfs::index
