// A store of keys in a std::map, as a transaction's source in tests.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "libclient/source.hpp"

namespace dfs::test {

struct MapRecord {
  std::string value;
  std::uint64_t sequence = 1;
};
using MapRecords = std::map<std::string, MapRecord, std::less<>>;

inline Entry entry_at(MapRecords::const_iterator at) {
  return {at->first, at->second.value, 1, at->second.sequence, 0};
}

/// Walks a map; `fails_after` steps it answers snapshot_too_old.
class MapWalk final : public client::Walk {
 public:
  MapWalk(const MapRecords& records, client::Bounds bounds, std::uint64_t fails_after)
      : records_(records), bounds_(std::move(bounds)), steps_left_(fails_after) {}
  std::unique_ptr<client::Walk> copy() const override {
    return std::unique_ptr<client::Walk>(new MapWalk(*this));
  }
  bool first() override {
    at_ = records_.lower_bound(bounds_.from);
    return settle(at_ != records_.end());
  }
  bool last() override {
    auto behind = bounds_.to.empty() ? records_.end() : records_.lower_bound(bounds_.to);
    if (behind == records_.begin()) return settle(false);
    at_ = std::prev(behind);
    return settle(true);
  }
  bool next() override { return settle(++at_ != records_.end()); }
  bool prev() override {
    if (at_ == records_.begin()) return settle(false);
    --at_;
    return settle(true);
  }
  Error problem() const override { return problem_; }

 private:
  MapWalk(const MapWalk&) = default;
  bool settle(bool there) {
    problem_ = errc::absent;
    if (steps_left_ == 0) {
      problem_ = errc::snapshot_too_old;
      return false;
    }
    --steps_left_;
    if (!there || !bounds_.hold(at_->first)) return false;
    entry_ = entry_at(at_);
    return true;
  }

  const MapRecords& records_;
  const client::Bounds bounds_;
  std::uint64_t steps_left_;
  MapRecords::const_iterator at_;
  Error problem_{errc::absent};
};

/// Requires: `records` does not change while this lives.
class MapSource final : public client::Source {
 public:
  explicit MapSource(const MapRecords& records, std::uint64_t fails_after = UINT64_MAX)
      : records_(records), fails_after_(fails_after) {}
  Result<Entry> get(std::string_view key) override {
    const auto found = records_.find(key);
    if (found == records_.end()) return errc::absent;
    return entry_at(found);
  }
  std::unique_ptr<client::Walk> walk(const client::Bounds& bounds) override {
    return std::make_unique<MapWalk>(records_, bounds, fails_after_);
  }
  Result<void> check() override {
    if (fails_after_ != UINT64_MAX) return errc::snapshot_too_old;
    return {};
  }
  std::uint64_t generation() const override { return 3; }
  std::uint64_t sequence() const override { return 100; }
  bool stale() const override { return false; }

 private:
  const MapRecords& records_;
  const std::uint64_t fails_after_;
};

}  // namespace dfs::test
