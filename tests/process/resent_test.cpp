// Commits that a daemon did not answer before it died are sent to the next one, in their order,
// also where that one takes them slowly.
#include <dfs/store.hpp>

#include <sys/wait.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/limits.hpp"
#include "tests/process/client_process.hpp"
#include "tests/process/compacting_store.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/hold.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

TEST(Resent, they_keep_their_order_where_the_next_daemon_has_no_room_for_all) {
  const Watchdog watchdog("commits that are sent again");
  const TemporaryDirectory directory;
  const std::string path = directory / "users.db";
  Hold hold(directory / "hold");
  // The first is out of the ring when its daemon stops, so that the others have all of it: more
  // than the next daemon's holds, which takes nothing.
  const std::vector<std::size_t> sizes{kRequestRingBytes / 4, kRequestRingBytes / 4,
                                       kRequestRingBytes / 4, kRequestRingBytes / 5,
                                       kRequestRingBytes / 5, 1000};
  const auto value = [](std::size_t i, std::size_t bytes) {
    std::string text = std::to_string(i);
    text.resize(bytes, '.');
    return '"' + text + '"';
  };
  DaemonProcess daemon =
      DaemonProcess::serving({.program = DFSD_FAULTS, .store = path, .fault = "stop@prepared:1"});
  Store store = need(Store::open(path, patient()), "open");
  std::vector<Pending> commits;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    commits.push_back(store.submit(Batch().set("key", value(i, sizes[i]))));
    int status = 0;
    if (i == 0) {
      ASSERT_EQ(::waitpid(daemon.pid(), &status, WUNTRACED), daemon.pid());
    }
  }
  daemon.kill();

  daemon = DaemonProcess::serving({.program = DFSD_FAULTS,
                                   .store = path,
                                   .fault = "hold@taken:1",
                                   .environment = hold.environment()});
  Store other = need(Store::open(path, patient()), "open");
  Pending before = other.submit(Batch().set("other", "1"));
  hold.wait();
  for (int refusals = 0; refusals < 3;) {
    const auto late = store.set("late", "1", {.timeout = std::chrono::milliseconds(100)});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error(), errc::timeout) << late.error().text();
    // Else it had not even reached the daemon yet.
    if (late.error().text().find("take their time") != std::string::npos) ++refusals;
  }
  hold.let_go();

  need(before.wait(), "other");
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < commits.size(); ++i) {
    const Committed done = need(commits[i].wait(), "commit");
    EXPECT_EQ(done.version, i + 1);
    EXPECT_GT(done.sequence, last);
    last = done.sequence;
  }
  EXPECT_TRUE(need(store.get("key"), "get").value == value(sizes.size() - 1, sizes.back()));
  EXPECT_EQ(store.get("late").error(), errc::absent);
  daemon.stop();
}

}  // namespace
}  // namespace dfs::test
