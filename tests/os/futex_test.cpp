// Sleeping at a word: who wakes whom, and what ends a sleep.
#include "common/os/futex.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "common/os/memory.hpp"
#include "common/os/process.hpp"

namespace dfs::os {
namespace {

using Word = std::atomic<std::uint32_t>;
constexpr std::size_t kBytes = 65536;
constexpr std::chrono::hours kLong{1};

class FutexTest : public testing::Test {
 protected:
  FutexTest() : memory_(make_memory("futex-test", kBytes).value()), mapping_(map(mark_)) {}

  [[nodiscard]] std::unique_ptr<Mapping> map(const ForkMark& mark) const {
    return Mapping::map(memory_.get(), {kBytes, Mapping::Access::write}, mark).value();
  }
  [[nodiscard]] Word& word() const { return word(mapping_); }
  static Word& word(const std::unique_ptr<Mapping>& mapping) {
    return *reinterpret_cast<Word*>(mapping->data());
  }

  ForkMark mark_;
  Descriptor memory_;
  std::unique_ptr<Mapping> mapping_;
};

TEST_F(FutexTest, a_word_that_is_another_lets_nobody_sleep) {
  word() = 1;
  sleep_at(word(), 2, kLong);
}

TEST_F(FutexTest, a_sleep_ends_when_it_has_been_long_enough) {
  sleep_at(word(), 0, std::chrono::milliseconds(1));
  sleep_at(word(), 0, std::chrono::nanoseconds(0));
}

TEST_F(FutexTest, who_sleeps_is_woken_through_another_mapping_by_another_process) {
  const pid_t child = ::fork();
  if (child == 0) {
    // A mapping is not there in a child.
    const ForkMark mark;
    const auto mapping = map(mark);
    // Again and again: the other may not be asleep yet.
    while (word(mapping).load() == 0) wake_at(word(mapping));
    ::_exit(0);
  }
  sleep_at(word(), 0, kLong);
  word() = 1;
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(FutexTest, nobody_asleep_is_nobody_woken) {
  wake_at(word());
  EXPECT_EQ(word().load(), 0U);
}

}  // namespace
}  // namespace dfs::os
