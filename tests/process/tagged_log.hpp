// What tagged writers have written, as a log tells it, beside what they were told.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/log_contents.hpp"
#include "tests/process/tagged_writer.hpp"

namespace dfs::test {

/// The tag of a record's value; false where it has none.
[[nodiscard]] inline bool parse_tag(const std::string& value, int& writer, std::uint64_t& number) {
  unsigned long n = 0;
  if (std::sscanf(value.c_str(), "{\"w\":%d,\"n\":%lu", &writer, &n) != 2) return false;
  number = n;
  return true;
}

/// Where each tagged commit stands in a log.
class TaggedLog {
 public:
  struct Place {
    std::uint64_t sequence = 0;
    std::uint64_t version = 0;
    int parts = 0;  ///< of its own keys, where the log may have been compacted: 1 and 2
  };

  /// Fails the test where a commit is half there, or twice.
  explicit TaggedLog(const LogContents& log, TaggedKeys keys = TaggedKeys::same) {
    for (const LogCommit& commit : log.commits()) {
      keys == TaggedKeys::same ? read(commit) : read_kept(commit);
    }
    if (keys == TaggedKeys::own_each) count_kept();
  }
  [[nodiscard]] std::uint64_t count(int writer) const {
    return count_.at(static_cast<std::size_t>(writer));
  }
  /// True if its commits are there in the order of their numbers, none left out.
  [[nodiscard]] bool in_order(int writer) const {
    return !out_of_order_.at(static_cast<std::size_t>(writer));
  }
  [[nodiscard]] Place place(int writer, std::uint64_t number) const {
    const auto& places = places_.at(static_cast<std::size_t>(writer));
    return number < places.size() ? places[number] : Place();
  }
  /// Fails the test unless what the writer was told is true.
  void expect_told(int writer, const TaggedSheet& sheet) const {
    for (std::uint64_t number = 1; number <= sheet.begun; ++number) {
      const std::uint64_t sequence = sheet.told[number].sequence;
      if (sequence == 0) continue;
      const Place there = place(writer, number);
      ASSERT_EQ(there.sequence, sequence) << "commit " << number << " of writer " << writer
                                          << " was acknowledged with another sequence";
      if (sheet.told[number].version == 0) continue;
      ASSERT_EQ(there.version, sheet.told[number].version);
    }
  }

 private:
  void read(const LogCommit& commit) {
    int writer = 0;
    std::uint64_t number = 0;
    if (!parse_tag(commit.records.front().value, writer, number)) return;
    ASSERT_EQ(commit.records.size(), 3U) << "commit " << commit.sequence << " is half there";
    for (const LogRecord& record : commit.records) {
      int other_writer = 0;
      std::uint64_t other_number = 0;
      ASSERT_TRUE(parse_tag(record.value, other_writer, other_number));
      ASSERT_TRUE(other_writer == writer && other_number == number)
          << "commit " << commit.sequence << " is made of two";
    }
    const auto w = static_cast<std::size_t>(writer);
    auto& places = places_.at(w);
    if (places.size() <= number) places.resize(number + 1);
    ASSERT_EQ(places[number].sequence, 0U)
        << "commit " << number << " of writer " << writer << " happened twice";
    places[number] = {commit.sequence, commit.records.front().version};
    if (number != ++count_[w]) out_of_order_[w] = true;
    ASSERT_EQ(commit.records.front().version, count_[w]);
  }

  /// One of a log that may have been compacted: what is left of a commit are the records that
  /// nobody has changed since, those of its own keys among them.
  void read_kept(const LogCommit& commit) {
    for (const LogRecord& record : commit.records) {
      int writer = 0;
      std::uint64_t number = 0;
      if (!record.key.starts_with('w') || !parse_tag(record.value, writer, number)) continue;
      const char part = record.key.back();
      ASSERT_EQ(record.key, tagged_key(TaggedKeys::own_each, writer, number, part));
      ASSERT_EQ(record.version, 1U) << record.key << " was written twice";
      auto& places = places_.at(static_cast<std::size_t>(writer));
      if (places.size() <= number) places.resize(number + 1);
      Place& place = places[number];
      ASSERT_TRUE(place.sequence == 0 || place.sequence == commit.sequence)
          << record.key << " is of another commit than its twin";
      place.sequence = commit.sequence;
      place.version = record.version;
      place.parts += part == 'a' ? 1 : 2;
    }
  }
  void count_kept() {
    for (std::size_t w = 0; w < places_.size(); ++w) {
      std::uint64_t last = 0;
      for (std::size_t number = 1; number < places_[w].size(); ++number) {
        const Place& place = places_[w][number];
        ASSERT_TRUE(place.parts == 0 || place.parts == 3)
            << "commit " << number << " of writer " << w << " is half there";
        count_[w] += place.parts == 3 ? 1 : 0;
        out_of_order_[w] = out_of_order_[w] || place.sequence <= last;
        last = place.sequence;
      }
    }
  }

  std::array<std::vector<Place>, kTaggedWriters> places_;
  std::array<std::uint64_t, kTaggedWriters> count_{};
  std::array<bool, kTaggedWriters> out_of_order_{};
};

}  // namespace dfs::test
