#include "daemon/permission.hpp"

#include <gtest/gtest.h>

#include <array>

namespace dfs::daemon {
namespace {

os::FileStatus log_of(std::uint32_t uid, std::uint32_t gid, std::uint32_t mode) {
  os::FileStatus status;
  status.uid = uid;
  status.gid = gid;
  status.mode = mode;
  return status;
}

os::Peer peer_with(std::uint32_t uid, std::uint32_t gid, std::vector<std::uint32_t> groups = {}) {
  os::Peer peer;
  peer.uid = uid;
  peer.gid = gid;
  peer.groups = std::move(groups);
  return peer;
}

std::string acl_of(const std::vector<std::array<std::uint32_t, 3>>& entries) {
  std::string bytes("\2\0\0\0", 4);
  for (const auto& [tag, permission, id] : entries) {
    const auto tag16 = static_cast<std::uint16_t>(tag);
    const auto permission16 = static_cast<std::uint16_t>(permission);
    bytes.append(reinterpret_cast<const char*>(&tag16), 2);
    bytes.append(reinterpret_cast<const char*>(&permission16), 2);
    bytes.append(reinterpret_cast<const char*>(&id), 4);
  }
  return bytes;
}

void expect_rights(const Rights& rights, bool read, bool write) {
  EXPECT_EQ(rights.read, read);
  EXPECT_EQ(rights.write, write);
}

TEST(Permission, the_first_class_that_fits_decides) {
  const auto log = log_of(1000, 100, 0640);
  expect_rights(rights_of(log, {}, peer_with(1000, 5)), true, true);
  expect_rights(rights_of(log, {}, peer_with(1001, 100)), true, false);
  expect_rights(rights_of(log, {}, peer_with(1001, 5)), false, false);
  // The owner's class is worse than the others': it decides all the same, as it does for the file.
  expect_rights(rights_of(log_of(1000, 100, 0066), {}, peer_with(1000, 100)), false, false);
}

TEST(Permission, supplementary_groups_count) {
  expect_rights(rights_of(log_of(1000, 100, 0660), {}, peer_with(1001, 5, {7, 100})), true, true);
}

TEST(Permission, root_may_do_all) {
  expect_rights(rights_of(log_of(1000, 100, 0), {}, peer_with(0, 0)), true, true);
}

TEST(Permission, an_access_control_list_replaces_the_mode) {
  const auto log = log_of(1000, 100, 0660);
  // owner rw, user 1001 rw, group r, group 200 rw, mask rw, other nothing
  const std::string acl = acl_of({{0x01, 6, ~0U},
                                  {0x02, 6, 1001},
                                  {0x04, 4, ~0U},
                                  {0x08, 6, 200},
                                  {0x10, 6, ~0U},
                                  {0x20, 0, ~0U}});
  expect_rights(rights_of(log, acl, peer_with(1001, 5)), true, true);
  expect_rights(rights_of(log, acl, peer_with(1002, 100)), true, false);
  expect_rights(rights_of(log, acl, peer_with(1002, 5, {200})), true, true);
  expect_rights(rights_of(log, acl, peer_with(1002, 5)), false, false);
}

TEST(Permission, an_entry_of_its_own_counts_before_those_of_its_groups) {
  const auto log = log_of(1000, 100, 0660);
  const std::string acl = acl_of({{0x01, 6, ~0U},
                                  {0x02, 4, 1001},
                                  {0x02, 0, 1002},
                                  {0x04, 6, ~0U},
                                  {0x08, 6, 200},
                                  {0x10, 6, ~0U},
                                  {0x20, 6, ~0U}});
  expect_rights(rights_of(log, acl, peer_with(1001, 100, {200})), true, false);
  expect_rights(rights_of(log, acl, peer_with(1002, 100, {200})), false, false);
}

TEST(Permission, the_mask_of_a_list_takes_away) {
  const auto log = log_of(1000, 100, 0640);
  const std::string acl =
      acl_of({{0x01, 6, ~0U}, {0x02, 6, 1001}, {0x04, 4, ~0U}, {0x10, 4, ~0U}, {0x20, 0, ~0U}});
  expect_rights(rights_of(log, acl, peer_with(1001, 5)), true, false);
  expect_rights(rights_of(log, acl, peer_with(1000, 5)), true, true);  // not the owner's
}

TEST(Permission, without_lists_the_log_decides) {
  const std::vector<Principal> none;
  expect_rights(rights_by({none, none}, {true, false}, peer_with(7, 7), 5), true, false);
  expect_rights(rights_by({none, none}, {false, false}, peer_with(7, 7), 5), false, false);
}

TEST(Permission, a_list_of_a_config_narrows_and_widens) {
  const std::vector<Principal> none;
  const auto seven = parse_principals("7").value();
  const auto staff = parse_principals("@50").value();
  // Readers: whom they do not name may not write either.
  expect_rights(rights_by({seven, none}, {true, true}, peer_with(8, 8), 5), false, false);
  expect_rights(rights_by({seven, none}, {true, true}, peer_with(7, 7), 5), true, true);
  expect_rights(rights_by({seven, none}, {false, false}, peer_with(7, 7), 5), true, false);
  // Writers: whom they name may read.
  expect_rights(rights_by({none, staff}, {false, false}, peer_with(8, 8, {50}), 5), true, true);
  expect_rights(rights_by({none, staff}, {true, true}, peer_with(8, 8), 5), true, false);
  expect_rights(rights_by({seven, staff}, {false, false}, peer_with(8, 50), 5), true, true);
  expect_rights(rights_by({seven, staff}, {true, true}, peer_with(7, 7), 5), true, false);
  // A user of the number of a group is another.
  expect_rights(rights_by({none, staff}, {false, false}, peer_with(50, 8), 5), false, false);
}

TEST(Permission, no_list_keeps_out_root_or_the_daemons_own_user) {
  const auto seven = parse_principals("7").value();
  expect_rights(rights_by({seven, seven}, {false, false}, peer_with(0, 0), 5), true, true);
  expect_rights(rights_by({seven, seven}, {false, false}, peer_with(5, 5), 5), true, true);
}

TEST(Principals, users_and_groups_are_found_by_name_and_by_number) {
  const auto list = parse_principals("root,@root,4294967294").value();
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].id, 0U);
  EXPECT_FALSE(list[0].group);
  EXPECT_TRUE(list[1].group);
  EXPECT_EQ(list[2].id, 4294967294U);
  EXPECT_EQ(principals_text(list), "root,@root,4294967294");
  EXPECT_TRUE(parse_principals("").value().empty());
  for (const char* wrong : {"nobody-of-this-name", "@no-such-group", "4294967295", "a,,b", "@"}) {
    EXPECT_EQ(parse_principals(wrong).error(), errc::bad_argument) << wrong;
  }
}

TEST(Permission, a_list_that_is_none_leaves_the_mode) {
  for (const std::string& acl : {std::string("\1\0\0\0", 4), std::string("\2\0"), std::string()}) {
    expect_rights(rights_of(log_of(1000, 100, 0604), acl, peer_with(1001, 5)), true, false);
  }
}

}  // namespace
}  // namespace dfs::daemon
