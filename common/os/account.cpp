#include "common/os/account.hpp"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <vector>

namespace dfs::os {

namespace {

std::optional<std::uint32_t> number_of(const std::string& name) {
  std::uint32_t id = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data(), end, id);
  // The largest is what the kernel takes for "unchanged": nobody's.
  if (name.empty() || error != std::errc() || rest != end || id == UINT32_MAX) return std::nullopt;
  return id;
}

/// Calls one of getpwnam_r's kind with a buffer that is large enough. Null: no such name.
template <class Entry, class Ask>
Result<std::uint32_t> ask(const std::string& name, const char* kind, Ask ask_for,
                          std::uint32_t Entry::*id) {
  if (const auto number = number_of(name)) return *number;
  std::vector<char> buffer(1024);
  for (;;) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = ask_for(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found != nullptr) return entry.*id;
    if (error == EINTR) continue;
    // A group with many members does not fit.
    if (error == ERANGE && buffer.size() < (std::size_t{1} << 24U)) {
      buffer.resize(buffer.size() * 4);
      continue;
    }
    return Error(errc::bad_argument,
                 "there is no " + std::string(kind) + " '" + name + "' on this machine");
  }
}

}  // namespace

Result<std::uint32_t> user_id(const std::string& name) {
  return ask<passwd>(name, "user", ::getpwnam_r, &passwd::pw_uid);
}

Result<std::uint32_t> group_id(const std::string& name) {
  return ask<group>(name, "group", ::getgrnam_r, &group::gr_gid);
}

}  // namespace dfs::os
