// A program outside of the project whose values are of a type of its own, and its own test: it
// knows the installed headers, libdfs.so and Boost.JSON.
#include <dfs/testing.hpp>
#include <dfs/typed.hpp>

#include <boost/describe.hpp>
#include <iostream>
#include <string>

struct Greeting {
  std::string language;
  std::string text;
  double warmth = 0;
  [[nodiscard]] std::string key() const { return language; }
};
BOOST_DESCRIBE_STRUCT(Greeting, (), (language, text, warmth))

namespace {

void greet(dfs::Store& store) {
  dfs::TypedStore<Greeting> greetings(store, "greeting/");
  const auto done = greetings.set({"en", "hello", 19.99}, dfs::expect_absent).value();
  for (const auto& greeting : greetings.all()) std::cout << greeting.value().value.text << ' ';
  std::cout << store.get("greeting/en").value().value << " version " << done.version << '\n';
}

// The same with a store that is gone afterwards, and a daemon that fails.
bool survives_a_crash() {
  auto temporary = dfs::testing::TemporaryStore::make().value();
  auto store = temporary.open().value();
  greet(store);
  temporary.restart().value();
  return dfs::TypedStore<Greeting>(store, "greeting/").get("en").value().version == 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2 || !survives_a_crash()) return 1;
  auto store = dfs::Store::open(arguments[1]).value();
  greet(store);
}
