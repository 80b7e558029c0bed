// A generation in ordinary memory with its control page, and the map that it must agree with.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/index/lookup.hpp"
#include "common/index/snapshot.hpp"
#include "common/index/table_search.hpp"
#include "common/index/writer.hpp"

namespace dfs::index {

/// One generation and its writer, alone on a control page. Memory is bounded so that whoever counts
/// wrongly is refused, not served.
class Subject {
 public:
  explicit Subject(const NewGeneration& generation = {.number = 1, .seed = 7},
                   std::uint64_t capacity = std::uint64_t{48} << 20)
      : page_(std::make_unique<ControlPage>()) {
    open_control_page(*page_, generation.store);
    open_generation(*page_, generation.number);
    GenerationSlot& slot = slot_of(*page_, generation.number);
    space_ = std::make_unique<BufferSpace>(slot, capacity, 4096);
    writer_ = std::make_unique<IndexWriter>(*space_, slot, generation);
    make_current(*page_, generation.number);
  }

  /// Adds and publishes a commit of one record.
  std::uint64_t set(std::string_view key, std::string_view value) { return change(key, value); }
  std::uint64_t erase(std::string_view key) { return change(key, std::nullopt); }

  /// Adds one record of the commit after the last published one.
  void add(std::string_view key, std::optional<std::string_view> value, bool last) {
    const RecordHeader* before = writer_->newest(key);
    const std::uint64_t value_size = value ? value->size() : 0;
    ASSERT_TRUE(
        writer_->reserve(before == nullptr ? 1 : 0, record_bytes(key.size(), value_size, true)));
    writer_->add(NewRecord{.key = key,
                           .value = value.value_or(std::string_view()),
                           .version = before == nullptr ? 1 : before->version + 1,
                           .sequence = sequence_ + 1,
                           .time_ms = 1790000000000 + sequence_,
                           .connection = 3,
                           .erased = !value,
                           .last_of_commit = last});
  }
  /// Adds a record of the next commit with a location that was made before.
  void add_at(const Location& location, std::string_view key, std::string_view value,
              std::uint64_t version) {
    ASSERT_TRUE(writer_->reserve(1, record_bytes(key.size(), value.size(), true)));
    writer_->add(
        location,
        NewRecord{.key = key, .value = value, .version = version, .sequence = sequence_ + 1});
  }
  std::uint64_t publish() {
    writer_->publish(++sequence_);
    return sequence_;
  }

  [[nodiscard]] ControlPage& page() { return *page_; }
  [[nodiscard]] GenerationSlot& slot() { return slot_of(*page_, writer_->number()); }
  [[nodiscard]] IndexWriter& writer() { return *writer_; }
  [[nodiscard]] BufferSpace& space() { return *space_; }
  [[nodiscard]] View view() { return writer_->view(); }
  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }

  /// The value that a lookup finds, or nothing. Fails the test on any other outcome.
  [[nodiscard]] std::optional<std::string> get(std::string_view key, std::uint64_t sequence) {
    const Lookup lookup = find(view(), key, sequence);
    const RecordHeader* at_home = find_at_home(view(), key, sequence);
    if (at_home != nullptr) {
      EXPECT_EQ(at_home, lookup.record);
    }
    if (lookup.outcome == Outcome::found) {
      EXPECT_EQ(lookup.record->key(), key);
      return std::string(lookup.record->value());
    }
    EXPECT_EQ(lookup.outcome, Outcome::absent);
    return std::nullopt;
  }

  /// What a reader's protocol does when the pages are to go.
  void supersede_and_give_back() {
    open_generation(*page_, writer_->number() + 1);
    make_current(*page_, writer_->number() + 1);
    give_back(slot());
  }

 private:
  std::uint64_t change(std::string_view key, std::optional<std::string_view> value) {
    add(key, value, true);
    return publish();
  }

  std::unique_ptr<ControlPage> page_;
  std::unique_ptr<BufferSpace> space_;
  std::unique_ptr<IndexWriter> writer_;
  std::uint64_t sequence_ = 0;
};

/// What a store was after a commit.
using Contents = std::map<std::string, std::string>;

}  // namespace dfs::index
