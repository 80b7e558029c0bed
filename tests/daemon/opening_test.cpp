#include "daemon/opening.hpp"

#include <gtest/gtest.h>

#include "common/index/lookup.hpp"
#include "common/log/encode.hpp"
#include "tests/daemon/scratch_directory.hpp"

namespace dfs::daemon {
namespace {

class Opening : public testing::Test {
 protected:
  Result<OpenedStore> open() {
    Options options;
    options.store = directory_.file("x.db");
    options.memory_limit = memory_limit_;
    return open_store({options, mark_, pulse_});
  }

  /// The live value of a key, or "absent".
  static std::string value_of(const OpenedStore& store, const std::string& key) {
    const index::Lookup found = index::find(store.generation->index().view(), key, UINT64_MAX);
    return found.outcome == index::Outcome::found ? std::string(found.record->value()) : "absent";
  }

  /// A log that ended uncleanly: a start, then one commit a line.
  static std::string log_with(std::uint64_t commits, std::uint64_t watermark) {
    std::string lines;
    log::First first;
    first.store = "00112233445566778899aabbccddeeff";
    first.dfs = "1.0.0";
    log::append_first(lines, first);
    log::append_start(lines, {0, 1, 0, 1});
    for (std::uint64_t s = 1; s <= commits; ++s) {
      log::Record record;
      const std::string key = "k" + std::to_string(s);
      record.key = key;
      record.version = 1;
      record.value = "1";
      record.sequence = s;
      record.watermark = std::min(s - 1, watermark);
      record.time_ms = 5;
      log::append_record(lines, record);
    }
    return lines;
  }

  ScratchDirectory directory_;
  std::uint64_t memory_limit_ = std::uint64_t{256} << 20U;
  os::ForkMark mark_;
  Pulse pulse_;
};

TEST_F(Opening, a_new_store_is_made_whole_and_begins_at_one) {
  auto store = open().value();
  EXPECT_EQ(store.start.next, 1U);
  EXPECT_TRUE(store.notices.empty());
  EXPECT_FALSE(directory_.has("x.db.new"));
  EXPECT_EQ(std::filesystem::file_size(directory_.file("x.db")), store.log->end());
}

TEST_F(Opening, an_empty_file_is_a_new_store_and_keeps_its_mode) {
  directory_.write("x.db", "");
  std::filesystem::permissions(directory_.file("x.db"), std::filesystem::perms{0600});
  EXPECT_EQ(open().value().start.next, 1U);
  EXPECT_EQ(std::filesystem::status(directory_.file("x.db")).permissions(),
            std::filesystem::perms{0600});
}

TEST_F(Opening, a_log_of_many_pieces_and_batches_is_loaded_whole) {
  directory_.write("x.db", log_with(20'000, 0));
  auto store = open().value();
  EXPECT_EQ(store.records, 20'000U);
  EXPECT_EQ(store.generation->index().live_keys(), 20'000U);
  EXPECT_EQ(value_of(store, "k1"), "1");
  EXPECT_EQ(value_of(store, "k20000"), "1");
}

TEST_F(Opening, keys_that_the_log_has_escaped_are_kept_as_they_are) {
  std::string lines = log_with(1, 0);
  for (std::uint64_t s = 2; s <= 3000; ++s) {
    log::Record record;
    const std::string key = "quote\"" + std::to_string(s);
    const std::string value = std::to_string(s);
    record.key = key;
    record.version = 1;
    record.value = value;
    record.sequence = s;
    log::append_record(lines, record);
  }
  directory_.write("x.db", lines);
  auto store = open().value();
  EXPECT_EQ(value_of(store, "quote\"2"), "2");
  EXPECT_EQ(value_of(store, "quote\"3000"), "3000");
}

TEST_F(Opening, an_index_that_does_not_fit_refuses_the_start_and_says_what_to_raise) {
  memory_limit_ = std::uint64_t{2} << 20U;
  directory_.write("x.db", log_with(50'000, 0));
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error(), errc::store_full);
  EXPECT_NE(store.error().text().find("--memory-limit"), std::string_view::npos);
}

TEST_F(Opening, an_unclean_stop_leaves_a_gap_and_a_start_line_that_says_so) {
  directory_.write("x.db", log_with(3, 2));
  auto store = open().value();
  EXPECT_EQ(store.start.last, 3U);
  EXPECT_EQ(store.start.next, std::uint64_t{2} << 20U);
  EXPECT_TRUE(store.gaps.lost(4));
  EXPECT_FALSE(store.gaps.lost(3));
  EXPECT_NE(directory_.read("x.db").find(R"(["start",{"after":3,"next":2097152)"),
            std::string::npos);
  EXPECT_EQ(value_of(store, "k3"), "1");
}

TEST_F(Opening, a_torn_tail_is_cut_kept_and_said) {
  const std::string good = log_with(3, 1);
  const std::string torn = R"({"k":"k4","v":1,"d":fal)";
  directory_.write("x.db", good + torn);
  auto store = open().value();
  EXPECT_EQ(store.start.last, 3U);
  EXPECT_EQ(directory_.read("x.db.torn-4"), torn);
  ASSERT_EQ(store.notices.size(), 1U);
  EXPECT_NE(store.notices[0].find("x.db.torn-4"), std::string::npos);
  EXPECT_EQ(directory_.read("x.db").substr(0, good.size()), good);
}

TEST_F(Opening, recovery_that_was_interrupted_finds_its_own_side_file) {
  const std::string torn = "half a line";
  directory_.write("x.db", log_with(3, 1) + torn);
  directory_.write("x.db.torn-4", torn.substr(0, 4));  // the power went while it was written
  ASSERT_TRUE(open());
  EXPECT_EQ(directory_.read("x.db.torn-4"), torn);
  EXPECT_FALSE(directory_.has("x.db.torn-4-2"));
}

TEST_F(Opening, another_starts_side_file_is_not_overwritten) {
  directory_.write("x.db", log_with(3, 1) + "half a line");
  directory_.write("x.db.torn-4", "something else");
  ASSERT_TRUE(open());
  EXPECT_EQ(directory_.read("x.db.torn-4"), "something else");
  EXPECT_EQ(directory_.read("x.db.torn-4-2"), "half a line");
}

TEST_F(Opening, damage_before_the_watermark_is_refused_with_its_place_and_nothing_changes) {
  std::string bytes = log_with(5, 4);
  bytes[bytes.find("\"k2\"") + 2] = '9';
  directory_.write("x.db", bytes);
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error(), errc::damaged);
  EXPECT_EQ(store.error().line(), 4U);
  EXPECT_GT(store.error().offset(), 0U);
  EXPECT_EQ(directory_.read("x.db"), bytes);
}

TEST_F(Opening, a_second_hard_link_is_refused) {
  directory_.write("x.db", log_with(1, 0));
  std::filesystem::create_hard_link(directory_.file("x.db"), directory_.file("other.db"));
  EXPECT_EQ(open().error(), errc::unsupported);
}

TEST_F(Opening, a_log_locked_by_another_is_refused) {
  auto first = open().value();
  EXPECT_EQ(open().error(), errc::no_daemon);
}

TEST_F(Opening, a_line_written_by_hand_is_taken_out_and_handed_to_the_writer) {
  directory_.write("x.db",
                   log_with(2, 1) + "{\"k\":\"mine\",\"v\":1,\"d\":false,\"val\":[1, 2]}\n");
  auto store = open().value();
  const HandWork& work = store.start.hand;
  ASSERT_EQ(work.lines.size(), 1U);
  EXPECT_EQ(work.lines[0].key, "mine");
  EXPECT_EQ(work.lines[0].value, "[1,2]");
  EXPECT_EQ(value_of(store, "mine"), "absent");
  EXPECT_EQ(work.file, directory_.file("x.db.byhand-2-001122"));
  EXPECT_EQ(directory_.read("x.db.byhand-2-001122"),
            "{\"k\":\"mine\",\"v\":1,\"d\":false,\"val\":[1, 2]}\n");
}

TEST_F(Opening, the_go_librarys_files_open_untouched) {
  struct Known {
    const char* name;
    std::uint64_t records;
  };
  for (const Known& known :
       {Known{"go-dfs-users.db", 2070}, Known{"go-dfs-users-history-torn.db", 2069},
        Known{"go-dfs-orders-int-keys.db", 303}}) {
    const std::string source = std::string(DFS_TEST_DATA) + "/" + known.name;
    std::filesystem::copy_file(source, directory_.file("x.db"),
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(directory_.file("x.db"), std::filesystem::perms{0644});
    const std::string before = directory_.read("x.db");
    auto store = open().value();
    EXPECT_EQ(store.records, known.records) << known.name;
    EXPECT_EQ(store.generation->index().live_keys(), known.records) << known.name;
    EXPECT_NE(store.go, nullptr);
    EXPECT_EQ(directory_.read("x.db"), before);
  }
  auto store = open().value();
  EXPECT_EQ(value_of(store, "-3"),
            R"({"n":-3,"item":"item--3","qty":-3,"price":-3.3000000000000003})");
}

}  // namespace
}  // namespace dfs::daemon
