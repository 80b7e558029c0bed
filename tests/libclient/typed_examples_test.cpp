// The programs of the Go library's document, as they are written here; compiled and run.
#include <dfs/typed.hpp>

#include <boost/describe.hpp>
#include <chrono>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/libclient/served_store.hpp"

namespace example {

struct User {
  std::string id;
  std::string name;
  std::string email;

  [[nodiscard]] std::string key() const { return id; }
};
BOOST_DESCRIBE_STRUCT(User, (), (id, name, email))

// Basic usage.
void use_basically(dfs::Store& store, std::ostream& out) {
  dfs::TypedStore<User> users(store, "user/");

  // Store a user.
  const User alice{.id = "user123", .name = "Alice", .email = "alice@example.com"};
  users.set(alice).value();

  // Retrieve a user.
  if (const auto user = users.get("user123")) {
    out << "Found user: " << user->value.name << '\n';
  }

  // List all of them.
  for (const auto& user : users.all()) out << user.value().key << '\n';
}

// Transactions.
dfs::Result<dfs::Committed> replace(dfs::TypedStore<User>& users) {
  auto tx = users.begin();
  if (auto set = tx.set({.id = "user1", .name = "Alice", .email = {}}); !set) {
    return std::move(set).error();  // rolled back with tx
  }
  tx.erase("user2");
  return tx.commit();  // errc::transaction_conflict: begin anew, or let `transact` do so
}

// Optimistic concurrency.
dfs::Result<dfs::Committed> update_email(dfs::TypedStore<User>& users, const std::string& id,
                                         const std::string& email) {
  const auto current = users.get(id);
  if (!current) return current.error();  // errc::absent: no such user
  User updated = current->value;
  updated.email = email;
  // errc::version_mismatch: somebody else has changed it meanwhile
  return users.set(updated, dfs::expect_version(current->version));
}

// Options; the queue's size and the interval of compaction are the daemon's.
dfs::Options options(std::vector<std::string>& told) {
  dfs::Options options;
  options.logger = [&told](std::string_view text) { told.emplace_back(text); };
  options.daemon.compaction_interval = std::chrono::minutes(5);
  options.daemon.queue_bytes = 64 << 20;
  return options;
}

// What can go wrong.
std::string advice(const dfs::Error& error) {
  if (error == dfs::errc::closed) return "the store was closed";
  if (error == dfs::errc::version_mismatch) return "read again, decide again";
  if (error == dfs::errc::transaction_conflict) return "begin anew";
  return std::string(error.text());
}

}  // namespace example

namespace dfs {
namespace {

using example::User;

class TypedExamples : public ::testing::Test {
 protected:
  test::ServedStore served_;
  Store store_ = served_.open();
  TypedStore<User> users_{store_, "user/"};
};

TEST_F(TypedExamples, a_user_is_stored_found_and_listed) {
  std::ostringstream out;
  example::use_basically(store_, out);
  EXPECT_EQ(out.str(), "Found user: Alice\nuser123\n");
}

TEST_F(TypedExamples, a_transaction_is_all_or_nothing) {
  users_.set({"user2", "Bob", ""}).value();
  const auto done = example::replace(users_).value();
  EXPECT_EQ(done.versions, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(users_.get("user1")->value.name, "Alice");
  EXPECT_EQ(users_.get("user2").error(), errc::absent);
}

TEST_F(TypedExamples, an_update_is_lost_to_nobody) {
  EXPECT_EQ(example::update_email(users_, "user1", "a@b").error(), errc::absent);
  users_.set({"user1", "Alice", ""}).value();
  EXPECT_EQ(example::update_email(users_, "user1", "a@b")->version, 2U);
  EXPECT_EQ(users_.get("user1")->value.email, "a@b");
  const auto late = users_.set({"user1", "Alice", "late"}, expect_version(1));
  EXPECT_EQ(example::advice(late.error()), "read again, decide again");
}

TEST_F(TypedExamples, errors_say_what_to_do) {
  auto tx = users_.begin();
  EXPECT_EQ(tx.get("user1").error(), errc::absent);
  users_.set({"user1", "", ""}).value();
  EXPECT_TRUE(tx.set({"user2", "", ""}).has_value());
  EXPECT_EQ(example::advice(tx.commit().error()), "begin anew");
  store_.close();
  EXPECT_EQ(example::advice(users_.set({"user1", "", ""}).error()), "the store was closed");
}

TEST_F(TypedExamples, options_are_taken) {
  std::vector<std::string> told;
  Options options = example::options(told);
  options.autostart = Autostart::never;
  EXPECT_TRUE(Store::open(served_.path(), options).has_value());
}

}  // namespace
}  // namespace dfs
