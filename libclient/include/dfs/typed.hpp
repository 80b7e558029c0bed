// A store whose values are a program's own type. Needs Boost.JSON 1.81 or later (headers and
// -lboost_json); the rest of dfs needs no Boost.
//
//     struct User { std::string id, name; std::string key() const { return id; } };
//     BOOST_DESCRIBE_STRUCT(User, (), (id, name))
//
//     dfs::TypedStore<User> users(store, "user/");
//     users.set({"1", "Alice"}).value();
//     if (auto user = users.get("1")) std::cout << user->value.name << user->version;
//
// What is stored is JSON as anybody writes it, so other programs and dfsctl read and change it.
// Reading changes nothing on disk. What is read and then set is printed anew: members of a V keep
// their values exactly, white space aside, but a number in a `boost::json::value` becomes one of 64
// bits or the nearest double, and of two members of one name the last stays.
#pragma once

#include <dfs/store.hpp>
#include <dfs/typed_range.hpp>
#include <dfs/typed_reader.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace DFS_API dfs {
namespace typed {

/// Points at what the caller keeps.
template <class T>
std::shared_ptr<T> borrowed(T& target) {
  return std::shared_ptr<T>(std::shared_ptr<void>(), &target);
}

/// Sets a value in a Transaction or a Batch.
template <Keyed V, class Target>
[[nodiscard]] Result<void> put(Target& target, std::string_view prefix, const V& value,
                               Expect expect) {
  const std::string full = std::string(prefix) + key_text(value.key());
  auto text = to_text(value, full);
  if (!text) return std::move(text).error();
  target.set(full, *text, expect);
  return {};
}

}  // namespace typed

/// One consistent state, as typed values. Copies share it. Threads: any, as a const Snapshot.
template <Keyed V>
class TypedSnapshot : public typed::Reader<V, const Snapshot> {
 public:
  using typed::Reader<V, const Snapshot>::Reader;
  [[nodiscard]] const Snapshot& untyped() const noexcept { return *this->source_; }
};

/// A transaction, or the part of one that is about these values. Threads: one at a time.
template <Keyed V>
class TypedTransaction : public typed::Reader<V, Transaction> {
 public:
  using typed::Reader<V, Transaction>::Reader;

  /// bad_value, and the transaction is as before, where JSON cannot hold the value; whatever else
  /// is wrong, `commit` answers.
  [[nodiscard]] Result<void> set(const V& value, Expect expect = expect_any) {
    return typed::put(*this->source_, this->prefix_, value, expect);
  }
  TypedTransaction& erase(typed::KeyOf<V> key, Expect expect = expect_any) {
    this->source_->erase(this->prefix_ + typed::key_text(key), expect);
    return *this;
  }
  TypedTransaction& check(typed::KeyOf<V> key, Expect expect) {
    this->source_->check(this->prefix_ + typed::key_text(key), expect);
    return *this;
  }
  /// As Transaction's: the whole of it, where this is a part.
  [[nodiscard]] Result<Committed> commit() { return this->source_->commit(); }
  void rollback() noexcept { this->source_->rollback(); }
  [[nodiscard]] Transaction& untyped() const noexcept { return *this->source_; }
};

/// The values of type V in a store: those whose keys begin with `prefix`, which belongs to every
/// key here and stands in no argument. What stands there and is no V, or a V with another `key()`,
/// answers wrong_type. Refers to the store, which outlives it and stays where it is. Threads: as
/// Store, any.
template <Keyed V>
class TypedStore {
 public:
  using Key = typed::KeyOf<V>;
  using Entry = TypedEntry<V>;

  explicit TypedStore(Store& store, std::string prefix = {})
      : store_(&store), prefix_(std::move(prefix)) {}
  explicit TypedStore(Store&&, std::string = {}) = delete;

  /// As Store's; bad_value with the JSON pointer where JSON cannot hold the value: NaN, infinities,
  /// -0.0, a string that is not UTF-8.
  [[nodiscard]] Result<Committed> set(const V& value, const WriteOptions& options = {}) {
    const std::string full = full_key(value.key());
    auto text = typed::to_text(value, full);
    if (!text) return std::move(text).error();
    return store_->set(full, *text, options);
  }
  [[nodiscard]] Result<Committed> set(const V& value, Expect expect) {
    return set(value, WriteOptions{.expect = expect});
  }
  [[nodiscard]] Result<Committed> erase(Key key, const WriteOptions& options = {}) {
    return store_->erase(full_key(key), options);
  }
  [[nodiscard]] Result<Committed> erase(Key key, Expect expect) {
    return store_->erase(full_key(key), expect);
  }

  // Each reads the store as it is now; several that belong together read one `snapshot()`.

  [[nodiscard]] Result<Entry> get(Key key) const { return snapshot().get(key); }
  [[nodiscard]] TypedRange<V> prefix(std::string_view begin) const {
    return snapshot().prefix(begin);
  }
  [[nodiscard]] TypedRange<V> range(std::string_view from, std::string_view to) const {
    return snapshot().range(from, to);
  }
  [[nodiscard]] TypedRange<V> all() const { return snapshot().all(); }
  [[nodiscard]] Result<std::vector<Entry>> list() const { return snapshot().list(); }
  template <class Filter>
  [[nodiscard]] Result<std::vector<Entry>> list(Filter&& filter) const {
    return snapshot().list(std::forward<Filter>(filter));
  }

  [[nodiscard]] TypedSnapshot<V> snapshot() const {
    return {std::make_shared<const Snapshot>(store_->snapshot()), prefix_};
  }
  [[nodiscard]] TypedTransaction<V> begin(const TransactionOptions& options = {}) {
    return {std::make_shared<Transaction>(store_->begin(options)), prefix_};
  }
  /// As Store's, with `f(TypedTransaction<V>&)`.
  template <class F>
  [[nodiscard]] Result<Committed> transact(F&& f, const TransactionOptions& options = {}) {
    return store_->transact(
        [this, &f](Transaction& tx) {
          TypedTransaction<V> view = in(tx);
          return f(view);
        },
        options);
  }

  // These values in what the caller holds, together with others of the store.

  [[nodiscard]] TypedSnapshot<V> in(const Snapshot& snapshot) const {
    return {typed::borrowed(snapshot), prefix_};
  }
  [[nodiscard]] TypedTransaction<V> in(Transaction& transaction) const {
    return {typed::borrowed(transaction), prefix_};
  }
  TypedSnapshot<V> in(const Snapshot&&) const = delete;
  TypedTransaction<V> in(Transaction&&) const = delete;
  /// Adds a value to a batch; bad_value as `set`, and the batch is as before.
  [[nodiscard]] Result<void> put(Batch& batch, const V& value, Expect expect = expect_any) const {
    return typed::put(batch, prefix_, value, expect);
  }
  /// The key as the store has it.
  [[nodiscard]] std::string full_key(Key key) const { return prefix_ + typed::key_text(key); }

 private:
  Store* store_;
  std::string prefix_;
};

}  // namespace dfs
