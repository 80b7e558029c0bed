// docs/shared-memory.md against the code: every row of its tables is where it says, no member is
// missing, and sizes and constants in the prose are those of the code.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "common/index/control_page.hpp"
#include "common/index/feed.hpp"
#include "common/index/record.hpp"
#include "common/index/run_layout.hpp"
#include "common/index/table_layout.hpp"
#include "common/index/tree_layout.hpp"
#include "common/index/view.hpp"

namespace dfs::index {
namespace {

struct Place {
  std::size_t offset = 0;
  std::size_t bytes = 0;
  friend bool operator==(const Place&, const Place&) = default;
};
using Table = std::map<std::string, Place>;

/// The tables of the document that have a member column, by the type named last before them.
std::map<std::string, Table> tables() {
  std::ifstream document(DFS_SHARED_MEMORY_DOC);
  std::map<std::string, Table> found;
  std::string type;
  const auto quoted = [](const std::string& text, std::size_t from) {
    const std::size_t begin = text.find('`', from);
    const std::size_t end = begin == std::string::npos ? begin : text.find('`', begin + 1);
    return end == std::string::npos ? std::string() : text.substr(begin + 1, end - begin - 1);
  };
  for (std::string line; std::getline(document, line);) {
    // "(`Type`" names what the next table is of.
    if (const std::size_t named = line.find("(`"); named != std::string::npos && line[0] != '|') {
      const std::string name = quoted(line, named);
      if (!name.empty() && std::isupper(static_cast<unsigned char>(name[0])) != 0) type = name;
    }
    std::istringstream row(line);
    std::string bar;
    std::string member;
    Place place;
    char separator = 0;
    if (row >> separator >> place.offset >> bar >> place.bytes >> bar >> member &&
        separator == '|' && !quoted(member, 0).empty()) {
      EXPECT_TRUE(found[type].emplace(quoted(member, 0), place).second) << line;
    }
  }
  return found;
}

#define DFS_MEMBER(type, member)                              \
  {                                                           \
#member, { offsetof(type, member), sizeof(type::member) } \
  }

const std::map<std::string, Table>& layouts() {
  static const std::map<std::string, Table> all{
      {"ControlPage",
       {DFS_MEMBER(ControlPage, magic), DFS_MEMBER(ControlPage, layout),
        DFS_MEMBER(ControlPage, store), DFS_MEMBER(ControlPage, current),
        DFS_MEMBER(ControlPage, death_word), DFS_MEMBER(ControlPage, closed),
        DFS_MEMBER(ControlPage, durable), DFS_MEMBER(ControlPage, writer_asleep),
        DFS_MEMBER(ControlPage, slots)}},
      {"GenerationSlot",
       {DFS_MEMBER(GenerationSlot, identity), DFS_MEMBER(GenerationSlot, allocated),
        DFS_MEMBER(GenerationSlot, directory), DFS_MEMBER(GenerationSlot, root),
        DFS_MEMBER(GenerationSlot, feed), DFS_MEMBER(GenerationSlot, feed_base),
        DFS_MEMBER(GenerationSlot, feed_begin), DFS_MEMBER(GenerationSlot, runs),
        DFS_MEMBER(GenerationSlot, published), DFS_MEMBER(GenerationSlot, records_end)}},
      {"GenerationHeader",
       {DFS_MEMBER(GenerationHeader, magic), DFS_MEMBER(GenerationHeader, layout),
        DFS_MEMBER(GenerationHeader, number), DFS_MEMBER(GenerationHeader, seed),
        DFS_MEMBER(GenerationHeader, store)}},
      {"RecordHeader",
       {DFS_MEMBER(RecordHeader, sequence), DFS_MEMBER(RecordHeader, version),
        DFS_MEMBER(RecordHeader, previous_word), DFS_MEMBER(RecordHeader, anchor_word),
        DFS_MEMBER(RecordHeader, time_ms), DFS_MEMBER(RecordHeader, value_size),
        DFS_MEMBER(RecordHeader, connection)}},
      {"Jump", {DFS_MEMBER(Jump, zero), DFS_MEMBER(Jump, next)}},
      {"FarLink", {DFS_MEMBER(FarLink, near_word), DFS_MEMBER(FarLink, jump_word)}},
      {"Bucket", {DFS_MEMBER(Bucket, slots)}},
      {"DirectoryEntry", {DFS_MEMBER(DirectoryEntry, word)}},
      {"TreeNode",
       {DFS_MEMBER(TreeNode, kind), DFS_MEMBER(TreeNode, prefix_size), DFS_MEMBER(TreeNode, count),
        DFS_MEMBER(TreeNode, prefix)}},
      {"Anchor", {DFS_MEMBER(Anchor, record)}},
      {"Run", {DFS_MEMBER(Run, previous), DFS_MEMBER(Run, next), DFS_MEMBER(Run, anchors)}},
      {"FeedBlock",
       {DFS_MEMBER(FeedBlock, previous), DFS_MEMBER(FeedBlock, capacity),
        DFS_MEMBER(FeedBlock, count)}},
      {"FeedEntry", {DFS_MEMBER(FeedEntry, sequence), DFS_MEMBER(FeedEntry, offset)}},
  };
  return all;
}

#undef DFS_MEMBER

TEST(SharedMemoryDocument, tables_are_those_of_the_code) {
  auto documented = tables();
  EXPECT_EQ(documented.size(), layouts().size());
  for (const auto& [name, layout] : layouts()) {
    EXPECT_EQ(documented[name].size(), layout.size()) << name;
    for (const auto& [member, place] : layout) {
      EXPECT_EQ(documented[name][member], place)
          << name << "::" << member << " is " << place.bytes << " bytes at " << place.offset;
    }
  }
}

TEST(SharedMemoryDocument, magic_numbers_read_as_the_text_says) {
  EXPECT_EQ(std::memcmp(&kControlMagic, "DFSCNTRL", 8), 0);
  EXPECT_EQ(std::memcmp(&kGenerationMagic, "DFSINDEX", 8), 0);
}

TEST(SharedMemoryDocument, sizes_and_constants_of_the_prose_are_those_of_the_code) {
  EXPECT_EQ(sizeof(ControlPage), 4096U);
  EXPECT_EQ(sizeof(GenerationSlot), 256U);
  EXPECT_EQ(kGenerationSlots, 8U);
  EXPECT_EQ(kOwnerDied, 0x40000000U);
  EXPECT_EQ(sizeof(GenerationHeader), 64U);
  EXPECT_EQ(sizeof(RecordHeader), 48U);
  EXPECT_EQ(kErased, 1U);
  EXPECT_EQ(kLastOfCommit, 2U);
  EXPECT_EQ(kFarLink, 4U);
  EXPECT_EQ((kFarLinkDistance - 1) << kPlaceShift, 0xF0U);
  EXPECT_EQ(sizeof(Bucket), 64U);
  EXPECT_EQ(kBucketsPerSegment, 1024U);
  EXPECT_EQ(kHomesPerSegment, 1021U);
  EXPECT_EQ(sizeof(TreeNode), 16U);
  EXPECT_EQ(capacity_of(NodeKind{1}), 4U);
  EXPECT_EQ(capacity_of(NodeKind{2}), 10U);
  EXPECT_EQ(capacity_of(NodeKind{3}), 16U);
  EXPECT_EQ(capacity_of(NodeKind{4}), 32U);
  EXPECT_EQ(capacity_of(NodeKind{5}), 257U);
  EXPECT_EQ(kInlinePrefixBytes, 8U);
  EXPECT_EQ(kRunKeys, 62U);
  EXPECT_EQ(kGenerationLayout, 2U);
  EXPECT_EQ(kCommitsPerFeedEntry, 1024U);
  EXPECT_EQ(kRecordsPerFeedEntry, 16384U);
}

}  // namespace
}  // namespace dfs::index
