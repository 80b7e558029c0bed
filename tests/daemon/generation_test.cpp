#include "daemon/generation.hpp"

#include <gtest/gtest.h>

#include "common/index/lookup.hpp"

namespace dfs::daemon {
namespace {

class GenerationTest : public testing::Test {
 protected:
  GenerationTest() : control_(ControlMemory::make({}, mark_).value()) {}

  std::unique_ptr<Generation> make(std::uint64_t limit) {
    budget_.set_limit(limit);
    index::NewGeneration first;
    first.number = 1;
    return Generation::make(control_->page(), first, budget_, MemoryBudget::For::current, mark_)
        .value();
  }

  os::ForkMark mark_;
  std::unique_ptr<ControlMemory> control_;
  MemoryBudget budget_{0};
};

TEST_F(GenerationTest, grows_up_to_its_limit_and_not_beyond) {
  const auto generation = make(std::uint64_t{8} << 20U);
  EXPECT_TRUE(generation->ensure(std::uint64_t{8} << 20U));
  EXPECT_FALSE(generation->ensure((std::uint64_t{8} << 20U) + 1));
  EXPECT_EQ(generation->allocated(), std::uint64_t{8} << 20U);
  EXPECT_EQ(index::slot_of(control_->page(), 1).allocated.load(), generation->allocated());
}

TEST_F(GenerationTest, the_memory_is_never_larger_than_what_is_allocated) {
  const auto generation = make(std::uint64_t{64} << 20U);
  EXPECT_EQ(os::memory_size(generation->descriptor()).value(), generation->allocated());
  ASSERT_TRUE(generation->ensure(std::uint64_t{5} << 20U));
  EXPECT_EQ(os::memory_size(generation->descriptor()).value(), generation->allocated());
}

TEST_F(GenerationTest, the_descriptor_handed_out_only_reads) {
  const auto generation = make(std::uint64_t{64} << 20U);
  const auto mapped =
      os::Mapping::map(generation->descriptor(), {4096, os::Mapping::Access::write}, mark_);
  EXPECT_FALSE(mapped);
  EXPECT_TRUE(os::Mapping::map(generation->descriptor(), {4096, os::Mapping::Access::read}, mark_));
}

TEST_F(GenerationTest, room_for_the_next_generation_is_always_left) {
  const auto generation = make(std::uint64_t{16} << 20U);
  budget_.promise(std::uint64_t{2} << 20U);
  EXPECT_TRUE(generation->fits(1000));
  EXPECT_FALSE(generation->fits(std::uint64_t{8} << 20U)) << "twice that passes the limit";
  EXPECT_FALSE(generation->ensure(std::uint64_t{15} << 20U)) << "that would be the next one's";
  index::NewGeneration second;
  second.number = 2;
  const auto next =
      Generation::make(control_->page(), second, budget_, MemoryBudget::For::next, mark_);
  ASSERT_TRUE(next);
  EXPECT_TRUE((*next)->ensure(std::uint64_t{2} << 20U));
}

TEST_F(GenerationTest, what_it_took_is_counted_until_it_is_gone) {
  auto generation = make(std::uint64_t{16} << 20U);
  EXPECT_EQ(budget_.allocated(), generation->allocated());
  generation.reset();
  EXPECT_EQ(budget_.allocated(), 0U);
}

TEST_F(GenerationTest, punched_memory_reads_as_zeros_and_takes_no_pages) {
  const auto generation = make(std::uint64_t{16} << 20U);
  ASSERT_TRUE(generation->ensure(std::uint64_t{4} << 20U));
  std::byte& somewhere = generation->base()[std::size_t{2} << 20U];
  somewhere = std::byte{1};
  generation->freeze();
  generation->punch();
  EXPECT_EQ(somewhere, std::byte{0});
}

TEST(MemoryBudget, what_is_given_back_behind_a_switch_is_not_taken_from_the_promise) {
  MemoryBudget budget(1'000);
  budget.promise(100);
  ASSERT_TRUE(budget.take(20, MemoryBudget::For::ahead));
  EXPECT_EQ(budget.promised(), 80U);
  budget.next_is_current();
  budget.give_back(20, MemoryBudget::For::ahead);
  EXPECT_EQ(budget.promised(), 100U);
  EXPECT_EQ(budget.allocated(), 0U);
}

}  // namespace
}  // namespace dfs::daemon
