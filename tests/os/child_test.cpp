#include "common/os/child.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "common/os/descriptor.hpp"
#include "tests/process/temporary_directory.hpp"

namespace dfs::os {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ChildTest : public ::testing::Test {
 protected:
  /// A shell that runs `script`, with a pipe from us at its descriptor 3 and one to us at 4.
  Child start(const std::string& script) {
    int to[2];
    int from[2];
    if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) throw std::bad_alloc();
    const Descriptor its_input(to[0]);
    const Descriptor its_output(from[1]);
    to_.reset(to[1]);
    from_.reset(from[0]);
    return Child::start({"/bin/sh", {"-c", script}, {to[0], from[1]}, directory_ / "said"}).value();
  }
  /// A line of what it writes to us.
  std::string heard() {
    std::string line;
    for (char c = 0; c != '\n' && ::read(from_.get(), &c, 1) == 1;) line += c;
    return line;
  }
  void say(std::string_view line) {
    ASSERT_EQ(::write(to_.get(), line.data(), line.size()), static_cast<::ssize_t>(line.size()));
  }
  /// Its state as ps shows it; X where it is gone.
  static char state_of(std::int32_t pid) {
    const std::string line = content("/proc/" + std::to_string(pid) + "/stat");
    const auto at = line.rfind(") ");
    return at == std::string::npos ? 'X' : line[at + 2];
  }

  const test::TemporaryDirectory directory_;
  Descriptor to_;
  Descriptor from_;
};

constexpr const char* kWaits = "echo here >&4; read go <&3";

TEST_F(ChildTest, it_has_the_descriptors_it_was_given_and_no_other) {
  Child child = start("echo $(ls /proc/self/fd) >&4; read go <&3");
  // 5 is what ls reads the folder by.
  EXPECT_EQ(heard(), "0 1 2 3 4 5\n");
}

TEST_F(ChildTest, what_it_says_on_standard_error_is_appended) {
  std::ofstream(directory_ / "said") << "before\n";
  Child child = start("echo words >&2; echo done >&4; read go <&3");
  EXPECT_EQ(heard(), "done\n");
  EXPECT_EQ(content(directory_ / "said"), "before\nwords\n");
}

TEST_F(ChildTest, its_exit_code_is_told) {
  Child child = start("trap 'exit 7' TERM; echo here >&4; read go <&3");
  EXPECT_EQ(heard(), "here\n");
  EXPECT_EQ(child.terminate().value(), 7);
  EXPECT_TRUE(child.ended());
  EXPECT_EQ(child.terminate().error(), errc::daemon_gone);
}

TEST_F(ChildTest, it_is_killed_with_its_object) {
  std::int32_t pid = 0;
  {
    Child child = start(kWaits);
    EXPECT_EQ(heard(), "here\n");
    pid = child.pid();
    EXPECT_FALSE(child.ended());
    EXPECT_NE(state_of(pid), 'X');
  }
  EXPECT_EQ(state_of(pid), 'X');
}

TEST_F(ChildTest, it_moves) {
  Child child = start(kWaits);
  const std::int32_t pid = child.pid();
  Child other = std::move(child);
  EXPECT_TRUE(child.ended());  // NOLINT(bugprone-use-after-move): what is left of it
  EXPECT_EQ(other.pid(), pid);
  EXPECT_FALSE(other.ended());
}

TEST_F(ChildTest, paused_means_stopped_when_the_call_returns) {
  Child child = start(kWaits);
  EXPECT_EQ(heard(), "here\n");
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(child.pause().has_value());
    EXPECT_EQ(state_of(child.pid()), 'T');
    ASSERT_TRUE(child.resume().has_value());
  }
}

TEST_F(ChildTest, one_that_has_ended_cannot_be_paused) {
  Child child = start("exit 0");
  while (!child.ended()) {
  }
  EXPECT_EQ(child.pause().error(), errc::daemon_gone);
  child.kill();
  EXPECT_EQ(child.pause().error(), errc::daemon_gone);
  EXPECT_EQ(child.resume().error(), errc::daemon_gone);
}

TEST_F(ChildTest, a_limited_file_grows_again_when_the_limit_is_lifted) {
  const std::string file = directory_ / "grows";
  Child child = start("trap '' XFSZ; while read word <&3; do { echo $word >> " + file + "; } 2> " +
                      file + ".said && echo written >&4 || echo refused >&4; done");
  say("one\n");
  EXPECT_EQ(heard(), "written\n");
  ASSERT_TRUE(child.limit_file_size(4).has_value());
  say("two\n");
  EXPECT_EQ(heard(), "refused\n");
  ASSERT_TRUE(child.lift_file_size().has_value());
  say("three\n");
  EXPECT_EQ(heard(), "written\n");
  EXPECT_TRUE(content(file).ends_with("three\n")) << content(file);
}

TEST_F(ChildTest, a_fork_of_the_parent_leaves_it_alone) {
  Child child = start(kWaits);
  EXPECT_EQ(heard(), "here\n");
  const ::pid_t pid = ::fork();
  if (pid == 0) {
    { const Child inherited = std::move(child); }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(child.ended());
}

TEST_F(ChildTest, a_program_that_is_not_there_is_said) {
  const auto child = Child::start({"/nowhere/program", {}, {}, directory_ / "said"});
  ASSERT_FALSE(child.has_value());
  EXPECT_EQ(child.error().system_error(), ENOENT);
  EXPECT_NE(child.error().text().find("/nowhere/program"), std::string_view::npos);
}

}  // namespace
}  // namespace dfs::os
