// A transaction from the inside: a snapshot, its own writes laid over it, and a list of what it has
// read, by which the writer tells whether it still holds.
#pragma once

#include <dfs/entry.hpp>
#include <dfs/options.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/wire/request.hpp"
#include "libclient/source.hpp"
#include "libclient/writes.hpp"

namespace dfs::client {

/// What of one range was shown, from either end: two stretches, each of which may be nothing.
/// The live keys of the snapshot in them are counted, shown or erased by the transaction itself;
/// its own new keys are not. Threads: one at a time.
class RangeRead {
 public:
  explicit RangeRead(Bounds bounds) : bounds_(std::move(bounds)) {}
  [[nodiscard]] const Bounds& bounds() const noexcept { return bounds_; }

  /// A walk from the beginning has come to `key`, behind so many keys of the snapshot, that one
  /// included.
  void reached_forward(std::string_view key, std::uint64_t live_keys);
  /// It has come to the end.
  void ended_forward(std::uint64_t live_keys);
  /// The same from the end backwards.
  void reached_backward(std::string_view key, std::uint64_t live_keys);
  void ended_backward(std::uint64_t live_keys);

  /// Adds what was read, as views into this.
  void fill(wire::CommitRequest& request) const;

 private:
  struct Stretch {
    bool stepped = false;
    bool ended = false;  // it is all of the range
    std::string last;    // the furthest key shown
    std::uint64_t live_keys = 0;
  };
  const Bounds bounds_;
  Stretch forward_;
  Stretch backward_;
};

/// Threads: one at a time.
class Overlay {
 public:
  Overlay(std::unique_ptr<Source> source, const TransactionOptions& options)
      : source_(std::move(source)), options_(options) {}
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  [[nodiscard]] Result<Entry> get(std::string_view key);
  /// A walk over both. What it steps over is read.
  [[nodiscard]] std::unique_ptr<Walk> walk(const std::shared_ptr<RangeRead>& read);
  /// A range that may be walked any number of times.
  [[nodiscard]] std::shared_ptr<RangeRead> begin_range(Bounds bounds);

  [[nodiscard]] Writes& writes() noexcept { return writes_; }
  [[nodiscard]] const TransactionOptions& options() const noexcept { return options_; }
  [[nodiscard]] std::uint64_t sequence() const {
    return source_ ? source_->sequence() : last_sequence_;
  }

  /// Whether it has ended; every later call answers finished.
  [[nodiscard]] bool finished() const noexcept { return source_ == nullptr; }
  /// Lets go of the snapshot.
  void finish();
  /// Why it cannot be committed, whatever the store holds: a wrong argument, a snapshot whose reads
  /// no longer count.
  [[nodiscard]] std::optional<Error> obstacle();
  /// Whether a commit would change or check nothing.
  [[nodiscard]] bool only_read() const noexcept { return writes_.empty(); }
  /// Whether what was read is known to have stood at one moment after the transaction began; else a
  /// daemon has to say that it still stands. Of a stale snapshot it is not: a daemon that this
  /// client never met may have acknowledged more, and died.
  [[nodiscard]] bool stood() const {
    const bool read_nothing = reads_.empty() && ranges_.empty();
    return read_nothing || options_.snapshot_isolation || !source_->stale();
  }
  /// The request, as views into this.
  void fill(wire::CommitRequest& request) const;

 private:
  friend class OverlayWalk;

  std::unique_ptr<Source> source_;
  const TransactionOptions options_;
  std::uint64_t last_sequence_ = 0;
  Writes writes_;
  std::map<std::string, std::uint64_t, std::less<>> reads_;  // sequence of the record, 0: absent
  std::vector<std::shared_ptr<RangeRead>> ranges_;
};

}  // namespace dfs::client
