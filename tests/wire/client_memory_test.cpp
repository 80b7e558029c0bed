// docs/client-memory.md against the code: every row of its tables is where it says, and no member
// is missing.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "common/wire/admin.hpp"
#include "common/wire/chunk.hpp"
#include "common/wire/client_page.hpp"
#include "common/wire/hello.hpp"
#include "common/wire/reply.hpp"
#include "common/wire/reply_header.hpp"
#include "common/wire/request.hpp"

namespace dfs::wire {
namespace {

struct Place {
  std::size_t offset = 0;
  std::size_t bytes = 0;
  friend bool operator==(const Place&, const Place&) = default;
};
using Table = std::map<std::string, Place>;

/// The tables of the document with a member column, by the name in their heading.
std::map<std::string, Table> tables() {
  std::ifstream document(DFS_CLIENT_MEMORY_DOC);
  std::map<std::string, Table> found;
  std::string section;
  const auto quoted = [](const std::string& text) {
    const std::size_t begin = text.find('`');
    const std::size_t end = begin == std::string::npos ? begin : text.find('`', begin + 1);
    return end == std::string::npos ? std::string() : text.substr(begin + 1, end - begin - 1);
  };
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("## ")) section = quoted(line);
    std::istringstream row(line);
    std::string bar;
    std::string member;
    Place place;
    char separator = 0;
    if (row >> separator >> place.offset >> bar >> place.bytes >> bar >> member &&
        separator == '|' && !quoted(member).empty()) {
      EXPECT_TRUE(found[section].emplace(quoted(member), place).second) << line;
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
      {"ClientPage",
       {DFS_MEMBER(ClientPage, request_tail), DFS_MEMBER(ClientPage, reply_position),
        DFS_MEMBER(ClientPage, asleep), DFS_MEMBER(ClientPage, watching),
        DFS_MEMBER(ClientPage, holds), DFS_MEMBER(ClientPage, words)}},
      {"ChunkHeader",
       {DFS_MEMBER(ChunkHeader, number), DFS_MEMBER(ChunkHeader, bytes),
        DFS_MEMBER(ChunkHeader, flags)}},
      {"ReplyHeader",
       {DFS_MEMBER(ReplyHeader, magic), DFS_MEMBER(ReplyHeader, layout),
        DFS_MEMBER(ReplyHeader, data_bytes), DFS_MEMBER(ReplyHeader, connection),
        DFS_MEMBER(ReplyHeader, released), DFS_MEMBER(ReplyHeader, prepared),
        DFS_MEMBER(ReplyHeader, request_head), DFS_MEMBER(ReplyHeader, dropped)}},
      {"FrameHeader",
       {DFS_MEMBER(FrameHeader, size), DFS_MEMBER(FrameHeader, kind),
        DFS_MEMBER(FrameHeader, number), DFS_MEMBER(FrameHeader, sequence)}},
      {"CommitBody", {DFS_MEMBER(CommitBody, count), DFS_MEMBER(CommitBody, left_out)}},
      {"RefusalBody",
       {DFS_MEMBER(RefusalBody, code), DFS_MEMBER(RefusalBody, rule),
        DFS_MEMBER(RefusalBody, index), DFS_MEMBER(RefusalBody, version),
        DFS_MEMBER(RefusalBody, limit), DFS_MEMBER(RefusalBody, offset),
        DFS_MEMBER(RefusalBody, system_errno), DFS_MEMBER(RefusalBody, subject),
        DFS_MEMBER(RefusalBody, key_bytes)}},
  };
  return all;
}

#undef DFS_MEMBER

TEST(ClientMemoryDocument, tables_of_memory_are_those_of_the_code) {
  auto documented = tables();
  for (const auto& [name, layout] : layouts()) {
    EXPECT_EQ(documented[name].size(), layout.size()) << name;
    for (const auto& [member, place] : layout) {
      EXPECT_EQ(documented[name][member], place)
          << name << "::" << member << " is " << place.bytes << " bytes at " << place.offset;
    }
  }
}

/// Every number that the table names stands where it says; nothing else is in the fixed part.
void expect_message(const std::string& name, std::span<const std::byte> message,
                    const std::map<std::string, std::uint64_t>& numbers, std::size_t fixed_bytes) {
  const Table table = tables()[name];
  EXPECT_EQ(table.size(), numbers.size()) << name;
  std::vector<bool> named(fixed_bytes);
  for (const auto& [member, number] : numbers) {
    const auto row = table.find(member);
    ASSERT_NE(row, table.end()) << name << " " << member;
    const Place place = row->second;
    ASSERT_LE(place.offset + place.bytes, fixed_bytes) << name << " " << member;
    std::uint64_t found = 0;
    std::memcpy(&found, message.data() + place.offset, std::min<std::size_t>(place.bytes, 8));
    EXPECT_EQ(found, number) << name << " " << member;
    for (std::size_t i = 0; i < place.bytes; ++i) {
      EXPECT_FALSE(named[place.offset + i]) << name << " " << member << " overlaps";
      named[place.offset + i] = true;
    }
  }
  for (std::size_t i = 0; i < fixed_bytes; ++i) {
    EXPECT_TRUE(named[i] || message[i] == std::byte{0}) << name << " has no row for byte " << i;
  }
}

TEST(ClientMemoryDocument, head_of_a_request_is_as_the_table_says) {
  CommitRequest request;
  request.durable = true;
  request.snapshot_isolation = true;
  request.reads.assign(3, {"k", 1});
  request.ranges.assign(5, {"a", "b", RangeEnd::exclusive, 1});
  request.checks.assign(7, {"k", {}});
  request.writes.assign(9, {"k", "1", {}, false});
  OutputArchive archive(kMaxRequestBytes);
  encode(request, archive);
  expect_message(
      "Request", archive.bytes(),
      {{"kind", 1}, {"flags", 3}, {"reads", 3}, {"ranges", 5}, {"checks", 7}, {"writes", 9}}, 20);
}

TEST(ClientMemoryDocument, hello_is_as_the_table_says) {
  Hello hello;
  hello.protocol = {3, 4};
  hello.layout = {5, 6};
  hello.wanted = 3;
  hello.capabilities = 0x1122334455667788;
  const auto packet = encode(hello);
  EXPECT_EQ(packet.size(), 24U);
  expect_message("Hello", packet,
                 {{"magic", kHelloMagic},
                  {"lowest_protocol", 3},
                  {"highest_protocol", 4},
                  {"lowest_layout", 5},
                  {"highest_layout", 6},
                  {"wanted", 3},
                  {"capabilities", 0x1122334455667788}},
                 24);
}

TEST(ClientMemoryDocument, answer_to_hello_is_as_the_table_says) {
  HelloAnswer answer;
  answer.status = HelloStatus::busy;
  answer.text = "text";
  answer.protocol = 5;
  answer.layout = 6;
  answer.known_protocol = {7, 8};
  answer.known_layout = {9, 10};
  answer.capabilities = 11;
  answer.layout_hash = 12;
  answer.store[0] = std::byte{13};
  answer.connection = 14;
  answer.limits = {20, 21, 22, 23, 24, 25, 26, 27, 28};
  answer.durability = StoreDurability::written;
  answer.descriptors = {Descriptor::bell, Descriptor::eventfd};
  const auto packet = encode(answer);
  EXPECT_EQ(packet.size(), 144U + 4);
  expect_message("HelloAnswer", packet,
                 {{"magic", kHelloMagic},
                  {"status", 3},
                  {"text_bytes", 4},
                  {"protocol", 5},
                  {"layout", 6},
                  {"lowest_protocol", 7},
                  {"highest_protocol", 8},
                  {"lowest_layout", 9},
                  {"highest_layout", 10},
                  {"capabilities", 11},
                  {"layout_hash", 12},
                  {"store", 13},
                  {"connection", 14},
                  {"key_bytes", 20},
                  {"value_bytes", 21},
                  {"value_depth", 22},
                  {"commit_records", 23},
                  {"commit_bytes", 24},
                  {"in_flight", 25},
                  {"request_ring_bytes", 26},
                  {"reply_ring_bytes", 27},
                  {"snapshot_ttl_ms", 28},
                  {"durability", 1},
                  {"descriptor_count", 2},
                  {"descriptors", 0x0506}},
                 144);
}

TEST(ClientMemoryDocument, packets_after_hello_are_as_the_tables_say) {
  expect_message("AdminRequest", encode(AdminRequest{AdminKind::sync, 4, 5, "text.."}),
                 {{"kind", 3}, {"text_bytes", 6}, {"serial", 4}, {"argument", 5}}, 24);
  AdminAnswer answer;
  answer.status = AdminStatus::refused;
  answer.code = errc::busy;
  answer.serial = 7;
  answer.number = 8;
  answer.more = answer.descriptor = true;
  answer.text = "text";
  expect_message(
      "AdminAnswer", encode(answer)[0],
      {{"status", 3}, {"code", 6}, {"flags", 3}, {"text_bytes", 4}, {"serial", 7}, {"number", 8}},
      28);
}

}  // namespace
}  // namespace dfs::wire
