// What a spin may rely on nobody for: it finds what is there, gives up where nothing comes, and
// does not look for ever after for what never comes.
#include "common/os/spin.hpp"

#include <sched.h>

#include <thread>

#include <gtest/gtest.h>

namespace dfs::os {
namespace {

/// How often a spin looks that finds nothing, or that finds something at a look.
int looks(Spin& spin, int found_at = 0) {
  int count = 0;
  const bool found = spin.finds([&] { return ++count == found_at; });
  EXPECT_EQ(found, count == found_at);
  return count;
}

TEST(spin, finds_at_once_what_is_there) {
  Spin spin;
  EXPECT_EQ(looks(spin, 1), 1);
}

TEST(spin, finds_what_comes_while_it_looks) {
  if (processors() < 2) GTEST_SKIP() << "with one processor nobody spins";
  Spin spin;
  EXPECT_EQ(looks(spin, 3), 3);
}

TEST(spin, with_one_processor_it_looks_once) {
  // A thread may be kept to one, as a process is where a machine has more.
  std::thread([] {
    ::cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &here);
    ASSERT_EQ(::sched_setaffinity(0, sizeof here, &here), 0);
    Spin spin;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(looks(spin), 1) << i;
  }).join();
}

TEST(spin, looks_once_where_nothing_ever_came) {
  Spin spin;
  for (int i = 0; i < 8; ++i) looks(spin);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(looks(spin), 1) << i;
}

TEST(spin, tries_again_in_the_end_and_then_trusts_again) {
  if (processors() < 2) GTEST_SKIP() << "with one processor nobody spins";
  Spin spin;
  for (int i = 0; i < 8 + 32; ++i) looks(spin);
  EXPECT_EQ(looks(spin, 2), 2);
  EXPECT_EQ(looks(spin, 2), 2);
  EXPECT_GT(looks(spin), 1);
  EXPECT_GT(looks(spin), 1);
  EXPECT_EQ(looks(spin), 1);
}

TEST(spin, rests_twice_as_long_where_it_never_pays) {
  if (processors() < 2) GTEST_SKIP() << "with one processor nobody spins";
  Spin spin;
  for (int i = 0; i < 8; ++i) looks(spin);
  for (const int rest : {32, 64, 128, 256, 512, 1024, 1024}) {
    for (int i = 0; i < rest; ++i) ASSERT_EQ(looks(spin), 1) << i << " of " << rest;
    ASSERT_GT(looks(spin), 1) << rest;
  }
  for (int i = 0; i < 1024; ++i) looks(spin);
  EXPECT_EQ(looks(spin, 2), 2);
  EXPECT_GT(looks(spin), 1);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(looks(spin), 1) << i;
  EXPECT_GT(looks(spin), 1) << "what has paid is tried again soon";
}

}  // namespace
}  // namespace dfs::os
