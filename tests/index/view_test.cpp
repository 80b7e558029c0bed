// Readers over bytes that are gone, or never were an index: no crash, an end, and given_back.
#include "common/index/view.hpp"
#include "common/index/table_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "common/index/cursor.hpp"
#include "common/index/feed.hpp"
#include "tests/index/subject.hpp"

namespace dfs::index {
namespace {

constexpr std::size_t kPageBytes = 4096;

/// A store with something of everything: several versions, far links, tombstones, runs, every kind
/// of node, long prefixes, keys that are left out of the table, jumps.
class Damaged : public testing::Test {
 protected:
  Damaged() {
    for (int i = 0; i < 700; ++i) {
      const std::string key = "key" + std::to_string(i);
      subject_.set(key, std::string(static_cast<std::size_t>(i % 90), 'v'));
      keys_.push_back(key);
    }
    for (int i = 1000; i < 1300; ++i) {
      keys_.push_back("run" + std::to_string(i));
      subject_.set(keys_.back(), std::to_string(i));
    }
    for (int byte = 1; byte < 250; ++byte) {
      keys_.push_back(std::string(30, 'p') + static_cast<char>(byte));
      subject_.set(keys_.back(), "1");
    }
    for (int i = 0; i < 100; ++i) subject_.set("hot", std::to_string(i));
    for (int i = 0; i < 200; i += 3) subject_.erase("key" + std::to_string(i));
    subject_.set("large", std::string(100'000, 'x'));
    keys_.insert(keys_.end(), {"hot", "large", "none", "p", std::string(30, 'p')});
    const std::byte* base = subject_.space().base();
    whole_.assign(base, base + subject_.space().allocated());
  }

  void restore() { std::memcpy(subject_.space().base(), whole_.data(), whole_.size()); }

  /// Reads everything in every way. True when every answer was `given_back`.
  bool read_everything() {
    bool all = true;
    const View view = subject_.view();
    const auto note = [&all](Outcome outcome) { all = all && outcome == Outcome::given_back; };
    std::vector<std::string_view> asked(keys_.begin(), keys_.end());
    std::vector<Lookup> out(asked.size());
    for (const std::uint64_t sequence : {subject_.sequence(), std::uint64_t{900}}) {
      for (const std::string_view key : asked) {
        const Lookup lookup = find(view, key, sequence);
        note(lookup.outcome);
        if (lookup.outcome == Outcome::found) bytes_ += lookup.record->value().size();
        const RecordHeader* at_home = find_at_home(view, key, sequence);
        if (at_home != nullptr && !at_home->value().empty()) bytes_ += at_home->value().back() & 1;
      }
      find_many(view, asked, sequence, out);
      for (const Lookup& lookup : out) note(lookup.outcome);
      Cursor cursor(view, sequence);
      cursor.limit_steps(100'000);
      for (cursor.seek_first(); cursor.valid(); cursor.next()) bytes_ += cursor.record().key_size();
      note(cursor.outcome());
      for (cursor.seek_last(); cursor.valid(); cursor.prev()) bytes_ += cursor.record().key_size();
      note(cursor.outcome());
      for (std::size_t i = 0; i < keys_.size(); i += 50) {
        cursor.seek(keys_[i]);
        note(cursor.outcome());
        cursor.seek_for_prev(keys_[i]);
        note(cursor.outcome());
      }
    }
    for (const std::uint64_t after : {0, 500, 1000}) {
      FeedStep step = first_after(view, after);
      note(step.outcome);
      const std::uint64_t begin = step.next;
      for (int i = 0; step.outcome == Outcome::found && i < 5000; ++i) {
        step = feed_step(view, step.next, subject_.sequence());
      }
      note(feed_step(view, begin, subject_.sequence()).outcome);
    }
    return all;
  }

  Subject subject_;
  std::vector<std::string> keys_;
  std::vector<std::byte> whole_;
  std::size_t bytes_ = 0;
};

TEST_F(Damaged, each_page_gone_is_survived) {
  for (std::size_t page = 0; page < whole_.size(); page += kPageBytes) {
    std::memset(subject_.space().base() + page, 0, kPageBytes);
    read_everything();
    restore();
  }
}

TEST_F(Damaged, pages_going_one_by_one_after_the_state_say_given_back) {
  subject_.supersede_and_give_back();
  EXPECT_TRUE(read_everything());
  for (std::size_t page = 0; page < whole_.size(); page += kPageBytes) {
    std::memset(subject_.space().base() + page, 0, kPageBytes);
    if (page % (16 * kPageBytes) == 0) {
      EXPECT_TRUE(read_everything());
    }
  }
  EXPECT_TRUE(read_everything());
}

TEST_F(Damaged, garbage_in_any_page_is_survived) {
  std::mt19937_64 random(3);
  for (std::size_t page = 0; page < whole_.size(); page += kPageBytes) {
    for (std::size_t i = 0; i < kPageBytes; i += 8) {
      // Small enough, half of the time, to pass for offsets.
      const std::uint64_t word = random() % 2 == 0 ? random() : random() % whole_.size() / 8 * 8;
      std::memcpy(subject_.space().base() + page + i, &word, 8);
    }
    read_everything();
    restore();
  }
}

TEST_F(Damaged, single_words_of_garbage_are_survived) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 30; ++i) {
      std::size_t at = random() % whole_.size() / 8 * 8;
      std::uint64_t word = random() % whole_.size() / 8 * 8 + random() % 3;
      if (random() % 2 == 0) word |= random() << 48;
      if (random() % 4 == 0) {
        std::memcpy(&word, subject_.space().base() + random() % whole_.size() / 8 * 8, 8);
      }
      std::memcpy(subject_.space().base() + at, &word, 8);
    }
    read_everything();
    restore();
  }
}

TEST_F(Damaged, nothing_damaged_reads_whole) {
  EXPECT_FALSE(read_everything());
  EXPECT_EQ(subject_.get("hot", subject_.sequence()), "99");
}

TEST(View, offsets_are_refused_that_the_writer_cannot_have_named) {
  Subject subject;
  subject.set("a", "1");
  View view = subject.view();
  Reach reach(view);
  const std::uint64_t allocated = subject.space().allocated();
  EXPECT_EQ(reach.at<std::uint64_t>(0), nullptr);
  EXPECT_EQ(reach.at<std::uint64_t>(12), nullptr);
  EXPECT_EQ(reach.at<std::uint64_t>(allocated), nullptr);
  EXPECT_NE(reach.at<std::uint64_t>(allocated - 8), nullptr);
  EXPECT_EQ(reach.at<std::uint64_t>(allocated - 8, 16), nullptr);
  EXPECT_EQ(reach.at<std::uint64_t>(8, ~std::uint64_t{0}), nullptr);
  EXPECT_EQ(reach.at<std::uint64_t>(~std::uint64_t{7}), nullptr);
  EXPECT_EQ(reach.bytes_at(allocated - 1, 2), nullptr);
  EXPECT_NE(reach.bytes_at(allocated - 1, 1), nullptr);
  EXPECT_EQ(reach.refused(), Outcome::broken);
  view.mapped_bytes = 4096;
  Reach mapped(view);
  EXPECT_EQ(mapped.at<std::uint64_t>(4096), nullptr);
  EXPECT_EQ(mapped.refused(), Outcome::outgrown);
}

TEST(View, opens_only_the_generation_that_was_meant) {
  Subject subject({.number = 5, .seed = 77, .store = {1, 2, 3}});
  std::byte* base = subject.space().base();
  const auto open = [&](std::uint64_t number) {
    return open_view(base, 1 << 20, subject.page(), number);
  };
  ASSERT_TRUE(open(5).has_value());
  EXPECT_EQ(open(5)->seed, 77U);
  EXPECT_EQ(open(5)->slot, &subject.slot());
  EXPECT_EQ(open(13).error(), errc::snapshot_too_old) << "its slot is another's";
  EXPECT_EQ(open_view(base, 60, subject.page(), 5).error(), errc::incompatible);
  subject.page().store[0] = 9;
  EXPECT_EQ(open(5).error(), errc::incompatible);
  subject.page().store[0] = 1;
  for (const std::size_t at : {0U, 8U, 16U}) {
    base[at] ^= std::byte{1};
    EXPECT_EQ(open(5).error(), errc::incompatible) << at;
    base[at] ^= std::byte{1};
  }
}

TEST(View, whose_pages_are_gone_is_too_old_and_not_broken) {
  Subject subject({.number = 5, .seed = 77, .store = {1, 2, 3}});
  std::byte* base = subject.space().base();
  subject.supersede_and_give_back();
  EXPECT_EQ(open_view(base, 1 << 20, subject.page(), 5).error(), errc::snapshot_too_old);
  std::fill_n(base, 4096, std::byte{0});
  EXPECT_EQ(open_view(base, 1 << 20, subject.page(), 5).error(), errc::snapshot_too_old);
}

}  // namespace
}  // namespace dfs::index
