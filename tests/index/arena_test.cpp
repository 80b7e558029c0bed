#include "common/index/arena.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "common/index/cursor.hpp"
#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

/// Fills a store of `capacity` with records as `reserve` allows; each that it allows must be made.
/// The program ends where the bound was not one.
void fill(std::uint64_t capacity, std::uint64_t batch, std::uint64_t value_size,
          const std::function<std::string(std::uint64_t)>& key_of) {
  Subject subject({.number = 1, .seed = 7}, capacity);
  IndexWriter& writer = subject.writer();
  const std::string value(value_size, 'v');
  std::uint64_t made = 0;
  while (true) {
    std::vector<std::string> keys;
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < batch; ++i) {
      keys.push_back(key_of(made + i));
      bytes += record_bytes(keys.back().size(), value_size, true);
    }
    if (!writer.reserve(batch, bytes)) break;
    for (const std::string& key : keys) {
      writer.add(NewRecord{.key = key, .value = value, .version = 1, .sequence = made + 1});
    }
    made += batch;
  }
  EXPECT_GT(made, 0U);
  EXPECT_LE(writer.used(), subject.space().allocated());
}

TEST(Arena, whatever_reserve_allows_can_be_made) {
  const auto plain = [](std::uint64_t i) { return "key" + std::to_string(i * 7919); };
  const auto ordered = [](std::uint64_t i) { return "key" + std::to_string(10'000'000 + i); };
  // Each 62 keys a run, whose first key makes a node.
  const auto ordered_apart = [](std::uint64_t i) {
    const std::string number = std::to_string(10'000'000 + i);
    return number + std::string(i % 62 == 0 ? 3000 : 10, 'r') + number;
  };
  const auto wide = [](std::uint64_t i) {
    // Fills nodes of 32 everywhere first, then makes each grow at once.
    const std::uint64_t node = i % 500;
    const std::uint64_t child = i / 500 % 200;
    return "n" + std::to_string(node) + "/" + static_cast<char>(child + 20) +
           std::to_string(i / 100'000);
  };
  const auto nested = [](std::uint64_t i) {
    // Splits long prefixes again and again.
    std::string key = std::to_string(i / 200) + std::string(4000 - i % 200 * 20, 'a');
    return key + std::to_string(i);
  };
  for (const std::uint64_t batch : {1, 7, 100, 1000}) {
    fill(std::uint64_t{8} << 20, batch, 0, plain);
    fill(std::uint64_t{8} << 20, batch, 0, ordered);
    fill(std::uint64_t{8} << 20, batch, 1, ordered_apart);
    fill(std::uint64_t{8} << 20, batch, 120, wide);
    fill(std::uint64_t{8} << 20, batch, 1, nested);
  }
  for (const std::uint64_t size : {1000U, 40'000U, 70'000U, 600'000U, 1'500'000U}) {
    fill(std::uint64_t{16} << 20, 1, size, plain);
    fill(std::uint64_t{16} << 20, 3, size, plain);
  }
}

TEST(Arena, refuses_what_does_not_fit_and_changes_nothing) {
  Subject subject({.number = 1, .seed = 7}, std::uint64_t{1} << 20);
  subject.set("a", "1");
  const std::uint64_t used = subject.writer().used();
  const std::uint64_t allocated = subject.space().allocated();
  EXPECT_FALSE(subject.writer().reserve(1, std::uint64_t{2} << 20));
  EXPECT_EQ(subject.writer().used(), used);
  EXPECT_EQ(subject.space().allocated(), allocated);
  EXPECT_EQ(subject.get("a", 1), "1");
}

TEST(Arena, what_is_needed_is_an_upper_bound_on_what_is_used) {
  for (const bool ordered : {false, true}) {
    Subject subject;
    IndexWriter& writer = subject.writer();
    std::mt19937_64 random(5);
    std::uint64_t needed = 0;
    const std::uint64_t begin = writer.used();
    std::uint64_t sequence = 0;
    for (std::uint64_t i = 0; i < 60'000; ++i) {
      const std::uint64_t number = ordered ? 100'000 + i : random() % 40'000;
      const std::string key = std::to_string(number) + std::string(random() % 60, 'k');
      const std::string value(random() % 300, 'v');
      const bool known = writer.newest(key) != nullptr;
      ASSERT_TRUE(writer.reserve(1, record_bytes(key.size(), value.size(), true)));
      writer.add({.key = key, .value = value, .version = 1, .sequence = ++sequence});
      needed += IndexWriter::bytes_needed(key.size(), value.size(), !known);
      // And the chunks that were opened and are not full.
      ASSERT_LE(writer.used() - begin, needed + 4 * Arena::kMaxChunkBytes);
    }
  }
}

TEST(Arena, the_smallest_generation_takes_what_is_said) {
  Subject subject;
  for (char key = 'a'; key <= 'z'; ++key) subject.set(std::string(1, key), "1");
  EXPECT_LE(subject.writer().used(), IndexWriter::kLeastBytes);
  EXPECT_GT(subject.writer().used(), IndexWriter::kLeastBytes - 8192);
}

TEST(Arena, live_bytes_are_what_the_next_generation_takes) {
  Subject subject;
  for (int i = 0; i < 30'000; ++i) {
    subject.set("key" + std::to_string(i * 31 % 20'000), std::string(120, 'v'));
    if (i % 4 == 0) subject.erase("key" + std::to_string(i));
  }
  const std::uint64_t predicted = subject.writer().live_bytes();
  Subject next({.number = 2, .seed = 9, .expected_keys = subject.writer().live_keys()});
  Cursor cursor(subject.view(), subject.sequence());
  std::uint64_t keys = 0;
  for (cursor.seek_first(); cursor.valid(); cursor.next()) {
    next.set(cursor.record().key(), cursor.record().value());
    ++keys;
  }
  EXPECT_EQ(keys, subject.writer().live_keys());
  EXPECT_LE(next.writer().used(), predicted);
  EXPECT_GE(next.writer().used(), predicted / 2);
}

}  // namespace
}  // namespace dfs::index
