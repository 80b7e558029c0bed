#include "daemon/generation.hpp"

#include <gtest/gtest.h>

#include "common/index/lookup.hpp"

namespace dfs::daemon {
namespace {

class GenerationTest : public testing::Test {
 protected:
  GenerationTest() : control_(ControlMemory::make({}, mark_).value()) {}

  std::unique_ptr<Generation> make(std::uint64_t limit) {
    Generation::Settings settings;
    settings.generation.number = 1;
    settings.memory_limit = limit;
    return Generation::make(control_->page(), settings, mark_).value();
  }

  os::ForkMark mark_;
  std::unique_ptr<ControlMemory> control_;
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
  EXPECT_TRUE(generation->fits(1000));
  EXPECT_FALSE(generation->fits(std::uint64_t{8}
                                << 20U));  // twice that, with what is used, passes the limit
}

}  // namespace
}  // namespace dfs::daemon
