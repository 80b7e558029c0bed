// Many records at once are what they are one after the other.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "common/index/cursor.hpp"
#include "common/index/space.hpp"
#include "common/index/writer.hpp"

namespace dfs::index {
namespace {

/// An index in memory of its own.
struct Built {
  explicit Built(std::uint64_t expected_keys = 0)
      : space(slot, std::uint64_t{256} << 20),
        writer((open(), space), slot, {.number = 1, .seed = 7, .expected_keys = expected_keys}) {}

  ControlPage page{};
  GenerationSlot& slot = slot_of(page, 1);
  BufferSpace space;
  IndexWriter writer;

 private:
  void open() {
    open_control_page(page, {});
    open_generation(page, 1);
    EXPECT_TRUE(space.ensure(IndexWriter::kFirstBytes));
  }
};

std::vector<std::string> lines_of(const Built& built) {
  std::vector<std::string> lines;
  Cursor cursor(built.writer.view(), UINT64_MAX, Cursor::Show::also_erased);
  for (cursor.seek_first(); cursor.valid(); cursor.next()) {
    const RecordHeader& record = cursor.record();
    lines.push_back(std::string(record.key()) + "=" + std::string(record.value()) + " v" +
                    std::to_string(record.version) + (record.erased() ? " erased" : ""));
  }
  EXPECT_EQ(cursor.outcome(), Outcome::absent);
  return lines;
}

/// Keys of which some are prefixes of others, in an order of no meaning, many more than once.
std::vector<std::string> tangled_keys() {
  std::mt19937_64 random(3);  // NOLINT: the same keys in each run
  std::vector<std::string> keys;
  for (int i = 0; i < 30'000; ++i) {
    std::string key = "k";
    for (std::uint64_t letters = random() % 12; letters > 0; --letters) {
      key += static_cast<char>('a' + random() % 3);
    }
    if (random() % 4 == 0) key = "a prefix longer than a node has room for/" + key;
    keys.push_back(std::move(key));
  }
  return keys;
}

void same_either_way(const std::vector<std::string>& keys) {
  Built one_by_one;
  Built together;
  std::vector<NewRecord> records;
  std::uint64_t sequence = 0;
  for (const std::string& key : keys) {
    ++sequence;
    const bool erased = sequence % 13 == 0;
    records.push_back({.key = key,
                       .value = erased ? std::string_view() : std::string_view(key).substr(1),
                       .version = sequence,
                       .sequence = sequence,
                       .erased = erased});
    ASSERT_TRUE(one_by_one.writer.reserve(1, 4096));
    one_by_one.writer.add(records.back());
  }
  ASSERT_TRUE(together.writer.reserve(records.size(), records.size() * 256));
  together.writer.add_all(records);
  for (Built* built : {&one_by_one, &together}) built->writer.publish(sequence);
  EXPECT_EQ(lines_of(together), lines_of(one_by_one));
  EXPECT_EQ(together.writer.live_keys(), one_by_one.writer.live_keys());
  EXPECT_EQ(together.writer.live_bytes(), one_by_one.writer.live_bytes());
  for (const NewRecord& record : records) {
    ASSERT_EQ(together.writer.newest(record.key)->key(), record.key);
  }
}

TEST(WriterBulk, tangled_keys_are_there_as_if_added_one_by_one) { same_either_way(tangled_keys()); }

TEST(WriterBulk, keys_in_order_are_there_as_if_added_one_by_one) {
  std::vector<std::string> keys = tangled_keys();
  std::sort(keys.begin(), keys.end());
  same_either_way(keys);
}

TEST(WriterBulk, nothing_added_changes_nothing) {
  Built built;
  built.writer.add_all({});
  EXPECT_EQ(built.writer.records(), 0U);
}

}  // namespace
}  // namespace dfs::index
