// Keys in order, as a program's own type. <dfs/typed.hpp> includes this.
#pragma once

#include <dfs/range.hpp>
#include <dfs/result.hpp>
#include <dfs/typed_value.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace DFS_API dfs {

/// One value with its versions; a copy, valid for as long as it is kept.
template <class V>
struct TypedEntry {
  V value;
  std::string key;             ///< without the prefix of the typed store
  std::uint64_t version = 0;   ///< 1, 2, 3, ... for each key; 0: the transaction's own write
  std::uint64_t sequence = 0;  ///< of the commit that wrote it; 0: the transaction's own write
  std::uint64_t time_ms = 0;   ///< when, in ms since 1970; 0 where it is not known
};

namespace typed {

/// What `key()` answers, as the text of a key.
template <class K>
std::string key_text(const K& key) {
  if constexpr (std::integral<K>) {
    return std::to_string(key);
  } else {
    return std::string(std::string_view(key));
  }
}

/// An entry as a TypedEntry; wrong_type where it is no V, or a V of another key.
template <class V>
Result<TypedEntry<V>> to_typed(const Entry& entry, std::string_view prefix) {
  auto value = from_text<V>(entry.value, entry.key);
  if (!value) return std::move(value).error();
  const std::string own = std::string(prefix) + key_text(value->key());
  if (own != entry.key) {
    return wrong_type(entry.key, {{}, "says that its key is " + own});
  }
  return TypedEntry<V>{std::move(*value), own.substr(prefix.size()), entry.version, entry.sequence,
                       entry.time_ms};
}

}  // namespace typed

/// The values under some keys, in the order of the keys' bytes. Each step gives a Result: a value
/// that does not fit is one wrong_type among the others, and what ends a walk early (the snapshot
/// was revoked) is its last element. So no walk is short without saying so. Walked as often as
/// wanted; a walk is valid while the range is. Threads: one at a time.
template <class V>
class TypedRange {
 public:
  using Element = Result<TypedEntry<V>>;

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = Element;
    using difference_type = std::ptrdiff_t;
    using pointer = const Element*;
    using reference = const Element&;

    [[nodiscard]] const Element& operator*() const noexcept { return *element_; }
    [[nodiscard]] const Element* operator->() const noexcept { return &*element_; }
    Iterator& operator++() {
      if (!ended_) ++at_;
      settle();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) noexcept {
      return !iterator.element_;
    }

   private:
    friend class TypedRange;
    explicit Iterator(const TypedRange& range) : range_(&range), at_(range.range_.begin()) {
      settle();
    }
    void settle() {
      element_.reset();
      if (ended_) return;
      const Range& range = range_->range_;
      if (at_ != range.end()) {
        element_ = typed::to_typed<V>(*at_, range_->prefix_);
        if (*element_) return;
        // Bytes that were revoked fit no type; one more read tells them from a value that does not.
        static_cast<void>(range.begin());
        if (range.status()) return;
      }
      ended_ = true;
      element_.reset();
      if (auto good = range.status(); !good) element_ = std::move(good).error();
    }

    const TypedRange* range_;
    Range::Iterator at_;
    std::optional<Element> element_;
    bool ended_ = false;
  };

  /// `source` is what the range reads from, or what keeps that; null where the caller keeps it.
  TypedRange(Range range, std::string prefix, std::shared_ptr<const void> source)
      : source_(std::move(source)), range_(std::move(range)), prefix_(std::move(prefix)) {}

  [[nodiscard]] Iterator begin() const { return Iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
  /// The same from the last key to the first.
  [[nodiscard]] TypedRange reversed() const {
    return TypedRange(range_.reversed(), prefix_, source_);
  }

 private:
  std::shared_ptr<const void> source_;  // first: the range goes before it
  Range range_;
  std::string prefix_;
};

}  // namespace dfs
