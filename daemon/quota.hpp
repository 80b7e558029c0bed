// Bytes received from clients and not yet committed, for all of them and for each uid (I8): what
// one user's clients hold cannot keep the others out. What was charged comes back; the destructor
// proves it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "common/base/assert.hpp"
#include "common/base/limits.hpp"
#include "common/wire/reply.hpp"

namespace dfs::daemon {

/// Threads: the writer.
class Quota {
 public:
  /// `most`: for all clients.
  explicit Quota(std::size_t most = kMaxReceivedBytes)
      : most_(most),
        // A quarter; but never so little that the largest commit does not go through.
        most_of_uid_(std::min(most, std::max(most / 4, kMaxReceivedBytesPerUid))) {}
  Quota(const Quota&) = delete;
  Quota& operator=(const Quota&) = delete;
  ~Quota() { DFS_ASSERT(total_ == 0, "every byte that was charged was given back"); }

  /// Rule::none: charged. Else the bound that does not allow it, and nothing is charged.
  [[nodiscard]] wire::Rule charge(std::uint32_t uid, std::size_t bytes) {
    if (bytes > most_ - total_) return wire::Rule::received_bytes;
    std::size_t& used = used_by(uid);
    if (bytes > most_of_uid_ - used) return wire::Rule::received_bytes_uid;
    used += bytes;
    total_ += bytes;
    return wire::Rule::none;
  }
  void give_back(std::uint32_t uid, std::size_t bytes) {
    if (bytes == 0) return;
    std::size_t& used = used_by(uid);
    DFS_ASSERT(used >= bytes && total_ >= bytes, "only what was charged comes back");
    used -= bytes;
    total_ -= bytes;
    if (used > 0) return;
    by_uid_.erase(uid);
    last_used_ = nullptr;
  }
  [[nodiscard]] std::size_t total() const { return total_; }
  [[nodiscard]] std::size_t bound(wire::Rule rule) const {
    return rule == wire::Rule::received_bytes ? most_ : most_of_uid_;
  }

 private:
  std::size_t& used_by(std::uint32_t uid) {
    if (last_used_ == nullptr || last_uid_ != uid) {
      last_used_ = &by_uid_[uid];
      last_uid_ = uid;
    }
    return *last_used_;
  }

  // Constant after construction.
  const std::size_t most_;
  const std::size_t most_of_uid_;

  std::size_t total_ = 0;
  std::unordered_map<std::uint32_t, std::size_t> by_uid_;
  // Asked for last, and mostly next.
  std::uint32_t last_uid_ = 0;
  std::size_t* last_used_ = nullptr;
};

}  // namespace dfs::daemon
