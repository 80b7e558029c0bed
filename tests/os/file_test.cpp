#include "common/os/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "common/os/random.hpp"

namespace dfs::os {
namespace {

class Files : public testing::Test {
 protected:
  Files() : directory_(std::filesystem::temp_directory_path() / ("dfs-os-" + random_hex(8))) {
    std::filesystem::create_directory(directory_);
  }
  ~Files() override { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_ / name).string();
  }

  std::filesystem::path directory_;
};

TEST_F(Files, what_is_written_is_read) {
  const File file = File::open(path("a"), {.write = true, .create = true}).value();
  file.write_at("hello world", 0).value();
  file.write_at("HELLO", 0).value();
  EXPECT_EQ(file.read_all().value(), "HELLO world");
  EXPECT_EQ(file.read_at(6, 100).value(), "world");
  file.truncate(5).value();
  EXPECT_EQ(file.read_all().value(), "HELLO");
}

TEST_F(Files, an_owner_that_is_right_already_is_not_set_again) {
  const auto changed_at = [](const std::string& name) {
    struct stat status {};
    EXPECT_EQ(::stat(name.c_str(), &status), 0);
    return std::pair(status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
  };
  const File file = File::open(path("a"), {.write = true, .create = true}).value();
  const auto before = changed_at(path("a"));
  // The file system's clock must have moved, or a change would not be seen.
  do {
    std::filesystem::remove(path("b"));
    static_cast<void>(File::open(path("b"), {.write = true, .create = true}).value());
  } while (changed_at(path("b")) == before);
  file.set_owner(::geteuid(), ::getegid()).value();
  EXPECT_EQ(changed_at(path("a")), before);
}

TEST_F(Files, errors_name_the_operation_and_the_path) {
  const auto missing = File::open(path("no"), {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().system_error(), ENOENT);
  EXPECT_NE(missing.error().text().find("open " + path("no")), std::string::npos);
}

TEST_F(Files, a_second_open_file_cannot_lock_what_the_first_has_locked) {
  const File first = File::open(path("a"), {.write = true, .create = true}).value();
  const File second = File::open(path("a"), {.write = true}).value();
  EXPECT_TRUE(first.try_lock().value());
  EXPECT_FALSE(second.try_lock().value());
}

TEST_F(Files, nothing_there_is_absent_and_no_other_error) {
  EXPECT_EQ(status_of(path("no")).error(), errc::absent);
  EXPECT_EQ(status_of(path("no/further")).error(), errc::absent);
  EXPECT_TRUE(remove(path("no")));
}

TEST_F(Files, a_link_is_the_same_file_and_never_overwrites) {
  ASSERT_TRUE(File::open(path("a"), {.write = true, .create = true}));
  ASSERT_TRUE(link(path("a"), path("b")));
  EXPECT_TRUE(status_of(path("a"))->same_file(*status_of(path("b"))));
  EXPECT_EQ(status_of(path("a"))->links, 2U);
  EXPECT_EQ(link(path("a"), path("b")).error().system_error(), EEXIST);
}

TEST_F(Files, paths_resolve_also_where_the_last_part_is_missing) {
  std::filesystem::create_directory(path("d"));
  std::filesystem::create_symlink(path("d"), path("s"));
  EXPECT_EQ(resolve_path(path("s/new.db")).value(),
            std::filesystem::canonical(path("d")).string() + "/new.db");
  EXPECT_FALSE(resolve_path(path("no/new.db")));
}

TEST_F(Files, a_link_to_what_is_not_there_leads_there) {
  std::filesystem::create_directory(path("d"));
  std::filesystem::create_symlink("d/real.db", path("link.db"));
  std::filesystem::create_symlink("link.db", path("link-to-link.db"));
  const std::string real = std::filesystem::canonical(path("d")).string() + "/real.db";
  EXPECT_EQ(resolve_path(path("link.db")).value(), real);
  EXPECT_EQ(resolve_path(path("link-to-link.db")).value(), real);
  std::filesystem::create_symlink("circle", path("circle"));
  EXPECT_EQ(resolve_path(path("circle")).error().system_error(), ELOOP);
}

TEST_F(Files, what_is_made_if_it_is_not_there_is_left_as_it_is_where_it_is) {
  const OpenMode make{.write = true, .create = true, .mode = 0600};
  File::open(path("a"), make)->write_at("x", 0).value();
  EXPECT_EQ(File::open(path("a"), make)->read_all().value(), "x");
  EXPECT_EQ(File::open(path("a"), {.write = true, .create = true, .exclusive = true})
                .error()
                .system_error(),
            EEXIST);
  // A link to nowhere is made by nobody, and nobody tries for ever.
  std::filesystem::create_symlink("nowhere", path("link"));
  EXPECT_FALSE(File::open(path("link"), make));
}

TEST_F(Files, owner_and_mode_are_said_as_people_write_them) {
  FileStatus status;
  status.uid = 1000;
  status.gid = 100;
  status.mode = 0640;
  EXPECT_EQ(status.owner(), "uid 1000, gid 100, mode 0640");
}

TEST_F(Files, file_systems_of_several_machines_are_not_fit) {
  // The numbers of statfs(2), of linux/magic.h.
  for (const std::uint64_t magic :
       {0x6969UL, 0xFF534D42UL, 0xFE534D42UL, 0x517BUL, 0x01021997UL, 0x65735546UL}) {
    EXPECT_FALSE(file_system_named(magic).fit) << magic;
  }
  // As a signed number smb's has more digits.
  EXPECT_EQ(file_system_named(0xFFFFFFFFFF534D42UL).name, "cifs");
  EXPECT_TRUE(file_system_named(0xEF53).fit);
  EXPECT_EQ(file_system_named(0xEF53).name, "ext4");
  EXPECT_TRUE(file_system_named(0x12345678).fit);
  EXPECT_EQ(file_system_named(0x12345678).name, "0x12345678");
}

TEST_F(Files, where_a_directory_lies_is_told) {
  const FileSystem here = file_system_of(directory_.string()).value();
  EXPECT_TRUE(here.fit);
  EXPECT_FALSE(here.read_only);
  EXPECT_FALSE(file_system_of(path("no")));
}

TEST_F(Files, reserved_space_does_not_show_in_the_size) {
  const File file = File::open(path("a"), {.write = true, .create = true}).value();
  file.write_at("x", 0).value();
  file.reserve(1, 65536).value();
  EXPECT_EQ(file.status().value().size, 1U);
}

}  // namespace
}  // namespace dfs::os
