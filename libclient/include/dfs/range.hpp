// Keys in order, of a snapshot or of a transaction, forwards or backwards.
#pragma once

#include <dfs/entry.hpp>
#include <dfs/export.hpp>
#include <dfs/result.hpp>

#include <cstddef>
#include <iterator>
#include <memory>

namespace DFS_API dfs {

namespace client {
class Span;
class Walk;
}  // namespace client

/// The live keys between two ends, in the order of their bytes. Nothing is read until it is
/// stepped; each `begin()` starts anew. Valid while the snapshot or transaction lives; so are the
/// entries. Copies share their `status()`. Threads: one at a time.
class Range {
 public:
  /// Bidirectional; gives entries by value, whose views outlive the iterator.
  class Iterator {
   public:
    using iterator_concept = std::bidirectional_iterator_tag;
    using iterator_category = std::input_iterator_tag;  // its reference is a value
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = Entry;

    Iterator() noexcept;
    Iterator(const Iterator& other);
    Iterator(Iterator&& other) noexcept;
    Iterator& operator=(const Iterator& other);
    Iterator& operator=(Iterator&& other) noexcept;
    ~Iterator();

    [[nodiscard]] Entry operator*() const noexcept { return *entry_; }
    [[nodiscard]] const Entry* operator->() const noexcept { return entry_; }
    Iterator& operator++();
    Iterator operator++(int);
    Iterator& operator--();
    Iterator operator--(int);
    /// Of iterators of one range.
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
      if (a.entry_ == nullptr || b.entry_ == nullptr) return a.entry_ == b.entry_;
      return a.entry_->key == b.entry_->key;
    }

   private:
    friend class Range;
    explicit Iterator(std::shared_ptr<client::Span> span) noexcept;
    void settle(bool stands) noexcept;

    std::shared_ptr<client::Span> span_;
    std::unique_ptr<client::Walk> walk_;  // null until the first step
    const Entry* entry_ = nullptr;        // the walk's; null at the end
  };
  using iterator = Iterator;
  using const_iterator = Iterator;

  explicit Range(std::shared_ptr<client::Span> span) noexcept;
  Range(const Range& other) noexcept;
  Range(Range&& other) noexcept;
  Range& operator=(const Range& other) noexcept;
  Range& operator=(Range&& other) noexcept;
  ~Range();

  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;
  /// The same keys from the last to the first, at the same price.
  [[nodiscard]] Range reversed() const;
  /// Whether the loop ended because the keys did: snapshot_too_old where the snapshot was revoked
  /// meanwhile (take a new one), or the error of a snapshot that could not be taken. Ask after the
  /// loop.
  [[nodiscard]] Result<void> status() const;

 private:
  std::shared_ptr<client::Span> span_;
};

}  // namespace dfs
