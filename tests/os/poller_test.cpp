#include "common/os/poller.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace dfs::os {
namespace {

TEST(Pollers, an_edge_is_told_once_and_each_ring_is_an_edge) {
  Poller poller = Poller::make().value();
  const Event event = Event::make().value();
  poller.add(event.fd(), {7, Poller::Trigger::edge}).value();
  const Deadline now = Deadline::after(std::chrono::nanoseconds(0));
  for (int i = 0; i < 3; ++i) {
    event.ring();  // never drained: as with a client's doorbell
    const auto ready = poller.wait(Deadline::never());
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_EQ(ready[0].tag, 7U);
    EXPECT_TRUE(poller.wait(now).empty());
  }
}

TEST(Pollers, a_hang_up_is_told) {
  Poller poller = Poller::make().value();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  poller.add(ends[0], {1}).value();
  ::close(ends[1]);
  const auto ready = poller.wait(Deadline::never());
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_TRUE(ready[0].hung_up);
  ::close(ends[0]);
}

TEST(Pollers, caught_signals_are_read_and_not_delivered) {
  const std::array<int, 1> signals{SIGUSR1};
  const Descriptor caught = catch_signals(signals).value();
  EXPECT_EQ(next_signal(caught.get()), 0);
  ::raise(SIGUSR1);
  EXPECT_TRUE(wait_readable(caught.get(), Deadline::never()));
  EXPECT_EQ(next_signal(caught.get()), SIGUSR1);
}

TEST(Deadlines, never_does_not_pass_and_zero_has) {
  EXPECT_FALSE(Deadline::never().passed());
  EXPECT_TRUE(Deadline::after(std::chrono::nanoseconds(0)).passed());
  EXPECT_FALSE(Deadline::after(std::chrono::hours(24 * 365 * 200)).passed());
  EXPECT_EQ(Deadline::after(std::chrono::nanoseconds(-5)).left_ms(), 0);
}

}  // namespace
}  // namespace dfs::os
