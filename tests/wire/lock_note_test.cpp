#include "common/wire/lock_note.hpp"

#include <gtest/gtest.h>

namespace dfs::wire {
namespace {

TEST(LockNote, comes_back_as_it_was_written) {
  for (const std::string socket : {"", "/srv/users.db.socket", "/srv/with space/a\nb"}) {
    const auto note = decode_lock_note(encode(LockNote{12, 1000, "1.0.0", socket}));
    ASSERT_TRUE(note.has_value());
    EXPECT_EQ(note->pid, 12);
    EXPECT_EQ(note->uid, 1000U);
    EXPECT_EQ(note->version, "1.0.0");
    EXPECT_EQ(note->socket, socket);
  }
}

TEST(LockNote, a_person_can_read_it) {
  EXPECT_EQ(encode(LockNote{12, 0, "1.0.0", "/a.socket"}),
            "pid 12 uid 0 version 1.0.0 socket /a.socket\n");
  EXPECT_EQ(encode(LockNote{12, 0, "1.0.0", ""}), "pid 12 uid 0 version 1.0.0 starting\n");
}

TEST(LockNote, cut_anywhere_it_is_none) {
  for (const std::string socket : {"", "/a.socket"}) {
    const std::string whole = encode(LockNote{12, 0, "1.0.0", socket});
    for (std::size_t n = 0; n < whole.size(); ++n) {
      EXPECT_FALSE(decode_lock_note(whole.substr(0, n))) << n;
    }
  }
}

TEST(LockNote, what_is_no_note_is_none) {
  for (const char* text :
       {"\n", "pid x uid 0 version 1 starting\n", "pid 0 uid 0 version 1 starting\n",
        "pid -1 uid 0 version 1 starting\n", "pid 1 uid -1 version 1 starting\n",
        "pid 99999999999 uid 0 version 1 starting\n", "pid 1 uid 0 version 1 socket \n",
        "pid 1 uid 0 version 1 elsewhere\n", "pid 1 uid 0 version  starting\n"}) {
    EXPECT_FALSE(decode_lock_note(text)) << text;
  }
}

}  // namespace
}  // namespace dfs::wire
