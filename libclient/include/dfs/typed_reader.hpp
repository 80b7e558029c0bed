// What typed snapshots, transactions and stores read by: entries and walks as values of a type.
// <dfs/typed.hpp> includes this.
#pragma once

#include <dfs/ordered_key.hpp>
#include <dfs/result.hpp>
#include <dfs/typed_range.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace DFS_API dfs {

/// A type with a `key()`: an integer, whose text is decimal (`ordered_key` sorts as the number), or
/// a string; and with conversions of Boost.JSON from and to it.
template <class V>
concept Keyed = requires(const V& value) {
  requires KeyInteger<std::remove_cvref_t<decltype(value.key())>> ||
      std::convertible_to<decltype(value.key()), std::string_view>;
};

namespace typed {

/// How a key of V is given: the integer, or a view of the string.
template <Keyed V>
using KeyOf =
    std::conditional_t<KeyInteger<std::remove_cvref_t<decltype(std::declval<V>().key())>>,
                       std::remove_cvref_t<decltype(std::declval<V>().key())>, std::string_view>;

/// The first text behind all that begin with `prefix`; empty for the end of all keys.
inline std::string behind(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

/// The reading half of a typed view over a Snapshot or a Transaction.
template <Keyed V, class Source>
class Reader {
 public:
  Reader(std::shared_ptr<Source> source, std::string prefix)
      : source_(std::move(source)), prefix_(std::move(prefix)) {}

  /// What stands under a key. absent where nothing does; wrong_type where it is no V.
  [[nodiscard]] Result<TypedEntry<V>> get(KeyOf<V> key) const {
    const std::string full = prefix_ + key_text(key);
    const auto entry = source_->get(full);
    if (!entry) return entry.error();
    auto typed = to_typed<V>(*entry, prefix_);
    if (typed || typed.error() != errc::wrong_type) return typed;
    // Bytes that were revoked fit no type; one more read tells them from a value that does not.
    const auto again = source_->get(full);
    return again ? std::move(typed) : again.error();
  }

  // Keys in the order of their bytes, without the prefix: "10" comes before "9".

  [[nodiscard]] TypedRange<V> prefix(std::string_view begin) const {
    return {source_->prefix(prefix_ + std::string(begin)), prefix_, source_};
  }
  /// The keys from `from` up to, and without, `to`; an empty `to` is the end.
  [[nodiscard]] TypedRange<V> range(std::string_view from, std::string_view to) const {
    std::string end = to.empty() ? behind(prefix_) : prefix_ + std::string(to);
    return {source_->range(prefix_ + std::string(from), end), prefix_, source_};
  }
  [[nodiscard]] TypedRange<V> all() const { return prefix({}); }

  /// Every value, or the first error met.
  [[nodiscard]] Result<std::vector<TypedEntry<V>>> list() const {
    std::vector<TypedEntry<V>> entries;
    for (const auto& element : all()) {
      if (!element) return element.error();
      entries.push_back(*element);
    }
    return entries;
  }
  /// Those that `filter` lets pass: a function of `const V&` or `const TypedEntry<V>&`. It is
  /// called when everything is read, and may use the store and change it.
  template <class Filter>
  [[nodiscard]] Result<std::vector<TypedEntry<V>>> list(Filter&& filter) const {
    auto entries = list();
    if (entries) {
      std::erase_if(*entries, [&filter](const TypedEntry<V>& entry) {
        if constexpr (std::is_invocable_v<Filter&, const V&>) {
          return !filter(entry.value);
        } else {
          return !filter(entry);
        }
      });
    }
    return entries;
  }

 protected:
  std::shared_ptr<Source> source_;
  std::string prefix_;
};

}  // namespace typed
}  // namespace dfs
