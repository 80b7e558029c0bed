#include "common/index/control_page.hpp"

#include <gtest/gtest.h>

#include <array>

#include "common/index/snapshot.hpp"

namespace dfs::index {
namespace {

struct Counts {
  std::array<std::atomic<std::uint64_t>, kGenerationSlots> holds{};
};

TEST(ControlPage, opens_with_its_store_and_no_generation) {
  ControlPage page{};
  EXPECT_FALSE(is_control_page(page));
  open_control_page(page, {1, 2, 3});
  EXPECT_TRUE(is_control_page(page));
  EXPECT_EQ(page.current.load(), 0U);
  EXPECT_EQ(page.store[2], 3);
}

TEST(ControlPage, a_generation_goes_through_its_states) {
  ControlPage page{};
  open_control_page(page, {});
  open_generation(page, 1);
  make_current(page, 1);
  EXPECT_EQ(slot_of(page, 1).identity.load(), identity_of(1, GenerationState::current));
  open_generation(page, 2);
  make_current(page, 2);
  EXPECT_EQ(page.current.load(), 2U);
  EXPECT_EQ(slot_of(page, 1).identity.load(), identity_of(1, GenerationState::superseded));
  give_back(slot_of(page, 1));
  EXPECT_EQ(slot_of(page, 1).identity.load(), identity_of(1, GenerationState::given_back));
  open_generation(page, 9);  // the same slot
  EXPECT_EQ(slot_of(page, 1).identity.load(), identity_of(9, GenerationState::current));
}

TEST(ControlPageDeathTest, a_slot_in_use_is_not_opened_nor_the_current_given_back) {
  ControlPage page{};
  open_control_page(page, {});
  open_generation(page, 1);
  make_current(page, 1);
  EXPECT_DEATH(open_generation(page, 9), "I6");
  EXPECT_DEATH(give_back(slot_of(page, 1)), "current memory");
}

TEST(Snapshot, is_served_only_while_the_death_word_lives_and_nobody_closed) {
  ControlPage page{};
  EXPECT_FALSE(served(page));
  page.death_word.store(1234);
  EXPECT_TRUE(served(page));
  page.death_word.store(1234 | kOwnerDied);
  EXPECT_FALSE(served(page));
  page.death_word.store(kOwnerDied);
  EXPECT_FALSE(served(page));
  page.death_word.store(1234 | 0x80000000);  // somebody waits for it: alive
  EXPECT_TRUE(served(page));
  page.closed.store(1);
  EXPECT_FALSE(served(page));
}

TEST(Snapshot, holds_its_generation_and_lets_it_go) {
  ControlPage page{};
  Counts counts;
  open_control_page(page, {});
  open_generation(page, 11);
  slot_of(page, 11).published.store(42);
  make_current(page, 11);
  const Taken taken = take(page, counts.holds);
  EXPECT_EQ(taken.generation, 11U);
  EXPECT_EQ(taken.sequence, 42U);
  EXPECT_EQ(taken.slot, &slot_of(page, 11));
  EXPECT_EQ(counts.holds[3].load(), 1U);
  hold_again(counts.holds, 11);
  EXPECT_EQ(counts.holds[3].load(), 2U);
  release(counts.holds, 11);
  release(counts.holds, 11);
  for (const auto& hold : counts.holds) EXPECT_EQ(hold.load(), 0U);
}

}  // namespace
}  // namespace dfs::index
