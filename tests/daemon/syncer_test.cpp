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

class SyncerTest : public testing::Test {
 protected:
  [[nodiscard]] std::uint64_t durable() const { return store_.control->page().durable.load(); }
  /// A log whose syncs fail; one in its place would be synced.
  [[nodiscard]] static LogFile failing_log() {
    return {os::File::open("/dev/null", {.write = true}).value(), 0};
  }
  void put_another_in_place_of(LogFile& log) const {
    const os::File before = log.replace(
        os::File::open(scratch_.file("other"), {.write = true, .create = true}).value(), 0);
    log.sync().value();
  }

  const ScratchDirectory scratch_;
  const os::ForkMark mark_;
  Pulse pulse_;
  Counters counters_;
  Options options_ = [this] {
    Options options;
    options.store = scratch_.file("store.db");
    return options;
  }();
  OpenedStore store_ = open_store({options_, mark_, pulse_}).value();
};

TEST_F(SyncerTest, held_off_and_forgotten_it_syncs_all_the_same) {
  std::promise<void> durable_moved;
  std::atomic<bool> told{false};
  Syncer syncer(
      *store_.log, store_.control->page(), counters_, {true, std::chrono::milliseconds(1)},
      [&] {
        if (!told.exchange(true)) durable_moved.set_value();
      },
      [](const Error&) {});
  syncer.watch(true);
  syncer.hold_off();
  const std::uint64_t sequence = store_.start.last + 1;
  syncer.written(sequence);
  durable_moved.get_future().wait();
  EXPECT_GE(durable(), sequence);
  syncer.stop();
}

TEST_F(SyncerTest, what_is_written_beside_a_sync_is_not_durable_by_it) {
  Syncer syncer(
      *store_.log, store_.control->page(), counters_, {}, [] {}, [](const Error&) {});
  const std::uint64_t sequence = durable() + 3;
  syncer.written(sequence + 2);
  syncer.sync(sequence).value();
  EXPECT_EQ(durable(), sequence);
}

TEST_F(SyncerTest, after_a_failure_it_never_syncs_again_though_the_next_would_succeed) {
  LogFile log = failing_log();
  Syncer syncer(
      log, store_.control->page(), counters_, {}, [] {}, [](const Error&) {});
  const std::uint64_t before = durable();
  EXPECT_FALSE(syncer.sync(before + 1));
  EXPECT_TRUE(syncer.failed());
  put_another_in_place_of(log);
  const auto again = syncer.sync(before + 2);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), errc::writing_stopped) << again.error().text();
  EXPECT_EQ(durable(), before);
}

TEST_F(SyncerTest, after_a_failure_in_the_background_nobody_else_syncs_either) {
  LogFile log = failing_log();
  std::promise<void> failed;
  Syncer syncer(
      log, store_.control->page(), counters_, {true, std::chrono::milliseconds(1)}, [] {},
      [&](const Error&) { failed.set_value(); });
  const std::uint64_t before = durable();
  syncer.written(before + 1);
  failed.get_future().wait();
  syncer.exclude([&] { put_another_in_place_of(log); });
  EXPECT_FALSE(syncer.sync(before + 1)) << "the kernel tells of a failed write only once";
  EXPECT_EQ(durable(), before);
  syncer.stop();
}

}  // namespace
}  // namespace dfs::daemon
