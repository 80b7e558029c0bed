#include "common/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace dfs {
namespace {

TEST(Results, value_throws_the_error_where_there_is_none) {
  const Result<int> good = 7;
  EXPECT_EQ(good.value(), 7);
  const Result<int> bad = Error(errc::busy, "later");
  EXPECT_FALSE(bad);
  try {
    static_cast<void>(bad.value());
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_EQ(error, errc::busy);
    EXPECT_EQ(error.text(), "later");
  }
}

TEST(Results, a_void_result_throws_as_well) {
  EXPECT_NO_THROW(Result<void>().value());
  EXPECT_THROW(Result<void>(errc::timeout).value(), Error);
}

TEST(Results, move_only_values_go_through) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(5);
  EXPECT_EQ(*std::move(made).value(), 5);
}

TEST(Results, errors_go_through_a_chain_unchanged) {
  const auto twice = [](int n) -> Result<int> { return n * 2; };
  EXPECT_EQ(Result<int>(4).and_then(twice).value(), 8);
  EXPECT_EQ(Result<int>(errc::absent).and_then(twice).error(), errc::absent);
  EXPECT_EQ(Result<int>(4).transform([](int n) { return n + 0.5; }).value(), 4.5);
  EXPECT_EQ(Result<int>(errc::absent).value_or(3), 3);
}

}  // namespace
}  // namespace dfs
