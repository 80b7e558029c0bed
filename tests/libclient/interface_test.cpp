// The interface as it is promised: every call compiles as written, and what must not compile does
// not.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>
#include <dfs/testing.hpp>
#include <dfs/typed.hpp>

#include <boost/describe.hpp>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace dfs {
namespace {

struct User {
  std::string id;
  [[nodiscard]] std::string key() const { return id; }
};
BOOST_DESCRIBE_STRUCT(User, (), (id))

// Views of something that is gone at the end of the statement do not compile.
template <class T>
concept gives_an_entry = requires(T&& from) {
  std::forward<T>(from).get("k");
};
template <class T>
concept gives_a_prefix = requires(T&& from) {
  std::forward<T>(from).prefix("k");
};
template <class T>
concept gives_a_range = requires(T&& from) {
  std::forward<T>(from).range("a", "b");
};
template <class T>
concept gives_all = requires(T&& from) {
  std::forward<T>(from).all();
};
template <class T>
concept gives_a_list = requires(T&& from) {
  std::forward<T>(from).list([](const Entry&) { return true; });
};
template <class T>
concept gives_many = requires(T&& from, std::vector<std::string_view> keys,
                              std::vector<Result<Entry>> entries) {
  std::forward<T>(from).get_many(keys, entries);
};

static_assert(gives_an_entry<const Snapshot&> && !gives_an_entry<Snapshot>);
static_assert(gives_a_prefix<const Snapshot&> && !gives_a_prefix<Snapshot>);
static_assert(gives_a_range<const Snapshot&> && !gives_a_range<Snapshot>);
static_assert(gives_all<const Snapshot&> && !gives_all<Snapshot>);
static_assert(gives_a_list<const Snapshot&> && !gives_a_list<Snapshot>);
static_assert(gives_many<const Snapshot&> && !gives_many<Snapshot>);
static_assert(gives_an_entry<Transaction&> && !gives_an_entry<Transaction>);
static_assert(gives_a_prefix<Transaction&> && !gives_a_prefix<Transaction>);
static_assert(gives_a_range<Transaction&> && !gives_a_range<Transaction>);
static_assert(gives_all<Transaction&> && !gives_all<Transaction>);

// Handles move and do not copy.
template <class T>
constexpr bool moves_only =
    std::is_nothrow_move_constructible_v<T>&& std::is_nothrow_move_assignable_v<T> &&
    !std::is_copy_constructible_v<T>;
static_assert(moves_only<Store> && moves_only<Snapshot> && moves_only<Transaction> &&
              moves_only<Pending> && moves_only<testing::TemporaryStore>);

// An error is a std::error_code, and is thrown as what it is.
static_assert(std::is_error_code_enum_v<errc> && std::is_base_of_v<std::exception, Error>);
static_assert(std::is_convertible_v<errc, std::error_code>);
// What an entry and a commit hold.
static_assert(std::is_same_v<decltype(Entry::key), std::string_view> &&
              std::is_same_v<decltype(Entry::value), std::string_view> &&
              std::is_same_v<decltype(Entry::version), std::uint64_t> &&
              std::is_same_v<decltype(Entry::sequence), std::uint64_t>);
static_assert(std::bidirectional_iterator<Range::Iterator> &&
              std::is_same_v<std::iter_reference_t<Range::Iterator>, Entry>);

// A call without its value is an error; asking for it and dropping it says "or throw".
void use(std::string_view, std::string_view, std::uint64_t, std::uint64_t) {}
void use(const Entry&) {}
void use(Resolution) {}
void report(const Error&) {}

/// Never run: it is here to be compiled.
[[maybe_unused]] void every_call(std::vector<std::string_view> keys,
                                 std::vector<Result<Entry>> entries,
                                 std::chrono::milliseconds timeout) {
  auto store = dfs::Store::open("users.db").value();

  auto c = store.set("user123", R"({"name":"Alice"})").value();
  store.set("user123", R"({"name":"Bob"})", dfs::expect_version(c.version)).value();
  if (auto r = store.set("user124", "{}", dfs::expect_absent); !r) report(r.error());
  store.erase("user123").value();
  store.set("paid", "1", {.expect = dfs::expect_present, .durability = dfs::Durability::durable})
      .value();

  dfs::Snapshot snap = store.snapshot();
  if (auto e = snap.get("user124")) use(e->key, e->value, e->version, e->sequence);
  for (const dfs::Entry& e : snap.prefix("user")) use(e);
  for (const dfs::Entry& e : snap.range("a", "b")) use(e);
  const dfs::Range everything = snap.all();
  for (const dfs::Entry& e : everything) use(e);
  everything.status().value();
  snap.check().value();
  snap.get_many(keys, entries);
  auto v = store.get("user124");

  dfs::Transaction tx = store.begin();
  auto a = tx.get("a");
  tx.check("b", dfs::expect_absent).set("c", "1").erase("d");
  auto r2 = tx.commit();
  store.transact([](dfs::Transaction& /*tx*/) { /* ... */ }).value();
  store.transact([](dfs::Transaction& /*tx*/) { return true; }).value();
  store.transact([](dfs::Transaction& /*tx*/) -> dfs::Result<void> { return {}; }).value();

  dfs::Pending p =
      store.submit(dfs::Batch().set("a", "1").erase("b").check("c", dfs::expect_version(7)));
  if (!p.ready() && p.wait(timeout)) return;
  auto done = p.wait();
  store.sync(c.sequence).value();

  const dfs::Position after = snap.position();
  dfs::Watch w = store.watch("user/", after).value();
  while (auto change = w.next(timeout)) {
    use(change->key, change->value, change->version, change->sequence);
    if (change->erased || change->own || change->last_of_commit) return;
  }
  if (w.position() == after) return;
  w.stop();
  store.fd();
  if (done.error() == dfs::errc::unknown) use(store.resolve(done.error().commit()).value());
  if (store.state() == dfs::StoreState::forked) store.reopen().value();

  dfs::TypedStore<User> users(store, "user/");
  users.set({"1"}).value();
  if (r2 && v && a && done) return;
}

/// Never run either: all that may be chosen.
[[maybe_unused]] dfs::Result<dfs::Store> open_with_every_option() {
  dfs::Options options;
  options.create = false;
  options.autostart = dfs::Autostart::never;
  options.read_only = true;
  options.durability = dfs::Durability::durable;
  options.timeout = std::chrono::seconds(1);
  options.wait_for_daemon = std::chrono::seconds(1);
  options.origin = "test";
  options.logger = [](std::string_view) {};
  options.daemon.memory_limit = std::uint64_t{1} << 30;
  return dfs::Store::open("users.db", options);
}

TEST(Interface, version_0_is_absent) { EXPECT_EQ(expect_version(0), expect_absent); }

TEST(Interface, a_store_that_cannot_be_opened_says_why) {
  auto store = Store::open("/surely/no/such/place/users.db");
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error(), errc::no_store);
  EXPECT_FALSE(store.error().text().empty());
}

}  // namespace
}  // namespace dfs
