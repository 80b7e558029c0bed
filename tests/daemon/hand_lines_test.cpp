#include "daemon/hand_lines.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "common/log/encode.hpp"
#include "daemon/opening.hpp"
#include "tests/daemon/scratch_directory.hpp"

namespace dfs::daemon {
namespace {

constexpr const char* kId = "00112233445566778899aabbccddeeff";
constexpr const char* kLine = "{\"k\":\"mine\",\"val\":1}\n";

/// A log of three commits, of the keys k1 to k3, and files with lines by hand beside it.
class HandLinesBeside : public testing::Test {
 protected:
  HandLinesBeside() { directory_.write("x.db", log(0)); }

  /// Of these commits, so many in the base.
  static std::string log(std::uint64_t base) {
    std::string lines;
    log::First first;
    first.store = kId;
    first.base = base;
    first.dfs = "1.0.0";
    log::append_first(lines, first);
    if (base == 0) log::append_start(lines, {0, 1, 0, 1});
    for (std::uint64_t s = 1; s <= 3; ++s) {
      log::Record record;
      const std::string key = "k" + std::to_string(s);
      record.key = key;
      record.version = 1;
      record.value = "1";
      record.sequence = s;
      record.in_base = s <= base;
      if (s > base) record.watermark = s - 1;
      record.time_ms = 5;
      log::append_record(lines, record);
      if (s == base) {
        log::Base end;
        end.records = base;
        end.sequence = base;
        log::append_base(lines, end);
      }
    }
    return lines;
  }
  void put(const std::string& name, const std::string& bytes) const {
    directory_.write(name, bytes);
    std::filesystem::permissions(directory_.file(name), std::filesystem::perms{0600});
  }
  OpenedStore open() {
    Options options;
    options.store = directory_.file("x.db");
    options.memory_limit = std::uint64_t{256} << 20U;
    return open_store({options, mark_, pulse_}).value();
  }
  /// Fails the test unless nothing of the file is committed, and it stays and is told of.
  void expect_told_of(const std::string& name, const std::string& why) {
    const OpenedStore store = open();
    EXPECT_TRUE(store.start.hand.lines.empty()) << name;
    EXPECT_TRUE(directory_.has(name));
    EXPECT_TRUE(std::any_of(store.notices.begin(), store.notices.end(),
                            [&](const std::string& notice) {
                              return notice.find(name) != std::string::npos &&
                                     notice.find(why) != std::string::npos;
                            }))
        << name << ": " << (store.notices.empty() ? "nothing" : store.notices.front());
  }

  const ScratchDirectory directory_;
  os::ForkMark mark_;
  Pulse pulse_;
};

TEST_F(HandLinesBeside, behind_the_last_commit_they_are_handed_to_the_writer) {
  put("x.db.byhand-3-001122", kLine);
  const OpenedStore store = open();
  ASSERT_EQ(store.start.hand.lines.size(), 1U);
  EXPECT_EQ(store.start.hand.lines[0].key, "mine");
  EXPECT_EQ(store.start.hand.file, directory_.file("x.db.byhand-3-001122"));
}

TEST_F(HandLinesBeside, all_of_them_in_the_log_their_file_is_removed) {
  put("x.db.byhand-1-001122", "{\"k\":\"k2\",\"val\":1}\n{\"k\":\"k3\",\"val\": 1}\n");
  const OpenedStore store = open();
  EXPECT_TRUE(store.start.hand.lines.empty());
  EXPECT_TRUE(store.start.hand.file.empty());
  EXPECT_FALSE(directory_.has("x.db.byhand-1-001122"));
}

TEST_F(HandLinesBeside, some_of_them_in_the_log_the_rest_is_handed_to_the_writer) {
  put("x.db.byhand-1-001122",
      std::string(
          "{\"k\":\"k2\",\"val\":1}\n{\"k\":\"x\",\"d\":true}\n{\"k\":\"k3\",\"val\":1}\n") +
          kLine);
  const OpenedStore store = open();
  ASSERT_EQ(store.start.hand.lines.size(), 1U);
  EXPECT_EQ(store.start.hand.lines[0].key, "mine");
}

TEST_F(HandLinesBeside, an_erasure_of_what_was_there_is_no_line_without_a_commit) {
  put("x.db.byhand-1-001122", "{\"k\":\"k1\",\"d\":true}\n{\"k\":\"k2\",\"val\":1}\n");
  expect_told_of("x.db.byhand-1-001122", "from line 1 on");
}

TEST_F(HandLinesBeside, other_commits_behind_theirs_are_somebodys_work_and_the_file_is_told_of) {
  put("x.db.byhand-1-001122", std::string("{\"k\":\"k2\",\"val\":1}\n") + kLine);
  expect_told_of("x.db.byhand-1-001122", "from line 2 on");
}

TEST_F(HandLinesBeside, what_a_base_took_in_cannot_be_told_apart) {
  directory_.write("x.db", log(3));
  put("x.db.byhand-2-001122", "{\"k\":\"k3\",\"val\":1}\n");
  expect_told_of("x.db.byhand-2-001122", "whether these lines");
}

TEST_F(HandLinesBeside, behind_a_base_they_are_handed_to_the_writer) {
  directory_.write("x.db", log(3));
  put("x.db.byhand-3-001122", kLine);
  EXPECT_EQ(open().start.hand.lines.size(), 1U);
}

TEST_F(HandLinesBeside, of_several_the_newest_alone_is_handed_to_the_writer) {
  put("x.db.byhand-3-001122", kLine);
  put("x.db.byhand-3-001122-2", "{\"k\":\"other\",\"val\":1}\n");
  const OpenedStore store = open();
  ASSERT_EQ(store.start.hand.lines.size(), 1U);
  EXPECT_EQ(store.start.hand.lines[0].key, "other");
  EXPECT_TRUE(directory_.has("x.db.byhand-3-001122"));
}

TEST_F(HandLinesBeside, others_behind_the_same_commit_are_kept_beside_them) {
  put("x.db.byhand-3-001122", kLine);
  directory_.write("x.db", log(0) + "{\"k\":\"other\",\"val\":1}\n");
  const OpenedStore store = open();
  EXPECT_EQ(store.start.hand.file, directory_.file("x.db.byhand-3-001122-2"));
  EXPECT_EQ(directory_.read("x.db.byhand-3-001122-2"), "{\"k\":\"other\",\"val\":1}\n");
  EXPECT_EQ(directory_.read("x.db.byhand-3-001122"), kLine);
}

TEST_F(HandLinesBeside, before_a_torn_line_they_count_and_the_torn_one_is_kept_aside) {
  directory_.write("x.db", log(0) + kLine + "{\"k\":\"to");
  EXPECT_EQ(open().start.hand.lines.size(), 1U);
  EXPECT_EQ(directory_.read("x.db.byhand-3-001122"), kLine);
  EXPECT_EQ(directory_.read("x.db.torn-4"), std::string(kLine) + "{\"k\":\"to");
}

TEST_F(HandLinesBeside, a_file_of_another_store_is_told_of) {
  put("x.db.byhand-3-aabbcc", kLine);
  expect_told_of("x.db.byhand-3-aabbcc", "of this store");
}

TEST_F(HandLinesBeside, a_file_behind_a_commit_that_is_not_there_is_told_of) {
  put("x.db.byhand-9-001122", kLine);
  expect_told_of("x.db.byhand-9-001122", "whether these lines");
}

TEST_F(HandLinesBeside, a_file_that_others_may_write_is_told_of) {
  put("x.db.byhand-3-001122", kLine);
  std::filesystem::permissions(directory_.file("x.db.byhand-3-001122"),
                               std::filesystem::perms{0620});
  expect_told_of("x.db.byhand-3-001122", "the log's owner alone");
}

TEST_F(HandLinesBeside, a_link_to_another_file_is_told_of) {
  put("elsewhere", kLine);
  std::filesystem::create_symlink(directory_.file("elsewhere"),
                                  directory_.file("x.db.byhand-3-001122"));
  expect_told_of("x.db.byhand-3-001122", "the log's owner alone");
}

TEST_F(HandLinesBeside, a_file_with_anything_else_in_it_is_told_of) {
  put("x.db.byhand-3-001122", std::string(kLine) + "{\"k\":\"to");
  expect_told_of("x.db.byhand-3-001122", "not only lines by hand");
}

}  // namespace
}  // namespace dfs::daemon
