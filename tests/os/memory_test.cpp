#include "common/os/memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/os/bus_guard.hpp"

namespace dfs::os {
namespace {

TEST(Memory, a_mapping_larger_than_the_memory_sees_it_grow) {
  const ForkMark mark;
  const Descriptor memory = make_memory("test", 4096).value();
  const auto reader = Mapping::map(memory.get(), {1 << 20, Mapping::Access::read}, mark).value();
  const auto writer = Mapping::map(memory.get(), {1 << 20, Mapping::Access::write}, mark).value();
  grow_memory(memory.get(), 4096, 65536).value();
  writer->data()[60000] = std::byte{42};
  EXPECT_EQ(reader->data()[60000], std::byte{42});
  EXPECT_EQ(memory_size(memory.get()).value(), 65536U);
}

std::uint64_t allocated_bytes(int fd) {
  struct stat st {};
  EXPECT_EQ(::fstat(fd, &st), 0);
  return static_cast<std::uint64_t>(st.st_blocks) * 512;
}

TEST(Memory, what_grew_through_a_mapping_is_zero_and_allocated_whatever_its_pages) {
  const ForkMark mark;
  const Descriptor memory = make_memory("test", 4096).value();
  const std::uint64_t bytes = 3 * kHugePageBytes + 8192;  // small, two or three huge, small
  const auto reader = Mapping::map(memory.get(), {1 << 26, Mapping::Access::read}, mark).value();
  const auto writer = Mapping::map(memory.get(), {1 << 26, Mapping::Access::write}, mark).value();
  writer->data()[0] = std::byte{42};
  writer->grow(memory.get(), 4096, bytes).value();
  EXPECT_EQ(memory_size(memory.get()).value(), bytes);
  EXPECT_GE(allocated_bytes(memory.get()), bytes);
  EXPECT_EQ(reader->data()[0], std::byte{42});
  for (std::uint64_t at = 4096; at < bytes; at += 64) {
    ASSERT_EQ(reader->data()[at], std::byte{0}) << at;
  }
  writer->data()[2 * kHugePageBytes] = std::byte{43};
  EXPECT_EQ(reader->data()[2 * kHugePageBytes], std::byte{43});
}

TEST(Memory, a_mapping_begins_where_a_huge_page_can) {
  const ForkMark mark;
  const Descriptor memory = make_memory("test", 4096).value();
  for (const auto access : {Mapping::Access::read, Mapping::Access::write}) {
    const auto map = Mapping::map(memory.get(), {1 << 26, access}, mark).value();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(map->data()) % kHugePageBytes, 0U);
  }
}

TEST(Memory, growth_that_is_refused_takes_nothing) {
  const ForkMark mark;
  const Descriptor memory = make_memory("test", 4096).value();
  const auto writer = Mapping::map(memory.get(), {1 << 26, Mapping::Access::write}, mark).value();
  seal_memory(memory.get(), true).value();
  EXPECT_FALSE(writer->grow(memory.get(), 4096, 4 * kHugePageBytes));
  EXPECT_EQ(memory_size(memory.get()).value(), 4096U);
  EXPECT_EQ(allocated_bytes(memory.get()), 4096U);
}

TEST(Memory, sealed_memory_does_not_shrink_and_fixed_memory_does_not_grow) {
  const Descriptor memory = make_memory("test", 8192).value();
  seal_memory(memory.get(), false).value();
  EXPECT_NE(::ftruncate(memory.get(), 4096), 0);
  EXPECT_TRUE(grow_memory(memory.get(), 8192, 16384));
  seal_memory(memory.get(), true).value();
  EXPECT_FALSE(grow_memory(memory.get(), 16384, 32768));
  EXPECT_FALSE(seal_memory(memory.get(), true));
}

TEST(Memory, its_mode_lets_nobody_else_reopen_it_for_writing) {
  const Descriptor memory = make_memory("test", 4096).value();
  struct stat st {};
  ASSERT_EQ(::fstat(memory.get(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777U, 0400U);
  const Descriptor shared = reopen_read_only(memory.get()).value();
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, shared.get(), 0), MAP_FAILED);
}

TEST(Memory, punched_pages_read_as_zeros) {
  const ForkMark mark;
  const Descriptor memory = make_memory("test", 8192).value();
  const auto map = Mapping::map(memory.get(), {8192, Mapping::Access::write}, mark).value();
  map->data()[5000] = std::byte{1};
  punch_memory(memory.get(), 4096, 4096).value();
  EXPECT_EQ(map->data()[5000], std::byte{0});
}

TEST(Memory, a_child_has_no_mapping_and_its_destructor_unmaps_nothing) {
  const ForkMark mark;
  const Descriptor memory = make_memory("test", 4096).value();
  auto map = Mapping::map(memory.get(), {4096, Mapping::Access::write}, mark).value();
  EXPECT_FALSE(mark.in_child());
  const pid_t child = ::fork();
  if (child == 0) {
    if (!mark.in_child()) ::_exit(1);
    // The child puts something of its own where the mapping was in the parent.
    void* own = ::mmap(map->data(), 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (own != map->data()) ::_exit(2);
    static_cast<char*>(own)[0] = 7;
    map.reset();
    ::_exit(static_cast<char*>(own)[0] == 7 ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  map->data()[0] = std::byte{1};
}

TEST(Memory, a_bus_error_under_the_guard_is_a_return_value) {
  install_bus_guard();
  const ForkMark mark;
  const Descriptor memory = make_memory("test", 4096).value();
  const auto map = Mapping::map(memory.get(), {8192, Mapping::Access::read}, mark).value();
  for (int i = 0; i < 3; ++i) {
    const volatile std::byte* beyond = map->data() + 4096;
    EXPECT_FALSE(with_bus_guard([beyond] { static_cast<void>(*beyond); }));
    EXPECT_TRUE(with_bus_guard([] {}));
  }
}

}  // namespace
}  // namespace dfs::os
