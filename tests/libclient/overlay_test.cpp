#include "libclient/overlay.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <dfs/range.hpp>

#include "tests/libclient/map_source.hpp"

namespace dfs::client {
namespace {

using test::MapRecords;
using test::MapSource;

MapRecords five() {
  return {{"a", {"1", 11}}, {"b", {"2", 12}}, {"c", {"3", 13}}, {"d", {"4", 14}}, {"e", {"5", 15}}};
}

/// A transaction over a map, and its ranges as users have them.
class Fixture {
 public:
  explicit Fixture(MapRecords records, std::uint64_t fails_after = UINT64_MAX)
      : records_(std::move(records)),
        overlay_(std::make_shared<Overlay>(std::make_unique<MapSource>(records_, fails_after),
                                           TransactionOptions{})) {}
  Overlay* operator->() { return overlay_.get(); }
  Range range(std::string from, std::string to) {
    const auto read = overlay_->begin_range({std::move(from), std::move(to)});
    return Range(
        std::make_shared<Span>([overlay = overlay_, read] { return overlay->walk(read); }, false));
  }
  wire::CommitRequest request() {
    wire::CommitRequest filled;
    overlay_->fill(filled);
    return filled;
  }

 private:
  MapRecords records_;
  std::shared_ptr<Overlay> overlay_;
};

std::string keys_of(const Range& range) {
  std::string keys;
  for (const Entry& entry : range) keys += entry.key;
  return keys;
}

/// A range as text: `[from, to) 3`, `[from, last] 2`, `[from, ) 5`.
std::string told(const wire::ReadRange& range) {
  const char* end = range.end == wire::RangeEnd::inclusive ? "]" : ")";
  return "[" + std::string(range.from) + ", " + std::string(range.to) + end + " " +
         std::to_string(range.live_keys);
}

std::string told(const wire::CommitRequest& request) {
  std::string all;
  for (const wire::ReadRange& range : request.ranges) {
    all += (all.empty() ? "" : ", ") + told(range);
  }
  return all;
}

TEST(Overlay, own_writes_are_seen_and_hide_the_snapshot) {
  Fixture tx(five());
  tx->writes().set("b", "20", expect_any);
  tx->writes().erase("c", expect_any);
  tx->writes().set("bb", "25", expect_any);
  EXPECT_EQ(tx->get("b")->value, "20");
  EXPECT_EQ(tx->get("bb")->value, "25");
  EXPECT_EQ(tx->get("c").error(), errc::absent);
  EXPECT_EQ(tx->get("a")->value, "1");
  EXPECT_EQ(keys_of(tx.range("", "")), "abbbde");
  EXPECT_EQ(keys_of(tx.range("", "").reversed()), "edbbba");
}

TEST(Overlay, a_read_carries_the_sequence_of_its_record_and_0_for_absent) {
  Fixture tx(five());
  EXPECT_TRUE(tx->get("b").has_value());
  EXPECT_TRUE(tx->get("b").has_value());
  EXPECT_EQ(tx->get("x").error(), errc::absent);
  const auto request = tx.request();
  ASSERT_EQ(request.reads.size(), 2U);
  EXPECT_EQ(request.reads[0].key, "b");
  EXPECT_EQ(request.reads[0].sequence, 12U);
  EXPECT_EQ(request.reads[1].key, "x");
  EXPECT_EQ(request.reads[1].sequence, 0U);
  EXPECT_TRUE(request.has_snapshot);
  EXPECT_EQ(request.snapshot_generation, 3U);
  EXPECT_EQ(request.snapshot_sequence, 100U);
}

TEST(Overlay, reading_an_own_write_is_no_read) {
  Fixture tx(five());
  tx->writes().set("b", "20", expect_any);
  tx->writes().erase("c", expect_any);
  EXPECT_TRUE(tx->get("b").has_value());
  EXPECT_FALSE(tx->get("c").has_value());
  EXPECT_TRUE(tx.request().reads.empty());
}

TEST(Overlay, a_range_that_nobody_stepped_is_not_read) {
  Fixture tx(five());
  static_cast<void>(tx.range("a", "e"));
  EXPECT_EQ(told(tx.request()), "");
}

TEST(Overlay, a_range_walked_to_its_end_is_read_to_its_end) {
  Fixture tx(five());
  EXPECT_EQ(keys_of(tx.range("b", "e")), "bcd");
  EXPECT_EQ(told(tx.request()), "[b, e) 3");
}

TEST(Overlay, a_range_left_early_is_read_up_to_the_last_key_shown) {
  Fixture tx(five());
  const Range range = tx.range("b", "");
  auto at = range.begin();
  ++at;
  EXPECT_EQ(at->key, "c");
  EXPECT_EQ(told(tx.request()), "[b, c] 2");
}

TEST(Overlay, backwards_it_is_mirrored) {
  Fixture tx(five());
  const Range range = tx.range("b", "");
  auto at = range.reversed().begin();
  ++at;
  EXPECT_EQ(at->key, "d");
  EXPECT_EQ(told(tx.request()), "[d, ) 2");
  for (const Entry& entry : range.reversed()) static_cast<void>(entry);
  EXPECT_EQ(told(tx.request()), "[b, ) 4");
}

TEST(Overlay, an_empty_range_is_read_too) {
  Fixture tx(five());
  EXPECT_EQ(keys_of(tx.range("x", "y")), "");
  EXPECT_EQ(told(tx.request()), "[x, y) 0");
}

TEST(Overlay, own_new_keys_are_not_counted_and_own_erases_of_live_keys_are) {
  Fixture tx(five());
  tx->writes().set("bb", "1", expect_any);
  tx->writes().set("c", "1", expect_any);
  tx->writes().erase("d", expect_any);
  tx->writes().erase("zz", expect_any);
  EXPECT_EQ(keys_of(tx.range("b", "")), "bbbce");
  EXPECT_EQ(told(tx.request()), "[b, ) 4");
}

TEST(Overlay, a_walk_left_on_an_own_key_ends_there) {
  Fixture tx(five());
  tx->writes().set("bb", "1", expect_any);
  const Range range = tx.range("", "");
  auto at = range.begin();
  ++at;
  ++at;
  EXPECT_EQ(at->key, "bb");
  EXPECT_EQ(told(tx.request()), "[, bb] 2");
}

TEST(Overlay, walks_from_both_ends_are_two_stretches) {
  Fixture tx(five());
  const Range range = tx.range("", "");
  EXPECT_EQ(range.begin()->key, "a");
  EXPECT_EQ((--range.end())->key, "e");
  EXPECT_EQ(told(tx.request()), "[, a] 1, [e, ) 1");
}

TEST(Overlay, turning_round_shows_the_same_keys_and_reads_no_more) {
  Fixture tx(five());
  tx->writes().set("bb", "1", expect_any);
  tx->writes().erase("c", expect_any);
  const Range range = tx.range("", "");
  auto at = range.begin();
  std::string keys;
  for (int i = 0; i < 3; ++i, ++at) keys += at->key;
  for (int i = 0; i < 3; ++i) keys += (--at)->key;
  for (int i = 0; i < 3; ++i) keys += (++at)->key;
  EXPECT_EQ(keys,
            "abbb"
            "bbba"
            "bbbd");
  EXPECT_EQ(told(tx.request()), "[, d] 4");
}

TEST(Overlay, own_writes_made_during_a_walk_are_seen_ahead_of_it) {
  Fixture tx(five());
  std::string keys;
  for (const Entry& entry : tx.range("", "")) {
    keys += entry.key;
    if (entry.key == "b") tx->writes().set("bb", "1", expect_any);
    if (entry.key == "c") tx->writes().erase("d", expect_any);
  }
  EXPECT_EQ(keys, "abbbce");
  EXPECT_EQ(told(tx.request()), "[, ) 5");
}

TEST(Overlay, copies_of_an_iterator_go_their_own_ways) {
  Fixture tx(five());
  const Range range = tx.range("", "");
  auto one = range.begin();
  auto two = one;
  ++two;
  ++two;
  EXPECT_EQ(one->key, "a");
  EXPECT_EQ(two->key, "c");
  EXPECT_EQ((++one)->key, "b");
  EXPECT_EQ(told(tx.request()), "[, c] 3");
}

TEST(Overlay, a_revoked_snapshot_ends_the_walk_with_an_error_and_never_with_an_end) {
  Fixture tx(five(), 2);
  const Range range = tx.range("", "");
  EXPECT_EQ(keys_of(range), "ab");
  EXPECT_EQ(range.status().error(), errc::snapshot_too_old);
  EXPECT_EQ(told(tx.request()), "[, b] 2");
  tx->writes().set("x", "1", expect_any);
  ASSERT_TRUE(tx->obstacle().has_value());
  EXPECT_EQ(*tx->obstacle(), errc::snapshot_too_old);
}

TEST(Overlay, a_wrong_argument_is_kept_for_the_commit) {
  Fixture tx(five());
  tx->writes().set("", "1", expect_any);
  tx->writes().set("fine", "1", expect_any);
  ASSERT_TRUE(tx->obstacle().has_value());
  EXPECT_EQ(*tx->obstacle(), errc::bad_key);
}

TEST(Overlay, after_its_end_every_call_answers_finished) {
  Fixture tx(five());
  const Range range = tx.range("", "");
  auto at = range.begin();
  tx->finish();
  EXPECT_EQ(tx->get("a").error(), errc::finished);
  ++at;
  EXPECT_EQ(at, range.end());
  EXPECT_EQ(range.status().error(), errc::finished);
  EXPECT_EQ(tx->sequence(), 100U);
}

TEST(Overlay, snapshot_isolation_sends_no_reads) {
  const MapRecords records = five();
  Overlay tx(std::make_unique<MapSource>(records), {.snapshot_isolation = true});
  EXPECT_TRUE(tx.get("a").has_value());
  tx.writes().set("b", "1", expect_any);
  wire::CommitRequest request;
  tx.fill(request);
  EXPECT_TRUE(request.snapshot_isolation);
  EXPECT_TRUE(request.reads.empty());
  EXPECT_EQ(request.writes.size(), 1U);
}

// What a transaction must show, and must have read: by a plain map.

struct Oracle {
  std::map<std::string, std::string> shown;
  std::vector<std::string> in_snapshot;
};

std::string key_of(int n) { return std::string(1, static_cast<char>('a' + n)); }

RC_GTEST_PROP(OverlayWalk, any_walk_shows_what_a_map_shows_and_reads_what_it_passed, ()) {
  MapRecords records;
  Oracle oracle;
  for (const int n : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 12))) {
    records[key_of(n)] = {"s", 7};
  }
  for (const auto& [key, record] : records) {
    oracle.shown[key] = record.value;
    oracle.in_snapshot.push_back(key);
  }
  Fixture tx(records);
  for (const int n : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 24))) {
    const std::string key = key_of(n % 12);
    if (n < 12) {
      tx->writes().set(key, "o", expect_any);
      oracle.shown[key] = "o";
    } else {
      tx->writes().erase(key, expect_any);
      oracle.shown.erase(key);
    }
  }
  const std::string from = key_of(*rc::gen::inRange(0, 12));
  const std::string to = *rc::gen::arbitrary<bool>() ? key_of(*rc::gen::inRange(0, 13)) : "";
  std::vector<std::pair<std::string, std::string>> expected;
  for (const auto& [key, value] : oracle.shown) {
    if (key >= from && (to.empty() || key < to)) expected.emplace_back(key, value);
  }

  // A walk forwards and backwards at random; `furthest` is how far it came.
  const bool backwards = *rc::gen::arbitrary<bool>();
  Range range = tx.range(from, to);
  if (backwards) {
    range = range.reversed();
    std::reverse(expected.begin(), expected.end());
  }
  auto at = range.begin();
  std::size_t place = 0;
  std::size_t furthest = 0;
  for (const bool on : *rc::gen::container<std::vector<bool>>(rc::gen::arbitrary<bool>())) {
    if (place < expected.size()) {
      RC_ASSERT(at != range.end());
      RC_ASSERT(at->key == expected[place].first && at->value == expected[place].second);
    } else {
      RC_ASSERT(at == range.end());
    }
    if (on && place < expected.size()) {
      ++at;
      furthest = std::max(furthest, ++place);
    } else if (!on && place > 0 && place < expected.size()) {
      --at;
      --place;
    }
  }

  const auto request = tx.request();
  RC_ASSERT(request.ranges.size() == 1U);
  const wire::ReadRange& read = request.ranges[0];
  const bool ended = furthest == expected.size();
  const std::string last = ended ? "" : expected[furthest].first;
  const auto passed = [&](const std::string& key) {
    if (key < from || (!to.empty() && key >= to)) return false;
    return ended || (backwards ? key >= last : key <= last);
  };
  RC_ASSERT(read.live_keys == static_cast<std::uint64_t>(std::count_if(
                                  oracle.in_snapshot.begin(), oracle.in_snapshot.end(), passed)));
  RC_ASSERT(read.from == (backwards && !ended ? last : from));
  RC_ASSERT(read.to == (!backwards && !ended ? last : to));
  RC_ASSERT((read.end == wire::RangeEnd::inclusive) == (!backwards && !ended));
}

}  // namespace
}  // namespace dfs::client
