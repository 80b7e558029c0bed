// Lines that a person wrote into the log are committed once, whenever a daemon dies over them.
#include "tests/process/lines_by_hand.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

std::size_t times(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST(LinesByHand, killed_anywhere_a_daemon_leaves_the_rest_to_the_next_and_none_twice) {
  const Watchdog watchdog("lines by hand");
  for (const std::string durability : {"durable", "written"}) {
    for (const std::string& point : deaths_over_lines_by_hand()) {
      SCOPED_TRACE(durability + ", died at " + point);
      const TemporaryDirectory directory;
      const LinesByHand store(directory / "users.db", durability);
      store.die_at(point);
      ASSERT_NO_FATAL_FAILURE(store.expect_committed_once());
    }
  }
}

TEST(LinesByHand, killed_one_after_the_other_daemons_commit_none_twice) {
  const Watchdog watchdog("lines by hand");
  const std::vector<std::vector<std::string>> lives{
      {"kept_aside:1", "kept_aside:1", "cut:1", "reread:1", "reread:1"},
      {"cut:1", "torn:1", "torn:2", "torn:2", "appended:1"},
      {"appended:1", "published:1", "torn:2", "published:1", "appended:1"},
      {"published:4", "torn:1"},
      {"kept_aside:1", "cut:1", "appended:2", "reread:1", "published:2", "reread:1"},
  };
  for (const auto& steps : lives) {
    const TemporaryDirectory directory;
    const LinesByHand store(directory / "users.db", "durable");
    for (const std::string& step : steps) store.die_at(step);
    SCOPED_TRACE("first died at " + steps.front());
    ASSERT_NO_FATAL_FAILURE(store.expect_committed_once());
  }
}

TEST(LinesByHand, written_again_before_anything_was_committed_they_are_the_same_lines) {
  const Watchdog watchdog("lines by hand");
  for (const std::string point : {"cut:1", "reread:1", "torn:2"}) {
    SCOPED_TRACE(point);
    const TemporaryDirectory directory;
    const LinesByHand store(directory / "users.db", "durable");
    store.die_at(point);
    const std::string log = file_bytes(store.path());
    // Of the line that was torn nothing is to stand before them.
    std::filesystem::resize_file(store.path(), LogContents::of(log).good().size());
    store.append(LinesByHand::kLines);
    ASSERT_NO_FATAL_FAILURE(store.expect_committed_once());
  }
}

TEST(LinesByHand, where_somebody_was_at_work_meanwhile_the_rest_is_told_of_and_not_committed) {
  const Watchdog watchdog("lines by hand");
  const TemporaryDirectory directory;
  const LinesByHand store(directory / "users.db", "durable");
  store.die_at("published:2");
  store.append("{\"k\":\"b\",\"val\":3}\n");
  const std::string told = "the lines from line 4 on";
  for (std::size_t start = 1; start <= 2; ++start) {
    DaemonProcess daemon = store.serve();
    {
      Store opened = open_served(store.path());
      need(opened.set("behind", "1"), "set");
      EXPECT_EQ(need(opened.get("b"), "get").value, "3");
      EXPECT_EQ(need(opened.get("one"), "get").value, "1");
    }
    EXPECT_EQ(times(daemon.said(), told), start) << daemon.said();
    daemon.stop();
    ASSERT_EQ(store.kept().size(), 1U);
    EXPECT_EQ(file_bytes(store.kept().front()), LinesByHand::kLines);
  }
  LogContents::at(store.path()).expect_versions_rise_by_one();
}

TEST(LinesByHand, who_writes_the_rest_again_is_not_told_of_it_any_more) {
  const Watchdog watchdog("lines by hand");
  const TemporaryDirectory directory;
  const LinesByHand store(directory / "users.db", "durable");
  store.die_at("published:2");
  store.append("{\"k\":\"b\",\"d\":true}\n{\"k\":\"one\",\"val\":2}\n");
  {
    DaemonProcess daemon = store.serve();
    daemon.stop();
  }
  store.expect_committed_once();
}

}  // namespace
}  // namespace dfs::test
