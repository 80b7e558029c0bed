// A snapshot as what a transaction reads from.
#pragma once

#include <dfs/snapshot.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "libclient/source.hpp"

namespace dfs::client {

/// Threads: one at a time.
class SnapshotSource final : public Source {
 public:
  explicit SnapshotSource(Snapshot snapshot) : snapshot_(std::move(snapshot)) {}

  [[nodiscard]] Result<Entry> get(std::string_view key) override { return snapshot_.get(key); }
  [[nodiscard]] std::unique_ptr<Walk> walk(const Bounds& bounds) override;
  [[nodiscard]] Result<void> check() override { return snapshot_.check(); }
  [[nodiscard]] std::uint64_t generation() const override;
  /// Null where it could not be taken.
  [[nodiscard]] const Generation* mapped() const { return snapshot_.generation_; }
  [[nodiscard]] std::uint64_t sequence() const override { return snapshot_.sequence(); }
  [[nodiscard]] bool stale() const override { return snapshot_.stale(); }

 private:
  const Snapshot snapshot_;
};

}  // namespace dfs::client
