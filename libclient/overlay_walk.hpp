// Walking a snapshot with a transaction's own writes laid over it, both ways.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libclient/overlay.hpp"
#include "libclient/source.hpp"

namespace dfs::client {

/// A walk over the keys of both: an own write hides the snapshot's entry, an own erase hides the
/// key. Own writes made meanwhile are seen from where the walk stands. What it steps over is noted
/// in the RangeRead. Threads: one at a time.
class OverlayWalk final : public Walk {
 public:
  /// `below` is null in a transaction that has ended.
  OverlayWalk(Overlay& overlay, std::shared_ptr<RangeRead> read, std::unique_ptr<Walk> below);
  OverlayWalk& operator=(const OverlayWalk&) = delete;
  [[nodiscard]] std::unique_ptr<Walk> copy() const override;

  [[nodiscard]] bool first() override;
  [[nodiscard]] bool last() override;
  [[nodiscard]] bool next() override;
  [[nodiscard]] bool prev() override;
  [[nodiscard]] Error problem() const override;

 private:
  /// Where the walk below is: on a key, or off one of its ends.
  enum class Side : std::uint8_t { before, on, behind };

  OverlayWalk(const OverlayWalk& other);
  void move_below(bool stands, Side off, int ordinals);
  void below_next();
  void below_prev();
  [[nodiscard]] bool settle_forward(Writes::ByKey::const_iterator at);
  [[nodiscard]] bool settle_backward(Writes::ByKey::const_iterator behind);
  [[nodiscard]] bool stand_on(const Entry& entry);
  [[nodiscard]] const Writes::ByKey& own() const { return overlay_.writes_.by_key(); }
  [[nodiscard]] Entry own_entry(Writes::ByKey::const_iterator at) const {
    return {at->first, at->second.value};
  }
  [[nodiscard]] bool dead() const { return failed_ || overlay_.finished(); }

  Overlay& overlay_;
  const std::shared_ptr<RangeRead> read_;
  const std::unique_ptr<Walk> below_;
  bool failed_ = false;
  Side side_ = Side::before;
  // Whether it began at the last key. The ordinal of the key below counts from where it began: its
  // first key there has 1, off that end it is 0.
  bool from_end_ = false;
  std::uint64_t ordinal_ = 0;
};

}  // namespace dfs::client
