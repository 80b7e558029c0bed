// An exhaustive model of snapshot, hold, switch, giving back and death: every interleaving of small
// steps, within small bounds. As the index does it, it holds. With each step left out or moved it
// must break.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/index/snapshot_search.hpp"

namespace dfs::index::model {
namespace {

TEST(SnapshotModel, holds_when_generations_are_given_back_only_if_nobody_holds_them) {
  SnapshotSearch search({});
  EXPECT_EQ(search.run(), "");
  EXPECT_GT(search.counted(), 0U);
  EXPECT_EQ(search.refused(), 0U);
  RecordProperty("worlds", std::to_string(search.worlds()));
}

TEST(SnapshotModel, holds_when_snapshots_are_copied) {
  for (const bool revokes : {false, true}) {
    SnapshotSearch search({.revokes = revokes, .copies = true});
    EXPECT_EQ(search.run(), "");
    EXPECT_GT(search.counted(), 0U);
    RecordProperty(revokes ? "worlds_revoked" : "worlds", std::to_string(search.worlds()));
  }
}

TEST(SnapshotModel, holds_when_held_generations_are_revoked) {
  SnapshotSearch search({.revokes = true});
  EXPECT_EQ(search.run(), "");
  EXPECT_GT(search.counted(), 0U);
  EXPECT_GT(search.refused(), 0U);
  RecordProperty("worlds", std::to_string(search.worlds()));
}

TEST(SnapshotModel, holds_when_the_daemon_dies_anywhere) {
  SnapshotSearch search({.dies = true});
  EXPECT_EQ(search.run(), "");
  EXPECT_GT(search.reconnected(), 0U);
  RecordProperty("worlds", std::to_string(search.worlds()));
}

TEST(SnapshotModel, holds_when_the_daemon_closes) {
  SnapshotSearch search({.closes = true});
  EXPECT_EQ(search.run(), "");
  EXPECT_GT(search.reconnected(), 0U);
  RecordProperty("worlds", std::to_string(search.worlds()));
}

TEST(SnapshotModel, breaks_with_each_step_left_out_or_moved) {
  const std::string gone = "I6: pages that are gone were read";
  const std::string went = "I6: a held generation went";
  const std::string missing = "I2: a snapshot without an acknowledged commit";
  const std::string label = "a sequence that its generation does not hold";
  const std::vector<std::pair<Variant, std::string>> variants = {
      {{.name = "no second look at current", .no_second_look_at_current = true}, went},
      {{.name = "second look before the hold", .second_look_before_hold = true}, went},
      {{.name = "published after the second look",
        .revokes = true,
        .published_after_second_look = true},
       label},
      // One word is right only while it is loaded before the second look; slots make it right
      // anyway.
      {{.name = "one published word, loaded after the second look",
        .published_after_second_look = true,
        .one_published_word = true},
       label},
      {{.name = "no look", .revokes = true, .look = Look::none}, gone},
      {{.name = "look at the state alone", .revokes = true, .look = Look::state_only}, gone},
      {{.name = "number and state in two words", .revokes = true, .look = Look::number_then_state},
       gone},
      {{.name = "pages before state", .revokes = true, .pages_before_state = true}, gone},
      {{.name = "state lags behind pages", .revokes = true, .state_may_lag_behind_pages = true},
       gone},
      {{.name = "current lags behind holds", .current_may_lag_behind_holds = true}, went},
      {{.name = "holds looked at before the switch", .holds_before_switch = true}, went},
      {{.name = "acknowledged before published", .acknowledge_before_publish = true}, missing},
      {{.name = "death not looked at", .dies = true, .death_not_looked_at = true}, missing},
      {{.name = "death marked after the lock", .dies = true, .death_marked_after_lock = true},
       missing},
      {{.name = "closed not looked at", .closes = true, .death_not_looked_at = true}, missing},
      {{.name = "closed stored after the lock", .closes = true, .closed_after_lock = true},
       missing},
  };
  for (const auto& [variant, what] : variants) {
    SnapshotSearch search(variant);
    EXPECT_EQ(search.run(), what) << variant.name;
  }
}

}  // namespace
}  // namespace dfs::index::model
