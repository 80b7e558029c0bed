#include "common/os/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

namespace dfs::os {
namespace {

/// The word in memory that outlives a child.
class SharedWord {
 public:
  SharedWord()
      : memory_(make_memory("word", 4096).value()),
        mapping_(Mapping::map(memory_.get(), {4096, Mapping::Access::write}, mark_).value()) {}
  [[nodiscard]] std::atomic<std::uint32_t>& word() const {
    return *reinterpret_cast<std::atomic<std::uint32_t>*>(mapping_->data());
  }
  [[nodiscard]] int fd() const { return memory_.get(); }

 private:
  ForkMark mark_;
  Descriptor memory_;
  std::unique_ptr<Mapping> mapping_;
};

TEST(DeathWords, the_kernel_marks_the_word_of_a_killed_process_before_its_pipes_close) {
  for (int round = 0; round < 50; ++round) {
    const SharedWord shared;
    std::array<int, 2> alive{};
    ASSERT_EQ(::pipe2(alive.data(), O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(alive[0]);
      const ForkMark mark;
      const auto own = Mapping::map(shared.fd(), {4096, Mapping::Access::write}, mark).value();
      std::thread writer([&] {
        auto& word = *reinterpret_cast<std::atomic<std::uint32_t>*>(own->data());
        const auto armed = DeathWord::arm(word, mark);
        if (!armed) ::_exit(1);
        const char byte = 'x';
        static_cast<void>(!::write(alive[1], &byte, 1));
        for (;;) ::pause();
      });
      writer.join();
    }
    ::close(alive[1]);
    char byte = 0;
    ASSERT_EQ(::read(alive[0], &byte, 1), 1);
    EXPECT_EQ(shared.word().load() & FUTEX_OWNER_DIED, 0U);
    EXPECT_NE(shared.word().load(), 0U);
    ::kill(child, SIGKILL);
    EXPECT_EQ(::read(alive[0], &byte, 1), 0);  // the child's descriptors are closed
    EXPECT_NE(shared.word().load() & FUTEX_OWNER_DIED, 0U);
    ::close(alive[0]);
    ::waitpid(child, nullptr, 0);
  }
}

TEST(DeathWords, a_thread_that_ends_is_dead_too) {
  const SharedWord shared;
  const ForkMark mark;
  std::unique_ptr<DeathWord> armed;
  std::thread writer([&] { armed = DeathWord::arm(shared.word(), mark).value(); });
  writer.join();
  EXPECT_NE(shared.word().load() & FUTEX_OWNER_DIED, 0U);
}

TEST(Spawning, descriptors_arrive_from_three_on_and_no_others) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const Descriptor stray(::open("/dev/null", O_RDONLY));  // not close-on-exec: must not get through
  SpawnRequest request;
  request.program = "/bin/sh";
  request.arguments = {"-c", "ls /proc/self/fd | tr '\\n' ' ' >&3; exit 5"};
  request.descriptors = {pipe[1]};
  EXPECT_EQ(spawn_and_wait(request).value(), 5);
  ::close(pipe[1]);
  std::array<char, 64> text{};
  const ssize_t n = ::read(pipe[0], text.data(), text.size());
  ::close(pipe[0]);
  // 4 is ls' own, reading the directory.
  EXPECT_EQ(std::string(text.data(), static_cast<std::size_t>(n)), "0 1 2 3 4 ");
}

TEST(Spawning, a_program_that_is_not_there_is_an_error_with_its_name) {
  const auto started = spawn_and_wait({"/no/such/dfsd", {}, {}});
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text().find("/no/such/dfsd"), std::string::npos);
}

TEST(MemoryBounds, the_machine_tells_what_is_available) {
  EXPECT_GT(memory_bounds().available, 1U << 20U);
}

}  // namespace
}  // namespace dfs::os
