// Somebody edits the log: while it is served, which must stop acknowledgements and not lose them;
// while it is not, where good edits count and others are refused by their line.
#include <dfs/admin.hpp>
#include <dfs/store.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/limits.hpp"
#include "tests/process/client_process.hpp"
#include "tests/process/daemon_process.hpp"
#include "tests/process/failing_disk.hpp"
#include "tests/process/log_contents.hpp"
#include "tests/process/message_pipe.hpp"
#include "tests/process/program.hpp"
#include "tests/process/temporary_directory.hpp"
#include "tests/process/watchdog.hpp"

namespace dfs::test {
namespace {

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// An edit of a log that is being served, and what the daemon says of it.
struct LiveEdit {
  const char* name;
  std::function<void(const std::string&)> make;
  const char* reason;
};

std::vector<LiveEdit> live_edits() {
  return {
      {"sed -i",
       [](const std::string& path) {
         EXPECT_EQ(Program({"sed", "-i", "s/first/FIRST/", path}).run(), 0);
       },
       "was replaced by another file"},
      {"truncate",
       [](const std::string& path) {
         std::filesystem::resize_file(path, std::filesystem::file_size(path) - 10);
       },
       "bytes where"},
      {"append",
       [](const std::string& path) { std::ofstream(path, std::ios::app) << "{\"k\":\"mine\"}\n"; },
       "bytes where"},
      {"rm", [](const std::string& path) { std::filesystem::remove(path); },
       "is gone from its place"},
      {"mv", [](const std::string& path) { std::filesystem::rename(path, path + ".moved"); },
       "is gone from its place"},
  };
}

void expect_stopped(DaemonProcess& daemon, const LiveEdit& edit) {
  EXPECT_EQ(daemon.exit_code(), 74) << edit.name;
  const std::string said = daemon.said();
  EXPECT_NE(said.find("writing stopped"), std::string::npos) << said;
  EXPECT_NE(said.find(edit.reason), std::string::npos) << edit.name << ": " << said;
}

TEST(EditedLog, an_edit_while_it_is_served_stops_acknowledgements) {
  const Watchdog watchdog("an edited log");
  for (const LiveEdit& edit : live_edits()) {
    for (const int before : {1, 2, 7}) {
      const TemporaryDirectory directory;
      const std::string path = directory / "users.db";
      DaemonProcess daemon = DaemonProcess::serving({.store = path});
      Store store = open_served(path, std::chrono::seconds(1));
      for (int i = 0; i < before; ++i) need(store.set("first", "\"first\""), "set");
      edit.make(path);
      const auto done = store.set("second", "2");
      EXPECT_FALSE(done) << edit.name << ": acknowledged after the edit";
      EXPECT_EQ(store.get("second").error(), errc::absent) << edit.name << ": seen all the same";
      expect_stopped(daemon, edit);
      EXPECT_FALSE(store.set("third", "3")) << edit.name;
      EXPECT_TRUE(store.get("first")) << "reads go on";
    }
  }
}

TEST(EditedLog, an_edit_at_any_point_of_a_write_is_noticed_before_its_acknowledgement) {
  const Watchdog watchdog("an edited log");
  for (const LiveEdit& edit : live_edits()) {
    for (const std::string point : {"taken", "prepared", "appended", "synced"}) {
      const TemporaryDirectory directory;
      const std::string path = directory / "users.db";
      DaemonProcess daemon = DaemonProcess::serving(
          {.program = DFSD_FAULTS, .store = path, .fault = "stop@" + point + ":3"});
      const MessagePipe<int> answers;
      ClientProcess client("a writer", [&] {
        Store store = open_served(path, std::chrono::seconds(2));
        for (int i = 0; i < 3; ++i) answers.send(store.set("first", "\"first\"") ? 1 : 0);
        answers.send(static_cast<int>(store.snapshot().sequence()));
      });
      EXPECT_EQ(answers.receive(), 1);
      EXPECT_EQ(answers.receive(), 1);
      int status = 0;
      ASSERT_EQ(::waitpid(daemon.pid(), &status, WUNTRACED), daemon.pid());
      ASSERT_TRUE(WIFSTOPPED(status)) << status;
      edit.make(path);
      daemon.signal(SIGCONT);
      EXPECT_EQ(answers.receive(), 0) << edit.name << " at " << point;
      EXPECT_EQ(answers.receive(), 2) << edit.name << " at " << point << ": seen all the same";
      client.expect_done();
      expect_stopped(daemon, edit);
    }
  }
}

TEST(EditedLog, an_edit_while_it_is_compacted_is_not_written_over) {
  const Watchdog watchdog("an edited log");
  for (const LiveEdit& edit : live_edits()) {
    const TemporaryDirectory directory;
    const std::string path = directory / "users.db";
    DaemonProcess daemon = DaemonProcess::serving(
        {.program = DFSD_FAULTS, .store = path, .fault = "stop@caught_up:1"});
    const MessagePipe<int> answers;
    ClientProcess client("who asks", [&] {
      Store store = open_served(path, std::chrono::minutes(1));
      for (int i = 0; i < 3; ++i) need(store.set("first", "\"first\""), "set");
      answers.send(Admin(store).compact(std::chrono::minutes(1)) ? 1 : 0);
      answers.send(store.set("second", "2") ? 1 : 0);
    });
    int status = 0;
    ASSERT_EQ(::waitpid(daemon.pid(), &status, WUNTRACED), daemon.pid());
    ASSERT_TRUE(WIFSTOPPED(status)) << status;
    edit.make(path);
    const bool there = std::filesystem::exists(path);
    const std::string edited = file_bytes(path);
    daemon.signal(SIGCONT);
    EXPECT_EQ(answers.receive(), 0) << edit.name << ": the compaction did not take place";
    EXPECT_EQ(answers.receive(), 0) << edit.name << ": acknowledged after the edit";
    client.expect_done();
    expect_stopped(daemon, edit);
    EXPECT_EQ(std::filesystem::exists(path), there) << edit.name;
    // The daemon's last append may stand behind what an editor left in the very file.
    EXPECT_TRUE(file_bytes(path).starts_with(edited)) << edit.name << ": the edit is gone";
    EXPECT_FALSE(std::filesystem::exists(path + ".new")) << edit.name;
  }
}

/// A store with a few commits, cleanly stopped, whose log a test edits.
class StoppedLog : public ::testing::Test {
 protected:
  StoppedLog() {
    DaemonProcess daemon = DaemonProcess::serving({.store = path_});
    Store store = open_served(path_, std::chrono::minutes(1));
    need(store.set("a", "\"one\""), "set");
    need(store.set("b", "\"two\""), "set");
    need(store.set("a", "\"three\""), "set");
    daemon.stop();
    bytes_ = file_bytes(path_);
  }

  /// The lines of the log; record lines are at 2, 3, 4 (the first line and the start stand before).
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> found;
    for (std::size_t at = 0; at < bytes_.size();) {
      const std::size_t end = bytes_.find('\n', at) + 1;
      found.push_back(bytes_.substr(at, end - at));
      at = end;
    }
    return found;
  }
  [[nodiscard]] static std::string joined(const std::vector<std::string>& lines) {
    std::string all;
    for (const std::string& line : lines) all += line;
    return all;
  }
  /// Takes the checksum out of a line.
  static void unseal(std::string& line) {
    const std::size_t seal = line.rfind(",\"c\":\"");
    line.erase(seal, std::string_view(",\"c\":\"xxxxxxxx\"").size());
  }
  static void replace(std::string& text, std::string_view what, std::string_view by) {
    text.replace(text.find(what), what.size(), by);
  }
  /// Fails the test unless a daemon refuses the log, with the line and the way out.
  void expect_refused(const std::string& bytes, int line, const std::string& what) {
    write_file(path_, bytes);
    DaemonProcess daemon({.store = path_});
    const std::string words = daemon.ready();
    EXPECT_EQ(daemon.exit_code(), exit_code(errc::damaged)) << what << ": " << words;
    EXPECT_NE(words.find("error damaged"), std::string::npos) << what << ": " << words;
    EXPECT_NE(words.find("line " + std::to_string(line)), std::string::npos)
        << what << ": " << words;
    EXPECT_EQ(file_bytes(path_), bytes) << what << ": a refused log is left as it is";
  }

  const Watchdog watchdog_{"an edited log"};
  const TemporaryDirectory directory_;
  const std::string path_ = directory_ / "users.db";
  std::string bytes_;
};

TEST_F(StoppedLog, a_line_without_its_checksum_counts_and_is_reported) {
  auto all = lines();
  unseal(all[3]);
  replace(all[3], "\"two\"", "\"edited\"");
  write_file(path_, joined(all));
  DaemonProcess daemon = DaemonProcess::serving({.store = path_});
  Store store = open_served(path_, std::chrono::minutes(1));
  EXPECT_EQ(need(store.get("b"), "get").value, "\"edited\"");
  EXPECT_NE(daemon.said().find("line 4 was edited by hand"), std::string::npos) << daemon.said();
  daemon.stop();
}

TEST_F(StoppedLog, a_key_at_the_highest_version_gets_no_other) {
  auto all = lines();
  unseal(all[3]);
  replace(all[3], "\"v\":1", "\"v\":" + std::to_string(kMaxVersion));
  write_file(path_, joined(all));
  DaemonProcess daemon = DaemonProcess::serving({.store = path_});
  Store store = open_served(path_);
  EXPECT_EQ(need(store.get("b"), "get").version, kMaxVersion);
  for (const auto& outcome : {store.set("b", "1"), store.erase("b")}) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error(), errc::too_large) << outcome.error().text();
  }
  daemon.stop();
}

TEST_F(StoppedLog, a_line_without_sequence_behind_the_last_is_committed_anew) {
  write_file(path_, bytes_ + "{\"k\":\"mine\",\"v\":1,\"d\":false,\"val\":{\"by\": \"hand\"}}\n");
  DaemonProcess daemon = DaemonProcess::serving({.store = path_});
  Store store = open_served(path_, std::chrono::minutes(1));
  // Committed by the writer's thread, behind which this commit comes.
  need(store.set("behind", "1"), "set");
  const Value mine = need(store.get("mine"), "get");
  EXPECT_EQ(mine.value, "{\"by\":\"hand\"}");
  EXPECT_EQ(mine.version, 1U);
  EXPECT_GT(mine.sequence, need(store.get("a"), "get").sequence);
  daemon.stop();
  LogContents::at(path_).expect_versions_rise_by_one();
}

TEST_F(StoppedLog, more_lines_by_hand_than_there_is_room_for_end_the_daemon_and_the_next_goes_on) {
  constexpr int kLines = 60;
  std::string bytes = bytes_;
  for (int i = 0; i < kLines; ++i) {
    bytes += R"({"k":"hand)" + std::to_string(i) + R"(","val":")" + std::string(1'000'000, 'x') +
             "\"}\n";
  }
  write_file(path_, bytes);
  DaemonProcess narrow({.store = path_, .arguments = {"--memory-limit", "32M"}});
  EXPECT_EQ(narrow.exit_code(), 74);
  EXPECT_NE(narrow.said().find("the store is full"), std::string::npos) << narrow.said();

  // What there was room for is committed; where there is more, the rest is, and nothing twice.
  DaemonProcess wide = DaemonProcess::serving({.store = path_});
  Store store = open_served(path_, std::chrono::minutes(1));
  need(store.set("behind", "1"), "set");
  for (int i = 0; i < kLines; ++i) {
    const Value value = need(store.get("hand" + std::to_string(i)), "get");
    EXPECT_EQ(value.value.size(), 1'000'002U);
    EXPECT_EQ(value.version, 1U);
  }
  wide.stop();
  EXPECT_EQ(LogContents::at(path_).commits().size(), 3U + kLines + 1);
}

TEST_F(StoppedLog, a_line_by_hand_that_cannot_be_written_ends_the_daemon_too) {
  constexpr int kLines = 10;
  std::string bytes = bytes_;
  for (int i = 0; i < kLines; ++i) {
    bytes += R"({"k":"hand)" + std::to_string(i) + "\",\"v\":1,\"d\":false,\"val\":1}\n";
  }
  write_file(path_, bytes);
  // Of the writer's thread, a line each; main makes fewer.
  DaemonProcess daemon({.store = path_, .wrapper = failing("pwrite64:error=ENOSPC:when=8")});
  static_cast<void>(daemon.ready());
  daemon.signal(SIGTERM);  // behind these lines
  EXPECT_EQ(daemon.exit_code(), 74);
  EXPECT_NE(daemon.said().find("all that was written by hand"), std::string::npos) << daemon.said();
  DaemonProcess next = DaemonProcess::serving({.store = path_});
  Store store = open_served(path_);
  need(store.set("behind", "1"), "set");
  for (int i = 0; i < kLines; ++i) {
    EXPECT_EQ(need(store.get("hand" + std::to_string(i)), "get").version, 1U) << i;
  }
  next.stop();
  EXPECT_EQ(LogContents::at(path_).commits().size(), 3U + kLines + 1);
}

TEST_F(StoppedLog, an_edit_that_keeps_its_checksum_is_refused_by_line) {
  auto all = lines();
  replace(all[3], "\"two\"", "\"2wo\"");
  expect_refused(joined(all), 4, "a changed value");
}

TEST_F(StoppedLog, other_line_ends_a_mark_at_the_front_and_misplaced_lines_are_refused_by_line) {
  auto all = lines();
  std::string crlf;
  for (const char c : bytes_) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  expect_refused(crlf, 1, "CRLF");
  expect_refused("\xEF\xBB\xBF" + bytes_, 1, "a byte order mark");

  auto doubled = all;
  doubled.insert(doubled.begin() + 3, doubled[3]);
  expect_refused(joined(doubled), 5, "a doubled line");

  auto swapped = all;
  std::swap(swapped[2], swapped[3]);
  expect_refused(joined(swapped), 3, "two lines that changed places");

  auto missing = all;
  missing.erase(missing.begin() + 3);
  expect_refused(joined(missing), 4, "a line taken out");
}

TEST_F(StoppedLog, as_it_was_it_is_served) {
  DaemonProcess daemon = DaemonProcess::serving({.store = path_});
  Store store = open_served(path_, std::chrono::minutes(1));
  EXPECT_EQ(need(store.get("a"), "get").value, "\"three\"");
  EXPECT_EQ(need(store.get("a"), "get").version, 2U);
  daemon.stop();
}

}  // namespace
}  // namespace dfs::test
