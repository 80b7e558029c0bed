#include "daemon/lock_file.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include "common/wire/lock_note.hpp"
#include "tests/daemon/scratch_directory.hpp"

namespace dfs::daemon {
namespace {

class Locks : public testing::Test {
 protected:
  [[nodiscard]] std::string log() const { return directory_.file("x.db"); }
  [[nodiscard]] std::optional<wire::LockNote> note() const {
    return wire::decode_lock_note(directory_.read("x.db.lock"));
  }

  ScratchDirectory directory_;
};

TEST_F(Locks, who_has_it_says_first_that_it_starts_and_then_where_it_serves) {
  const auto lock = LockFile::take(log(), -1).value();
  ASSERT_TRUE(note().has_value());
  EXPECT_EQ(note()->pid, ::getpid());
  EXPECT_EQ(note()->uid, ::geteuid());
  EXPECT_EQ(note()->socket, "");
  ASSERT_TRUE(lock.describe(log() + ".socket"));
  EXPECT_EQ(note()->socket, log() + ".socket");
  // A shorter one leaves nothing of a longer one.
  ASSERT_TRUE(lock.describe("/a"));
  EXPECT_EQ(note()->socket, "/a");
}

TEST_F(Locks, a_second_is_refused_with_who_has_it_and_what_that_does) {
  const auto lock = LockFile::take(log(), -1).value();
  ASSERT_TRUE(lock.describe("/a"));
  const auto second = LockFile::take(log(), -1);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error(), errc::no_daemon);
  const std::string text(second.error().text());
  EXPECT_NE(text.find("pid " + std::to_string(::getpid()) + " uid"), std::string::npos) << text;
  EXPECT_NE(text.find("socket /a; it is running)"), std::string::npos) << text;
}

TEST_F(Locks, of_what_can_be_no_log_nothing_is_locked) {
  std::filesystem::create_directory(log());
  EXPECT_EQ(LockFile::take(log(), -1).error().text(),
            log() + " is a directory; a store is named by its log");
  EXPECT_FALSE(directory_.has("x.db.lock"));
}

TEST_F(Locks, whatever_stands_in_it_the_refusal_is_readable) {
  const auto lock = LockFile::take(log(), -1).value();
  for (const std::string& text :
       {std::string(), std::string("\x1b[2J\n"), std::string(9000, 'x')}) {
    directory_.write("x.db.lock", text);
    EXPECT_EQ(LockFile::take(log(), -1).error().text(),
              "another daemon serves " + log() + "; a store has one daemon");
  }
}

TEST_F(Locks, the_starters_is_taken_over_with_its_open_file) {
  const int fd = ::open((log() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  {
    const auto starter = os::File::adopt(os::Descriptor(::dup(fd)), "starter");
    ASSERT_TRUE(starter.try_lock().value());
  }
  const auto lock = LockFile::take(log(), fd);
  ASSERT_TRUE(lock.has_value()) << lock.error().text();
  EXPECT_FALSE(LockFile::take(log(), -1).has_value());
}

TEST_F(Locks, an_inherited_file_that_is_not_locked_by_the_starter_is_refused) {
  const auto holder = LockFile::take(log(), -1).value();
  const int fd = ::open((log() + ".lock").c_str(), O_RDWR | O_CLOEXEC);
  EXPECT_EQ(LockFile::take(log(), fd).error(), errc::no_daemon);
}

}  // namespace
}  // namespace dfs::daemon
