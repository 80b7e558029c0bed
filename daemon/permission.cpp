#include "daemon/permission.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace dfs::daemon {

namespace {

constexpr std::uint16_t kRead = 4;
constexpr std::uint16_t kWrite = 2;

Rights to_rights(std::uint32_t bits) { return {(bits & kRead) != 0, (bits & kWrite) != 0}; }

bool in_group(const os::Peer& peer, std::uint32_t gid) {
  return peer.gid == gid ||
         std::find(peer.groups.begin(), peer.groups.end(), gid) != peer.groups.end();
}

// The kernel's form of an access control list: a version, then entries (linux/posix_acl_xattr.h).
struct AclEntry {
  std::uint16_t tag;
  std::uint16_t permission;
  std::uint32_t id;
};
enum AclTag : std::uint16_t {
  kOwner = 0x01,
  kUser = 0x02,
  kOwningGroup = 0x04,
  kGroup = 0x08,
  kMask = 0x10,
  kOther = 0x20,
};

std::vector<AclEntry> read_acl(std::string_view bytes) {
  constexpr std::uint32_t kVersion = 2;
  std::uint32_t version = 0;
  std::vector<AclEntry> entries;
  if (bytes.size() < sizeof version) return entries;
  std::memcpy(&version, bytes.data(), sizeof version);
  if (version != kVersion) return entries;
  for (std::size_t at = sizeof version; at + sizeof(AclEntry) <= bytes.size();
       at += sizeof(AclEntry)) {
    AclEntry entry{};
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    entries.push_back(entry);
  }
  return entries;
}

/// The algorithm of acl(5), "access check algorithm".
Rights by_acl(const std::vector<AclEntry>& entries, const os::FileStatus& log,
              const os::Peer& peer) {
  std::uint32_t mask = kRead | kWrite;
  for (const AclEntry& entry : entries) {
    if (entry.tag == kMask) mask = entry.permission;
  }
  std::optional<std::uint32_t> named;
  std::optional<std::uint32_t> group;
  std::uint32_t other = 0;
  for (const AclEntry& entry : entries) {
    if (entry.tag == kOwner && peer.uid == log.uid) return to_rights(entry.permission);
    if (entry.tag == kUser && entry.id == peer.uid) named = entry.permission & mask;
    if ((entry.tag == kOwningGroup && in_group(peer, log.gid)) ||
        (entry.tag == kGroup && in_group(peer, entry.id))) {
      group = group.value_or(0) | (entry.permission & mask);
    }
    if (entry.tag == kOther) other = entry.permission;
  }
  if (named) return to_rights(*named);
  if (group) return to_rights(*group);
  return to_rights(other);
}

}  // namespace

Rights rights_of(const os::FileStatus& log, std::string_view acl, const os::Peer& peer) {
  if (peer.uid == 0) return {true, true};
  const auto entries = read_acl(acl);
  if (!entries.empty()) return by_acl(entries, log, peer);
  if (peer.uid == log.uid) return to_rights(log.mode >> 6U);
  if (in_group(peer, log.gid)) return to_rights(log.mode >> 3U);
  return to_rights(log.mode);
}

Rights rights_by(const AccessLists& lists, Rights by_log, const os::Peer& peer,
                 std::uint32_t daemon) {
  if (peer.uid == 0 || peer.uid == daemon) return {true, true};
  const auto names = [&peer](const std::vector<Principal>& list) {
    return std::any_of(list.begin(), list.end(), [&peer](const Principal& who) {
      return who.group ? in_group(peer, who.id) : who.id == peer.uid;
    });
  };
  Rights rights = by_log;
  if (!lists.readers.empty()) rights.read = names(lists.readers);
  if (!lists.writers.empty()) {
    rights.write = names(lists.writers);
    rights.read = rights.read || rights.write;
  }
  rights.write = rights.write && rights.read;
  return rights;
}

}  // namespace dfs::daemon
