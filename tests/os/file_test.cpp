#include "common/os/file.hpp"

#include <gtest/gtest.h>

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

TEST_F(Files, reserved_space_does_not_show_in_the_size) {
  const File file = File::open(path("a"), {.write = true, .create = true}).value();
  file.write_at("x", 0).value();
  file.reserve(1, 65536).value();
  EXPECT_EQ(file.status().value().size, 1U);
}

}  // namespace
}  // namespace dfs::os
