// A store of a program's own type, called as any store is: its keys, walks, snapshots, transactions
// and batches are those of the store below, and what does not fit is one error among the others.
#include <dfs/typed.hpp>

#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/libclient/typed_fixture.hpp"

namespace dfs {
namespace {

using test::Event;
using test::Order;
using test::User;

class TypedCalls : public test::Typed {};

using Keys = std::vector<std::string>;

template <class V>
Keys keys(const TypedRange<V>& range) {
  Keys found;
  for (const auto& element : range) found.push_back(element.value().key);
  return found;
}

TEST_F(TypedCalls, what_is_set_is_got_and_is_plain_json_to_everybody_else) {
  const User alice{"user123", "Alice", "alice@example.com"};
  const auto committed = users_.set(alice).value();
  const auto found = users_.get("user123").value();
  EXPECT_EQ(found.value, alice);
  EXPECT_EQ(found.key, "user123");
  EXPECT_EQ(found.version, committed.version);
  EXPECT_EQ(found.sequence, committed.sequence);
  EXPECT_GT(found.time_ms, 0U);
  EXPECT_EQ(text("user/user123"), R"({"id":"user123","name":"Alice","email":"alice@example.com"})");
}

TEST_F(TypedCalls, a_miss_is_absent) {
  EXPECT_EQ(users_.get("nobody").error(), errc::absent);
  EXPECT_TRUE(users_.list()->empty());
}

TEST_F(TypedCalls, the_prefix_belongs_to_every_key_and_parts_the_types) {
  users_.set({"1", "Alice", ""}).value();
  Order order;
  order.number = 1;
  orders_.set(order).value();
  store_.set("other", "1").value();
  EXPECT_EQ(users_.list()->size(), 1U);
  EXPECT_EQ(orders_.list()->size(), 1U);
  users_.erase("1").value();
  EXPECT_EQ(users_.get("1").error(), errc::absent);
  EXPECT_TRUE(orders_.get(1).has_value());
  EXPECT_EQ(users_.full_key("1"), "user/1");
  EXPECT_EQ(orders_.full_key(-7), "order/-7");
}

TEST_F(TypedCalls, without_a_prefix_the_whole_store_is_of_the_type) {
  TypedStore<User> all(store_);
  all.set({"b", "", ""}).value();
  all.set({"a", "", ""}).value();
  EXPECT_EQ(keys(all.all()), (Keys{"a", "b"}));
  EXPECT_EQ(keys(all.range("b", "")), (Keys{"b"}));
}

TEST_F(TypedCalls, expectations_are_kept_or_named) {
  const User alice{"a", "Alice", ""};
  const auto first = users_.set(alice, expect_absent).value();
  const auto refused = users_.set(alice, expect_absent);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), errc::version_mismatch);
  EXPECT_EQ(refused.error().key(), "user/a");
  EXPECT_EQ(refused.error().version(), first.version);
  const auto second = users_.set(alice, expect_version(first.version)).value();
  EXPECT_EQ(users_.erase("a", expect_version(first.version)).error(), errc::version_mismatch);
  EXPECT_TRUE(users_.erase("a", expect_version(second.version)).has_value());
}

TEST_F(TypedCalls, the_filter_of_a_list_may_use_the_store_and_change_it) {
  for (const char* id : {"a", "b", "c"}) users_.set({id, "", ""}).value();
  const auto listed = users_.list([this](const User& user) {
    users_.set({"seen-" + user.id, "", ""}).value();
    return users_.get(user.id).has_value() && user.id != "b";
  });
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ(listed->at(0).value.id, "a");
  EXPECT_EQ(listed->at(1).value.id, "c");
  EXPECT_EQ(users_.list()->size(), 6U);
  // Of the value, or of the entry with its version.
  users_.set({"b", "", ""}).value();
  const auto changed = users_.list([](const TypedEntry<User>& entry) { return entry.version > 1; });
  ASSERT_EQ(changed->size(), 1U);
  EXPECT_EQ(changed->front().key, "b");
}

TEST_F(TypedCalls, keys_are_walked_in_the_order_of_their_bytes) {
  for (const char* id : {"b", "a1", "a10", "a2", "\xc3\xa4"}) users_.set({id, "", ""}).value();
  store_.set("user", "1").value();
  store_.set("user0", "1").value();
  EXPECT_EQ(keys(users_.all()), (Keys{"a1", "a10", "a2", "b", "\xc3\xa4"}));
  EXPECT_EQ(keys(users_.all().reversed()), (Keys{"\xc3\xa4", "b", "a2", "a10", "a1"}));
  EXPECT_EQ(keys(users_.prefix("a")), (Keys{"a1", "a10", "a2"}));
  EXPECT_EQ(keys(users_.range("a10", "b")), (Keys{"a10", "a2"}));
  EXPECT_EQ(keys(users_.range("b", "")), (Keys{"b", "\xc3\xa4"}));
  EXPECT_EQ(keys(users_.range("", "a2")), (Keys{"a1", "a10"}));
}

TEST_F(TypedCalls, a_value_that_does_not_fit_is_one_error_among_the_others) {
  users_.set({"a", "", ""}).value();
  store_.set("user/b", "5").value();
  users_.set({"c", "", ""}).value();
  Keys good;
  Keys bad;
  for (const auto& user : users_.all()) {
    if (user) {
      good.push_back(user->key);
    } else {
      EXPECT_EQ(user.error(), errc::wrong_type);
      bad.emplace_back(user.error().key());
    }
  }
  EXPECT_EQ(good, (Keys{"a", "c"}));
  EXPECT_EQ(bad, (Keys{"user/b"}));
  EXPECT_EQ(users_.list().error(), errc::wrong_type);
}

TEST_F(TypedCalls, a_walk_that_cannot_begin_says_so) {
  store_.close();
  int elements = 0;
  for (const auto& user : users_.all()) {
    ++elements;
    EXPECT_EQ(user.error(), errc::closed);
  }
  EXPECT_EQ(elements, 1);
  EXPECT_EQ(users_.list().error(), errc::closed);
  EXPECT_EQ(users_.get("a").error(), errc::closed);
}

TEST_F(TypedCalls, a_snapshot_shows_one_state_and_its_range_outlives_it) {
  users_.set({"a", "old", ""}).value();
  const TypedSnapshot<User> before = users_.snapshot();
  const Snapshot both = store_.snapshot();
  users_.set({"a", "new", ""}).value();
  EXPECT_EQ(before.get("a")->value.name, "old");
  EXPECT_EQ(users_.in(both).get("a")->value.name, "old");
  EXPECT_TRUE(orders_.in(both).list()->empty());
  EXPECT_EQ(users_.get("a")->value.name, "new");
  EXPECT_EQ(before.untyped().sequence(), both.sequence());
  const TypedRange<User> range = users_.all();
  EXPECT_EQ(range.begin()->value().value.name, "new");
}

TEST_F(TypedCalls, a_transaction_reads_its_own_writes_and_conflicts) {
  users_.set({"a", "", ""}).value();
  auto tx = users_.begin();
  EXPECT_TRUE(tx.get("a").has_value());
  ASSERT_TRUE(tx.set({"b", "mine", ""}).has_value());
  EXPECT_EQ(tx.get("b")->value.name, "mine");
  EXPECT_EQ(tx.get("b")->version, 0U);
  tx.erase("a");
  EXPECT_EQ(keys(tx.all()), (Keys{"b"}));
  users_.set({"a", "theirs", ""}).value();
  EXPECT_EQ(tx.commit().error(), errc::transaction_conflict);
  EXPECT_EQ(users_.get("b").error(), errc::absent);
}

TEST_F(TypedCalls, several_types_change_in_one_transaction) {
  Transaction tx = store_.begin();
  ASSERT_TRUE(users_.in(tx).set({"a", "", ""}).has_value());
  Order order;
  order.number = 5;
  ASSERT_TRUE(orders_.in(tx).set(order).has_value());
  orders_.in(tx).check(6, expect_absent);
  const auto committed = tx.commit().value();
  EXPECT_EQ(users_.get("a")->sequence, committed.sequence);
  EXPECT_EQ(orders_.get(5)->sequence, committed.sequence);
}

TEST_F(TypedCalls, the_filter_of_a_transaction_may_write_in_it) {
  for (const char* id : {"a", "b"}) users_.set({id, "", ""}).value();
  const auto done = users_.transact([](TypedTransaction<User>& tx) -> Result<void> {
    auto listed = tx.list([&tx](const User& user) {
      return tx.set({user.id + user.id, "", ""}).has_value() && user.id == "a";
    });
    if (!listed) return listed.error();
    EXPECT_EQ(listed->size(), 1U);
    return {};
  });
  ASSERT_TRUE(done.has_value()) << done.error().text();
  EXPECT_EQ(keys(users_.all()), (Keys{"a", "aa", "b", "bb"}));
}

TEST_F(TypedCalls, a_batch_takes_typed_values) {
  Batch batch;
  ASSERT_TRUE(users_.put(batch, {"a", "", ""}, expect_absent).has_value());
  ASSERT_TRUE(users_.put(batch, {"b", "", ""}).has_value());
  ASSERT_TRUE(store_.submit(batch).wait().has_value());
  EXPECT_EQ(users_.list()->size(), 2U);
}

TEST_F(TypedCalls, a_key_that_breaks_a_rule_is_the_stores_to_refuse) {
  EXPECT_EQ(users_.set({std::string(kMaxKeyBytes, 'k'), "", ""}).error(), errc::too_large);
  TypedStore<User> all(store_);
  EXPECT_EQ(all.set({"", "", ""}).error(), errc::bad_key);
}

static_assert(std::input_iterator<TypedRange<User>::Iterator>);
// What takes views of something gone does not compile.
template <class T, class From>
concept looks_into = requires(T store, From&& from) {
  store.in(std::forward<From>(from));
};
static_assert(looks_into<TypedStore<User>, const Snapshot&>);
static_assert(!looks_into<TypedStore<User>, Snapshot>);
static_assert(looks_into<TypedStore<User>, Transaction&>);
static_assert(!looks_into<TypedStore<User>, Transaction>);
static_assert(std::is_constructible_v<TypedStore<User>, Store&, std::string>);
static_assert(!std::is_constructible_v<TypedStore<User>, Store, std::string>);
// Keys are integers and strings, and nothing that only looks like one.
struct KeyedByTruth {
  [[nodiscard]] static bool key() { return true; }
};
struct KeyedByCharacter {
  [[nodiscard]] static char key() { return 'a'; }
};
static_assert(Keyed<User> && Keyed<Order> && Keyed<Event>);
static_assert(!Keyed<KeyedByTruth> && !Keyed<KeyedByCharacter> && !Keyed<std::string>);

}  // namespace
}  // namespace dfs
