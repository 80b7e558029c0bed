// A store of a program's own type: what is stored is JSON as anybody writes it, what is read is
// exactly what was stored, and what does not fit says where.
#include <dfs/typed.hpp>

#include <algorithm>
#include <bit>
#include <boost/describe.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/libclient/served_store.hpp"

namespace dfs {
namespace {

using test::ServedStore;

struct User {
  std::string id;
  std::string name;
  std::string email;

  [[nodiscard]] const std::string& key() const { return id; }
  friend bool operator==(const User&, const User&) = default;
};
BOOST_DESCRIBE_STRUCT(User, (), (id, name, email))

enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

struct Line {
  std::string article;
  std::uint8_t count = 0;
};
BOOST_DESCRIBE_STRUCT(Line, (), (article, count))
bool operator==(const Line& a, const Line& b) {
  return a.article == b.article && a.count == b.count;
}

/// Something of everything.
struct Order {
  std::int64_t number = 0;
  double total = 0;
  std::uint64_t ticket = 0;
  bool paid = false;
  Colour colour = Colour::red;
  std::optional<std::string> note;
  std::vector<Line> lines;
  std::map<std::string, double> rates;

  [[nodiscard]] std::int64_t key() const { return number; }
};
BOOST_DESCRIBE_STRUCT(Order, (), (number, total, ticket, paid, colour, note, lines, rates))

/// Converted by hand, and sorted by its number.
struct Event {
  std::int32_t number = 0;
  std::string text;
  [[nodiscard]] std::string key() const { return ordered_key(number); }
};
void tag_invoke(const boost::json::value_from_tag&, boost::json::value& to, const Event& event) {
  if (event.text.empty()) throw std::invalid_argument("an event says something");
  to = {event.number, event.text};
}
Event tag_invoke(const boost::json::value_to_tag<Event>&, const boost::json::value& from) {
  return {boost::json::value_to<std::int32_t>(from.at(0)),
          boost::json::value_to<std::string>(from.at(1))};
}

struct Anything {
  std::string id;
  boost::json::value is;
  [[nodiscard]] std::string key() const { return id; }
};
BOOST_DESCRIBE_STRUCT(Anything, (), (id, is))

struct Parts {
  std::string id;
  boost::json::object object;
  boost::json::array array;
  boost::json::string text;
  std::map<std::string, std::vector<std::optional<Line>>> deep;
  std::tuple<int, std::string> pair;
  [[nodiscard]] std::string key() const { return id; }
};
BOOST_DESCRIBE_STRUCT(Parts, (), (id, object, array, text, deep, pair))

struct Number {
  std::string id;
  double is = 0;
  [[nodiscard]] std::string key() const { return id; }
};
BOOST_DESCRIBE_STRUCT(Number, (), (id, is))

class Typed : public ::testing::Test {
 protected:
  /// What stands under a key, as any other program sees it.
  std::string text(std::string_view key) { return store_.get(key).value().value; }
  template <class V>
  void expect_misfit(TypedStore<V>& values, typed::KeyOf<V> key, const std::string& complaint) {
    const auto read = values.get(key);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error(), errc::wrong_type);
    EXPECT_EQ(read.error().key(), values.full_key(key));
    EXPECT_EQ(read.error().text(), "the value of key \"" + values.full_key(key) +
                                       "\" is not of the type asked for: " + complaint +
                                       "; migrate it");
  }
  template <class V>
  static std::vector<std::string> keys(const TypedRange<V>& range) {
    std::vector<std::string> found;
    for (const auto& element : range) found.push_back(element.value().key);
    return found;
  }

  ServedStore served_;
  Store store_ = served_.open();
  TypedStore<User> users_{store_, "user/"};
  TypedStore<Order> orders_{store_, "order/"};
};

using Keys = std::vector<std::string>;

TEST_F(Typed, what_is_set_is_got_and_is_plain_json_to_everybody_else) {
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

TEST_F(Typed, what_another_program_wrote_is_read) {
  store_.set("user/u", R"( { "email": "", "name": "\u00e4\n\"", "id": "u" } )").value();
  EXPECT_EQ(users_.get("u")->value, (User{"u", "\xc3\xa4\n\"", ""}));
}

TEST_F(Typed, a_miss_is_absent) {
  EXPECT_EQ(users_.get("nobody").error(), errc::absent);
  EXPECT_TRUE(users_.list()->empty());
}

TEST_F(Typed, the_prefix_belongs_to_every_key_and_parts_the_types) {
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

TEST_F(Typed, without_a_prefix_the_whole_store_is_of_the_type) {
  TypedStore<User> all(store_);
  all.set({"b", "", ""}).value();
  all.set({"a", "", ""}).value();
  EXPECT_EQ(keys(all.all()), (Keys{"a", "b"}));
  EXPECT_EQ(keys(all.range("b", "")), (Keys{"b"}));
}

TEST_F(Typed, expectations_are_kept_or_named) {
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

TEST_F(Typed, the_filter_of_a_list_may_use_the_store_and_change_it) {
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

TEST_F(Typed, keys_are_walked_in_the_order_of_their_bytes) {
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

TEST_F(Typed, a_value_that_does_not_fit_is_one_error_among_the_others) {
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

TEST_F(Typed, a_walk_that_cannot_begin_says_so) {
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

TEST_F(Typed, a_snapshot_shows_one_state_and_its_range_outlives_it) {
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

TEST_F(Typed, a_transaction_reads_its_own_writes_and_conflicts) {
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

TEST_F(Typed, several_types_change_in_one_transaction) {
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

TEST_F(Typed, the_filter_of_a_transaction_may_write_in_it) {
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

TEST_F(Typed, a_batch_takes_typed_values) {
  Batch batch;
  ASSERT_TRUE(users_.put(batch, {"a", "", ""}, expect_absent).has_value());
  ASSERT_TRUE(users_.put(batch, {"b", "", ""}).has_value());
  ASSERT_TRUE(store_.submit(batch).wait().has_value());
  EXPECT_EQ(users_.list()->size(), 2U);
}

TEST_F(Typed, numbers_are_kept_exactly) {
  Order order;
  order.number = std::numeric_limits<std::int64_t>::min();
  order.total = 19.99;
  order.ticket = std::numeric_limits<std::uint64_t>::max();
  order.rates = {{"large", 1e300}, {"small", 5e-324}, {"third", 1.0 / 3}, {"whole", 3.0}};
  order.lines = {{"a", 255}};
  orders_.set(order).value();
  EXPECT_EQ(text("order/-9223372036854775808"),
            R"({"number":-9223372036854775808,"total":19.99,"ticket":18446744073709551615,)"
            R"("paid":false,"colour":"red","note":null,"lines":[{"article":"a","count":255}],)"
            R"("rates":{"large":1e+300,"small":5e-324,"third":0.3333333333333333,"whole":3}})");
  const Order found = orders_.get(order.number)->value;
  EXPECT_EQ(found.total, 19.99);
  EXPECT_EQ(found.ticket, order.ticket);
  EXPECT_EQ(found.rates, order.rates);
}

TEST(TypedText, every_double_reads_back_as_itself) {
  const bool all = rc::check("print and read", [](std::uint64_t bits) {
    const auto number = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(number));
    RC_PRE(number != 0 || !std::signbit(number));
    const auto text = typed::to_text(Number{"k", number}, "k").value();
    RC_ASSERT(std::bit_cast<std::uint64_t>(typed::from_text<Number>(text, "k")->is) == bits);
    // Shortest: one digit less is another number.
    RC_ASSERT(text.size() <= std::string(R"({"id":"k","is":-2.2250738585072014e-308})").size());
  });
  EXPECT_TRUE(all);
}

TEST(TypedText, long_fractions_are_read_correctly_rounded) {
  // Half a bit off, each, where digits are added up one by one.
  for (const auto& [text, number] :
       std::map<std::string, double>{{"0.1000000000000000055511151231257827", 0.1},
                                     {"7.038531e-26", 7.038531e-26},
                                     {"9007199254740993.0000001", 9007199254740994.0},
                                     {"2.2250738585072011e-308", 2.2250738585072011e-308},
                                     {"123456789012345678901234567890", 1.2345678901234568e29}}) {
    const auto read = typed::from_text<Number>(R"({"id":"k","is":)" + text + "}", "k");
    ASSERT_TRUE(read.has_value()) << text << ": " << read.error().text();
    EXPECT_EQ(read->is, number) << text;
  }
}

TEST(TypedText, every_text_of_utf8_reads_back_as_itself) {
  std::string all;
  for (char c = 0; c < 127; ++c) all += c;
  all += "\x7f\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
  for (const std::string& text : {all, std::string(), std::string("\0", 1)}) {
    const User user{"k", text, "\"\\/"};
    const auto printed = typed::to_text(user, "k").value();
    EXPECT_EQ(typed::from_text<User>(printed, "k").value(), user) << printed;
  }
  for (const char* text : {"\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    EXPECT_EQ(typed::to_text(User{"k", text, ""}, "k").error(), errc::bad_value);
  }
}

TEST(TypedText, no_text_whatever_it_is_does_harm) {
  // What another program wrote is input; so is what a revoked snapshot holds.
  Order order;
  order.total = 1e300;
  order.note = "n";
  order.lines = {{"a", 1}};
  const std::string whole = typed::to_text(order, "k").value();
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_EQ(typed::from_text<Order>(whole.substr(0, cut), "k").error(), errc::wrong_type);
    for (const char c : {'\0', '"', '}', '9', '\xff'}) {
      std::string spoilt = whole;
      spoilt[cut] = c;
      const auto read = typed::from_text<Order>(spoilt, "k");
      EXPECT_TRUE(read.has_value() || read.error() == errc::wrong_type) << spoilt;
    }
  }
  EXPECT_EQ(typed::from_text<Order>(whole + " 1", "k").error(), errc::wrong_type);
  EXPECT_EQ(typed::from_text<Anything>(std::string(100'000, '['), "k").error(), errc::wrong_type);
}

TEST(TypedText, what_is_nested_deeper_than_a_value_may_be_is_refused) {
  Anything deep{"k", 1};
  for (std::size_t i = 0; i < kMaxValueDepth; ++i) deep.is = boost::json::array{deep.is};
  EXPECT_EQ(typed::to_text(deep, "k").error(), errc::bad_value);
}

TEST_F(Typed, reading_changes_nothing_on_disk_and_what_is_printed_anew_is_said) {
  const std::string odd =
      R"({"id":"x","is":[19.990,1E2,123456789012345678901,0.10000000000000000001,-0]})";
  store_.set("any/x", odd).value();
  TypedStore<Anything> any(store_, "any/");
  const Anything read = any.get("x")->value;
  EXPECT_EQ(any.list()->size(), 1U);
  EXPECT_EQ(text("any/x"), odd);
  any.set(read).value();
  EXPECT_EQ(text("any/x"), R"({"id":"x","is":[19.99,100,123456789012345683968,0.1,0]})");
}

TEST_F(Typed, a_number_that_no_double_holds_does_not_fit_anything) {
  TypedStore<Anything> any(store_, "any/");
  store_.set("any/x", R"({"id":"x","is":{"a":[1,1e400]}})").value();
  expect_misfit(any, "x", "/is/a/1 is 1e400, which no double holds");
}

TEST_F(Typed, what_json_cannot_hold_is_refused_with_its_place) {
  Order order;
  const auto expect_refused = [&](const std::string& complaint) {
    const auto refused = orders_.set(order);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error(), errc::bad_value);
    EXPECT_EQ(refused.error().key(), "order/0");
    EXPECT_EQ(refused.error().text(),
              "the value of key \"order/0\" cannot be stored: " + complaint);
    EXPECT_EQ(orders_.get(0).error(), errc::absent);
  };
  order.total = std::numeric_limits<double>::quiet_NaN();
  expect_refused("/total is NaN, which JSON does not have");
  order.total = -0.0;
  expect_refused("/total is -0.0, which readers take for 0; store 0");
  order.total = 0;
  order.rates["a/b~c"] = std::numeric_limits<double>::infinity();
  expect_refused("/rates/a~1b~0c is infinite, which JSON does not have");
  order.rates.clear();
  order.lines = {{"fine", 1}, {"\xff", 1}};
  expect_refused(
      "/lines/1/article is a string that is not UTF-8; encode bytes as text, in hex for example");
  Batch batch;
  EXPECT_EQ(orders_.put(batch, order).error(), errc::bad_value);
  EXPECT_EQ(batch.size(), 0U);
  auto tx = orders_.begin();
  EXPECT_EQ(tx.set(order).error(), errc::bad_value);
  EXPECT_EQ(tx.commit()->sequence, 0U);
}

TEST_F(Typed, what_does_not_fit_is_named_by_key_and_pointer) {
  const auto with = [this](std::string_view name, std::string_view value) {
    boost::json::object whole =
        boost::json::parse(
            R"({"number":7,"total":1,"ticket":1,"paid":true,"colour":"green","note":"n",)"
            R"("lines":[{"article":"a","count":1},{"article":"b","count":2}],"rates":{"x":1}})")
            .as_object();
    value.empty() ? void(whole.erase(name)) : void(whole[name] = boost::json::parse(value));
    store_.set("order/7", boost::json::serialize(whole)).value();
  };
  with("paid", "true");
  EXPECT_TRUE(orders_.get(7).has_value());
  with("paid", "\"yes\"");
  expect_misfit(orders_, 7, "/paid is a string where true or false is wanted");
  with("total", "null");
  expect_misfit(orders_, 7, "/total is null where a number is wanted");
  with("ticket", "-1");
  expect_misfit(orders_, 7,
                "/ticket is -1 where an integer from 0 to 18446744073709551615 is wanted");
  with("ticket", "1.5");
  expect_misfit(orders_, 7,
                "/ticket is 1.5 where an integer from 0 to 18446744073709551615 is wanted");
  with("colour", "\"blue\"");
  expect_misfit(orders_, 7, "/colour is a string where the name of one of its values is wanted");
  with("note", "[]");
  expect_misfit(orders_, 7, "/note is an array where a string or null is wanted");
  with("lines", R"([{"article":"a","count":1},{"article":"b","count":256}])");
  expect_misfit(orders_, 7, "/lines/1/count is 256 where an integer from 0 to 255 is wanted");
  with("lines", R"({"0":1})");
  expect_misfit(orders_, 7, "/lines is an object where an array is wanted");
  with("rates", R"({"x":1,"y/z":"1"})");
  expect_misfit(orders_, 7, "/rates/y~1z is a string where a number is wanted");
  with("paid", "");
  expect_misfit(orders_, 7, "/paid is missing where true or false is wanted");
  with("lines", R"([{"article":"a","count":1,"price":3}])");
  expect_misfit(orders_, 7, "/lines/0/price is a member that the type does not have");
  with("extra", "1");
  expect_misfit(orders_, 7, "/extra is a member that the type does not have");
  store_.set("order/7", "[1]").value();
  expect_misfit(orders_, 7, "it is an array where an object is wanted");
}

TEST_F(Typed, types_are_looked_through_as_deep_as_they_go) {
  TypedStore<Parts> all(store_, "parts/");
  Parts parts{"1", {{"a", 1}}, {1, "b"}, "c", {{"d", {Line{"e", 1}, std::nullopt}}}, {7, "f"}};
  all.set(parts).value();
  EXPECT_EQ(text("parts/1"), R"({"id":"1","object":{"a":1},"array":[1,"b"],"text":"c",)"
                             R"("deep":{"d":[{"article":"e","count":1},null]},"pair":[7,"f"]})");
  EXPECT_EQ(all.get("1")->value.deep, parts.deep);
  EXPECT_EQ(all.get("1")->value.object, parts.object);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed =
        R"({"id":"1","object":{},"array":[],"text":"","deep":{"d":[{"article":"e","count":1},null]},"pair":[7,"f"]})";
    changed.replace(changed.find(from), from.size(), to);
    store_.set("parts/1", changed).value();
  };
  with(R"("object":{})", R"("object":[])");
  expect_misfit(all, "1", "/object is an array where an object is wanted");
  with(R"("text":"")", R"("text":1)");
  expect_misfit(all, "1", "/text is 1 where a string is wanted");
  with("null", R"({"article":1,"count":1})");
  expect_misfit(all, "1", "/deep/d/1/article is 1 where a string is wanted");
  with("null", R"({"article":"","count":1,"x":1})");
  expect_misfit(all, "1", "/deep/d/1/x is a member that the type does not have");
  with(R"([7,"f"])", "[7]");
  expect_misfit(all, "1", "/pair is an array where an array of 2 is wanted");
}

TEST_F(Typed, an_optional_member_may_be_missing) {
  // So a type may be given another one, and what is stored already still fits.
  store_
      .set("order/7",
           R"({"number":7,"total":1,"ticket":1,"paid":true,"colour":"red","lines":[],"rates":{}})")
      .value();
  const auto order = orders_.get(7);
  ASSERT_TRUE(order.has_value()) << order.error().text();
  EXPECT_EQ(order->value.note, std::nullopt);
}

TEST_F(Typed, a_value_that_names_another_key_does_not_fit) {
  store_.set("user/a", R"({"id":"b","name":"","email":""})").value();
  expect_misfit(users_, "a", "it says that its key is user/b");
}

TEST_F(Typed, conversions_by_hand_are_used_and_their_failures_named) {
  TypedStore<Event> events(store_, "event/");
  events.set({-5, "before"}).value();
  events.set({10, "after"}).value();
  events.set({9, "now"}).value();
  EXPECT_EQ(text("event/b10"), R"([10,"after"])");
  std::vector<int> numbers;
  for (const auto& event : events.all()) numbers.push_back(event.value().value.number);
  EXPECT_EQ(numbers, (std::vector<int>{-5, 9, 10}));
  EXPECT_EQ(events.get(ordered_key(9))->value.text, "now");
  store_.set("event/b10", R"({"number":10})").value();
  expect_misfit(events, "b10",
                "it is an object where what the program's conversion takes is wanted");
  EXPECT_EQ(events.set({1, ""}).error().text(),
            "the value of key \"event/a1\" cannot be stored: it does not convert: an event says "
            "something");
}

TEST_F(Typed, a_key_that_breaks_a_rule_is_the_stores_to_refuse) {
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
