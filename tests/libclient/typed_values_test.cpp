// What is stored is JSON as anybody writes it, what is read is exactly what was stored, and what
// does not fit says where.
#include <dfs/typed.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/libclient/typed_fixture.hpp"

namespace dfs {
namespace {

using test::Anything;
using test::Event;
using test::Line;
using test::Order;
using test::Parts;
using test::User;

class TypedValues : public test::Typed {};

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

TEST_F(TypedValues, what_another_program_wrote_is_read) {
  store_.set("user/u", R"( { "email": "", "name": "\u00e4\n\"", "id": "u" } )").value();
  EXPECT_EQ(users_.get("u")->value, (User{"u", "\xc3\xa4\n\"", ""}));
}

TEST_F(TypedValues, numbers_are_kept_exactly) {
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

TEST_F(TypedValues, reading_changes_nothing_on_disk_and_what_is_printed_anew_is_said) {
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

TEST_F(TypedValues, a_number_that_no_double_holds_does_not_fit_anything) {
  TypedStore<Anything> any(store_, "any/");
  store_.set("any/x", R"({"id":"x","is":{"a":[1,1e400]}})").value();
  expect_misfit(any, "x", "/is/a/1 is 1e400, which no double holds");
}

TEST_F(TypedValues, what_json_cannot_hold_is_refused_with_its_place) {
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

TEST_F(TypedValues, what_does_not_fit_is_named_by_key_and_pointer) {
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

TEST_F(TypedValues, types_are_looked_through_as_deep_as_they_go) {
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

TEST_F(TypedValues, an_optional_member_may_be_missing) {
  // So a type may be given another one, and what is stored already still fits.
  store_
      .set("order/7",
           R"({"number":7,"total":1,"ticket":1,"paid":true,"colour":"red","lines":[],"rates":{}})")
      .value();
  const auto order = orders_.get(7);
  ASSERT_TRUE(order.has_value()) << order.error().text();
  EXPECT_EQ(order->value.note, std::nullopt);
}

TEST_F(TypedValues, a_value_that_names_another_key_does_not_fit) {
  store_.set("user/a", R"({"id":"b","name":"","email":""})").value();
  expect_misfit(users_, "a", "it says that its key is user/b");
}

TEST_F(TypedValues, conversions_by_hand_are_used_and_their_failures_named) {
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

}  // namespace
}  // namespace dfs
