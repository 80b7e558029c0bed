// A store into whose log a person wrote lines, and daemons that die over them.
#pragma once

#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/os/file.hpp"
#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/failing_disk.hpp"
#include "tests/process/log_contents.hpp"

namespace dfs::test {

class LinesByHand {
 public:
  /// Four commits: one of the lines erases what is not there.
  static constexpr std::string_view kLines =
      "{\"k\":\"one\",\"val\":1}\n{\"k\":\"a\",\"val\": [1, 2]}\n{\"k\":\"nothing\",\"d\":true}\n"
      "{\"k\":\"b\",\"d\":true}\n{\"k\":\"one\",\"val\":2}\n";
  static constexpr std::size_t kCommits = 4;

  LinesByHand(std::string path, std::string durability)
      : path_(std::move(path)), arguments_{"--durability", std::move(durability)} {
    DaemonProcess daemon = serve();
    {
      Store store = open_served(path_);
      need(store.set("a", "1"), "set");
      need(store.set("b", "1"), "set");
      need(store.set("a", "2"), "set");
    }
    daemon.stop();
    append(kLines);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  /// To the log; on the disk.
  void append(std::string_view lines) const {
    std::ofstream(path_, std::ios::binary | std::ios::app) << lines;
    const auto file = os::File::open(path_, {.write = true});
    EXPECT_TRUE(file && file->sync_all());
  }
  [[nodiscard]] DaemonProcess serve() const {
    return DaemonProcess::serving({.store = path_, .arguments = arguments_});
  }
  /// Starts a daemon that dies there: "appended:2" is behind the second append of a commit.
  void die_at(const std::string& point) const {
    DaemonProcess daemon({.program = DFSD_FAULTS,
                          .store = path_,
                          .arguments = arguments_,
                          .fault = "kill@" + point});
    EXPECT_TRUE(daemon.killed_itself()) << point << ": " << daemon.said();
  }
  /// The files beside the log that hold lines by hand.
  [[nodiscard]] std::vector<std::string> kept() const {
    std::vector<std::string> found;
    for (const auto& file :
         std::filesystem::directory_iterator(std::filesystem::path(path_).parent_path())) {
      if (file.path().string().starts_with(path_ + ".byhand-")) found.push_back(file.path());
    }
    return found;
  }
  /// A daemon serves the store with all of them, each committed once and before anybody's.
  void expect_committed_once() const {
    DaemonProcess daemon = serve();
    {
      Store store = open_served(path_);
      need(store.set("behind", "1"), "set");
      EXPECT_EQ(need(store.get("one"), "get").version, 2U);
      EXPECT_EQ(need(store.get("a"), "get").value, "[1,2]");
      EXPECT_EQ(need(store.get("a"), "get").version, 3U);
      EXPECT_EQ(store.get("b").error(), errc::absent);
    }
    daemon.stop();
    EXPECT_TRUE(kept().empty()) << kept().front();
    const LogContents log = LogContents::at(path_);
    EXPECT_EQ(log.recovery().kind, log::RecoveryKind::whole) << log.recovery().reason;
    log.expect_versions_rise_by_one();
    ASSERT_EQ(log.commits().size(), 3 + kCommits + 1) << file_bytes(path_);
    EXPECT_EQ(log.commits().back().records.front().key, "behind");
  }

 private:
  const std::string path_;
  const std::vector<std::string> arguments_;
};

/// Every point at which a daemon may die over lines by hand. The first append is of a start line.
inline std::vector<std::string> deaths_over_lines_by_hand() {
  std::vector<std::string> points{"kept_aside:1", "cut:1", "reread:1", "torn:1", "hand_removed:1"};
  for (std::size_t i = 1; i <= LinesByHand::kCommits; ++i) {
    points.push_back("torn:" + std::to_string(i + 1));
    for (const std::string point : {"appended:", "synced:", "published:"}) {
      points.push_back(point + std::to_string(i));
    }
  }
  return points;
}

}  // namespace dfs::test
