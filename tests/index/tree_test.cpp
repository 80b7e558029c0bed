// The tree: prefixes and their splits, every kind of node, keys that end inside.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "common/index/cursor.hpp"
#include "common/index/tree_search.hpp"
#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

/// Above all keys of these tests: where it came first, no other lies in a run.
const std::string kAboveAll = "\xFF\xFF\xFF\xFF";

/// Inserts keys in the order given, into the tree; after each insertion of the first few and at the
/// end, a walk both ways and a search of each must agree with a sorted set.
void expect_order(const std::vector<std::string>& keys) {
  Subject subject;
  subject.set(kAboveAll, "1");
  std::set<std::string> expected = {kAboveAll};
  const auto agrees = [&] {
    const View view = subject.view();
    Cursor cursor(view, subject.sequence());
    cursor.seek_first();
    for (const std::string& key : expected) {
      ASSERT_TRUE(cursor.valid());
      ASSERT_EQ(cursor.record().key(), key);
      cursor.next();
    }
    ASSERT_FALSE(cursor.valid());
    cursor.seek_last();
    for (auto key = expected.rbegin(); key != expected.rend(); ++key) {
      ASSERT_TRUE(cursor.valid());
      ASSERT_EQ(cursor.record().key(), *key);
      cursor.prev();
    }
    ASSERT_FALSE(cursor.valid());
    Reach reach(view);
    for (const std::string& key : expected) {
      if (key == kAboveAll) continue;
      ASSERT_EQ(search_tree(reach, key).outcome, Outcome::found);
      ASSERT_EQ(search_tree(reach, key + "x").outcome,
                expected.contains(key + "x") ? Outcome::found : Outcome::absent);
      cursor.seek(key);
      ASSERT_TRUE(cursor.valid());
      ASSERT_EQ(cursor.record().key(), key);
    }
  };
  for (const std::string& key : keys) {
    subject.set(key, "1");
    expected.insert(key);
    if (expected.size() < 40 || expected.size() % 32 == 0) agrees();
    if (testing::Test::HasFatalFailure()) return;
  }
  agrees();
}

std::vector<std::string> shuffled(std::vector<std::string> keys) {
  std::mt19937 random(11);
  std::shuffle(keys.begin(), keys.end(), random);
  return keys;
}

TEST(Tree, one_key_is_the_root) { expect_order({"a"}); }

TEST(Tree, a_prefix_splits_at_each_of_its_bytes) {
  for (const std::size_t size : {5U, 8U, 9U, 16U, 17U, 30U}) {
    const std::string stem(size, 'p');
    std::vector<std::string> keys = {stem + "a", stem + "b"};
    for (std::size_t i = 0; i < size; ++i) keys.push_back(stem.substr(0, i) + "q");
    expect_order(keys);
    std::reverse(keys.begin() + 2, keys.end());
    expect_order(keys);
    expect_order(shuffled(keys));
  }
}

TEST(Tree, nodes_grow_through_every_kind_with_and_without_a_prefix) {
  for (const std::size_t size : {0U, 1U, 2U, 8U, 9U, 10U, 100U}) {
    std::vector<std::string> keys;
    const std::string stem(size, 'p');
    for (int byte = 0; byte < 256; ++byte) {
      keys.push_back(stem + static_cast<char>(byte) + "x");
      if (byte % 3 == 0) keys.push_back(stem + static_cast<char>(byte));
    }
    if (size > 0) keys.push_back(stem);  // ends inside the node
    expect_order(keys);
    expect_order(shuffled(keys));
  }
}

TEST(Tree, a_grown_node_with_a_prefix_still_splits) {
  for (const std::size_t size : {1U, 2U, 9U, 12U}) {
    std::vector<std::string> keys;
    const std::string stem(size, 'p');
    for (int byte = 1; byte < 60; ++byte) keys.push_back(stem + static_cast<char>(byte));
    for (std::size_t i = 0; i < size; ++i) {
      keys.push_back(stem.substr(0, i) + "q");
      if (i > 0) keys.push_back(stem.substr(0, i));
    }
    expect_order(keys);
  }
}

TEST(Tree, keys_that_end_inside_nodes_come_before_their_children) {
  std::vector<std::string> keys;
  for (std::size_t size = 1; size <= 200; ++size) keys.emplace_back(size, 'a');
  expect_order(keys);
  std::reverse(keys.begin(), keys.end());
  expect_order(keys);
  expect_order(shuffled(keys));
}

TEST(Tree, the_longest_keys_with_long_shared_prefixes) {
  std::vector<std::string> keys;
  const std::string stem(kMaxKeyBytes - 1, 'x');
  for (char last = 'a'; last < 'a' + 20; ++last) keys.push_back(stem + last);
  for (std::size_t cut = 1; cut < kMaxKeyBytes; cut += 511) {
    keys.push_back(stem.substr(0, cut));
    std::string other = stem.substr(0, cut) + "y";
    other.resize(kMaxKeyBytes, 'z');
    keys.push_back(other);
  }
  expect_order(keys);
  expect_order(shuffled(keys));
}

TEST(Tree, a_chain_as_deep_as_a_key_is_long) {
  Subject subject;
  subject.set(kAboveAll, "1");
  // Each key one byte longer: a node for each byte.
  for (std::size_t size = 1; size <= kMaxKeyBytes; ++size) {
    subject.set(std::string(size, 'a'), "1");
  }
  Cursor cursor(subject.view(), subject.sequence());
  std::size_t size = 0;
  for (cursor.seek_first(); cursor.valid() && cursor.record().key() != kAboveAll; cursor.next()) {
    ASSERT_EQ(cursor.record().key_size(), ++size);
  }
  ASSERT_EQ(size, kMaxKeyBytes);
  for (cursor.prev(); cursor.valid(); cursor.prev()) {
    ASSERT_EQ(cursor.record().key_size(), size--);
  }
  EXPECT_EQ(size, 0U);
}

TEST(Tree, all_bytes_in_two_positions) {
  std::vector<std::string> keys;
  for (int a = 0; a < 256; a += 5) {
    for (int b = 0; b < 256; b += 3) {
      keys.push_back({static_cast<char>(a), static_cast<char>(b)});
    }
  }
  expect_order(shuffled(keys));
}

TEST(Tree, an_update_touches_no_node) {
  Subject subject;
  subject.set(kAboveAll, "1");
  for (int i = 0; i < 500; ++i) subject.set("key" + std::to_string(i), "1");
  const std::uint64_t root = subject.slot().root.load();
  const std::vector<std::byte> before(subject.space().base() + child_offset(root),
                                      subject.space().base() + child_offset(root) + 4096);
  const std::uint64_t used = subject.writer().used();
  for (int i = 0; i < 200; ++i) subject.set("key" + std::to_string(i), "2");
  EXPECT_EQ(subject.slot().root.load(), root);
  EXPECT_LE(subject.writer().used() - used, 200 * record_bytes(6, 1, true) + 65536);
}

}  // namespace
}  // namespace dfs::index
