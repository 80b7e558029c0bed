#include "common/wire/commit_id.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace dfs::wire {
namespace {

CommitId some_id(std::uint64_t sequence) {
  CommitId id;
  for (std::size_t i = 0; i < id.store.size(); ++i) id.store[i] = std::byte(17 * i);
  id.sequence = sequence;
  return id;
}

TEST(CommitId, prints_as_promised_and_comes_back) {
  EXPECT_EQ(to_text(some_id(1042)), "00112233445566778899aabbccddeeff-1042");
  for (const std::uint64_t sequence :
       {std::uint64_t{0}, std::uint64_t{1042}, std::numeric_limits<std::uint64_t>::max()}) {
    EXPECT_EQ(parse_commit_id(to_text(some_id(sequence))), some_id(sequence));
  }
  EXPECT_EQ(parse_commit_id("00112233445566778899AABBCCDDEEFF-1042"), some_id(1042));
}

TEST(CommitId, nothing_else_is_one) {
  const std::string good = to_text(some_id(1042));
  for (std::size_t cut = 0; cut < 34; ++cut) {
    EXPECT_FALSE(parse_commit_id(std::string_view(good).substr(0, cut))) << cut;
  }
  for (const char* bad :
       {"00112233445566778899aabbccddeeff-", "00112233445566778899aabbccddeeff",
        "00112233445566778899aabbccddeeff-+1", "00112233445566778899aabbccddeeff--1",
        "00112233445566778899aabbccddeeff-01", "00112233445566778899aabbccddeeff-1 ",
        "00112233445566778899aabbccddeeff-18446744073709551616",
        "g0112233445566778899aabbccddeeff-1", "00112233445566778899aabbccddeef-11"}) {
    EXPECT_FALSE(parse_commit_id(bad)) << bad;
  }
}

}  // namespace
}  // namespace dfs::wire
