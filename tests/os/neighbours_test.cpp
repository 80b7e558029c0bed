#include "common/os/neighbours.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/os/file.hpp"
#include "common/os/process.hpp"
#include "common/os/socket.hpp"

namespace dfs::os {
namespace {

const Neighbour* self_among(const std::vector<Neighbour>& found) {
  const auto self = std::find_if(found.begin(), found.end(), [](const Neighbour& neighbour) {
    return neighbour.pid == process_id();
  });
  return self == found.end() ? nullptr : &*self;
}

TEST(Neighbours, a_process_is_found_by_its_name_with_its_open_files) {
  const std::string path = ::testing::TempDir() + "dfs-neighbours-" + std::to_string(process_id());
  const auto file = File::open(path, {.write = true, .create = true});
  ASSERT_TRUE(file.has_value()) << file.error().text();
  const std::vector<Neighbour> found = processes_named("os_te");
  const Neighbour* self = self_among(found);
  ASSERT_NE(self, nullptr);
  EXPECT_EQ(name_of(self->arguments.front()), "os_test");
  const std::string resolved = resolve_path(path).value();
  EXPECT_NE(std::find(self->files.begin(), self->files.end(), resolved), self->files.end());
  EXPECT_TRUE(remove(path).has_value());
}

TEST(Neighbours, a_process_of_another_name_is_left_out) {
  EXPECT_EQ(self_among(processes_named("dfsd")), nullptr);
}

TEST(Neighbours, a_listening_socket_is_found_by_the_path_it_was_bound_to) {
  const std::string path = ::testing::TempDir() + "dfs-listens-" + std::to_string(process_id());
  const auto count = [] {  // ours are bound under a passing name, so they are told by that
    const auto paths = listening_paths();
    return std::count_if(paths.begin(), paths.end(), [](const std::string& one) {
      return one.find("/.dfs-") != std::string::npos;
    });
  };
  const auto listening = listen_at(path);
  ASSERT_TRUE(listening.has_value()) << listening.error().text();
  EXPECT_GE(count(), 1);
  EXPECT_TRUE(remove(path).has_value());
}

}  // namespace
}  // namespace dfs::os
