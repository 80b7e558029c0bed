#include "libclient/snapshot_source.hpp"

#include "libclient/snapshot_walk.hpp"

namespace dfs::client {

std::unique_ptr<Walk> SnapshotSource::walk(const Bounds& bounds) {
  return make_walk(snapshot_.generation_, snapshot_.sequence_, snapshot_.error_, bounds);
}

std::uint64_t SnapshotSource::generation() const {
  return snapshot_.generation_ == nullptr ? 0 : snapshot_.generation_->number();
}

}  // namespace dfs::client
