// A served store that several types share, and what its tests ask of it.
#pragma once

#include <dfs/typed.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/libclient/served_store.hpp"
#include "tests/libclient/typed_samples.hpp"

namespace dfs::test {

class Typed : public ::testing::Test {
 protected:
  /// What stands under a key, as any other program sees it.
  std::string text(std::string_view key) { return store_.get(key).value().value; }

  ServedStore served_;
  Store store_ = served_.open();
  TypedStore<User> users_{store_, "user/"};
  TypedStore<Order> orders_{store_, "order/"};
};

}  // namespace dfs::test
