// The thread that syncs in the background, and what keeps it from that.
#include "daemon/syncer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

#include "daemon/opening.hpp"
#include "tests/daemon/scratch_directory.hpp"

namespace dfs::daemon {
namespace {

TEST(Syncer, held_off_and_forgotten_it_syncs_all_the_same) {
  const ScratchDirectory scratch;
  const os::ForkMark mark;
  Pulse pulse;
  Options options;
  Counters counters;
  options.store = scratch.file("store.db");
  OpenedStore store = open_store({options, mark, pulse}).value();
  std::promise<void> durable;
  std::atomic<bool> told{false};
  Syncer syncer(
      *store.log, store.control->page(), counters, {true, std::chrono::milliseconds(1)},
      [&] {
        if (!told.exchange(true)) durable.set_value();
      },
      [](const Error&) {});
  syncer.watch(true);
  syncer.hold_off();
  const std::uint64_t sequence = store.start.last + 1;
  syncer.written(sequence);
  durable.get_future().wait();
  EXPECT_GE(store.control->page().durable.load(), sequence);
  syncer.stop();
}

}  // namespace
}  // namespace dfs::daemon
