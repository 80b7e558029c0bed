// What the tests of typed stores store: types as a program has them, described or converted by
// hand.
#pragma once

#include <dfs/typed.hpp>

#include <boost/describe.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace dfs::test {

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
inline bool operator==(const Line& a, const Line& b) {
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
inline void tag_invoke(const boost::json::value_from_tag&, boost::json::value& to,
                       const Event& event) {
  if (event.text.empty()) throw std::invalid_argument("an event says something");
  to = {event.number, event.text};
}
inline Event tag_invoke(const boost::json::value_to_tag<Event>&, const boost::json::value& from) {
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

}  // namespace dfs::test
