// Where entries come from: a snapshot, or in tests anything that has keys in order. What ranges and
// transactions are built upon.
#pragma once

#include <dfs/entry.hpp>
#include <dfs/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace dfs::client {

/// The keys from `from` on, up to and without `to`; an empty `to` is the end of all keys.
struct Bounds {
  std::string from;
  std::string to;

  [[nodiscard]] bool below_end(std::string_view key) const noexcept {
    return to.empty() || key < to;
  }
  [[nodiscard]] bool hold(std::string_view key) const noexcept {
    return key >= from && below_end(key);
  }
};

/// The bounds of all keys that begin with `prefix`.
[[nodiscard]] Bounds bounds_of_prefix(std::string_view prefix);

/// A place among the keys within some bounds. Every step tells whether it stands on an entry.
/// Threads: one at a time.
class Walk {
 public:
  Walk() = default;
  Walk& operator=(const Walk&) = delete;
  virtual ~Walk() = default;
  [[nodiscard]] virtual std::unique_ptr<Walk> copy() const = 0;

  [[nodiscard]] virtual bool first() = 0;
  [[nodiscard]] virtual bool last() = 0;
  /// Requires, both: it stands on an entry.
  [[nodiscard]] virtual bool next() = 0;
  [[nodiscard]] virtual bool prev() = 0;
  /// Where it stands; its next step changes it. Requires: it stands on an entry.
  [[nodiscard]] const Entry& entry() const noexcept { return entry_; }
  /// Why the last step ended early; absent where it came to the end of its bounds.
  [[nodiscard]] virtual Error problem() const = 0;

 protected:
  Walk(const Walk&) = default;

  Entry entry_;
};

/// What a transaction reads from. Threads: one at a time.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;
  [[nodiscard]] virtual Result<Entry> get(std::string_view key) = 0;
  [[nodiscard]] virtual std::unique_ptr<Walk> walk(const Bounds& bounds) = 0;
  /// Whether everything read so far still counts.
  [[nodiscard]] virtual Result<void> check() = 0;
  [[nodiscard]] virtual std::uint64_t generation() const = 0;
  [[nodiscard]] virtual std::uint64_t sequence() const = 0;
  /// Whether it may lack commits that were acknowledged before it was taken: what was read counts
  /// only once a daemon has said so.
  [[nodiscard]] virtual bool stale() const = 0;
};

/// What the copies and iterators of one Range share. Threads: one at a time.
class Span {
 public:
  using MakeWalk = std::function<std::unique_ptr<Walk>()>;
  Span(MakeWalk make, bool backwards) : make_(std::move(make)), backwards_(backwards) {}

  [[nodiscard]] std::unique_ptr<Walk> walk() const { return make_(); }
  [[nodiscard]] bool backwards() const noexcept { return backwards_; }
  [[nodiscard]] std::shared_ptr<Span> reversed() const {
    return std::make_shared<Span>(make_, !backwards_);
  }
  /// absent: nothing went wrong.
  [[nodiscard]] const Error& problem() const noexcept { return problem_; }
  void note(Error problem) noexcept { problem_ = std::move(problem); }

 private:
  const MakeWalk make_;
  const bool backwards_;
  Error problem_{errc::absent};
};

}  // namespace dfs::client
