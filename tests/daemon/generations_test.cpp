// The generations that live: there is room for the next one while few young ones are held, and the
// oldest is taken back from who holds it once it is old enough, never before.
#include "daemon/generations.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace dfs::daemon {
namespace {

constexpr std::chrono::hours kYoung{1};
constexpr std::chrono::milliseconds kOld{0};
constexpr std::uint64_t kLimit = std::uint64_t{256} << 20U;

class GenerationsTest : public testing::Test {
 protected:
  GenerationsTest() {
    auto budget = std::make_unique<MemoryBudget>(kLimit);
    index::NewGeneration first;
    first.number = 1;
    auto made =
        Generation::make(control_->page(), first, *budget, MemoryBudget::For::current, mark_);
    generations_.emplace(control_->page(), std::move(budget), std::move(made).value(), mark_);
    index::make_current(control_->page(), 1);
  }

  /// Supersedes the current one.
  void switch_over() {
    auto next = generations_->make_next(10);
    ASSERT_TRUE(next.has_value()) << next.error().text();
    generations_->make_current(*next);
  }
  [[nodiscard]] index::GenerationState state_of(std::uint64_t number) const {
    return index::state_of(index::slot_of(control_->page(), number).identity);
  }

  os::ForkMark mark_;
  const std::unique_ptr<ControlMemory> control_ = ControlMemory::make({}, mark_).value();
  std::optional<Generations> generations_;
};

TEST_F(GenerationsTest, two_young_ones_that_are_held_are_all_that_may_be) {
  EXPECT_TRUE(generations_->there_is_room(kYoung));
  switch_over();
  EXPECT_TRUE(generations_->there_is_room(kYoung));
  switch_over();
  EXPECT_FALSE(generations_->there_is_room(kYoung)) << "a third would wait for them";
  EXPECT_TRUE(generations_->there_is_room(kOld)) << "they may be revoked";
}

TEST_F(GenerationsTest, every_slot_taken_is_no_room_however_old) {
  for (std::size_t taken = 2; taken < kGenerationSlots; ++taken) {
    EXPECT_FALSE(generations_->is_full());
    switch_over();
    EXPECT_EQ(generations_->there_is_room(kOld), !generations_->is_full());
  }
  switch_over();
  EXPECT_TRUE(generations_->is_full());
  EXPECT_FALSE(generations_->there_is_room(kOld));
}

TEST_F(GenerationsTest, the_oldest_is_revoked_when_it_is_old_enough_and_not_before) {
  EXPECT_EQ(generations_->may_revoke_in(kYoung), std::nullopt);
  EXPECT_FALSE(generations_->revoke_oldest(kOld)) << "the current one never is";
  switch_over();
  switch_over();
  EXPECT_FALSE(generations_->revoke_oldest(kYoung));
  EXPECT_EQ(state_of(1), index::GenerationState::superseded) << "its snapshots are good";
  const auto left = generations_->may_revoke_in(kYoung);
  ASSERT_TRUE(left.has_value());
  EXPECT_GT(*left, std::chrono::nanoseconds(0));
  EXPECT_LE(*left, kYoung);
  EXPECT_EQ(generations_->may_revoke_in(kOld), std::chrono::nanoseconds(0));

  const std::uint64_t before = generations_->old_bytes();
  EXPECT_TRUE(generations_->revoke_oldest(kOld));
  EXPECT_EQ(state_of(1), index::GenerationState::given_back);
  EXPECT_NE(state_of(2), index::GenerationState::given_back);
  EXPECT_LT(generations_->old_bytes(), before);
  EXPECT_EQ(generations_->find(1), nullptr);
  EXPECT_NE(generations_->find(2), nullptr);
}

TEST_F(GenerationsTest, what_nobody_holds_goes_and_the_current_one_stays) {
  switch_over();
  switch_over();
  EXPECT_EQ(generations_->give_back_unheld(), 0U);
  EXPECT_EQ(generations_->old_bytes(), 0U);
  EXPECT_EQ(state_of(2), index::GenerationState::given_back);
  EXPECT_EQ(state_of(3), index::GenerationState::current);
  EXPECT_EQ(generations_->find(3).get(), &generations_->current());
}

}  // namespace
}  // namespace dfs::daemon
