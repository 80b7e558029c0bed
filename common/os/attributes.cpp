#include "common/os/attributes.hpp"

#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>

namespace dfs::os {

namespace {

// The kernel's own bound (XATTR_SIZE_MAX).
constexpr std::size_t kMostAttributeBytes = std::size_t{64} << 10;

Error failed(const std::string& operation, const File& file) {
  return Error::from_errno(errno, operation + " of " + file.path());
}

}  // namespace

Result<void> copy_attributes(const File& from, const File& to) {
  auto status = from.status();
  if (!status) return std::move(status).error();
  if (auto owner = to.set_owner(status->uid, status->gid); !owner) return owner;
  if (auto mode = to.set_mode(status->mode); !mode) return mode;

  const ::ssize_t bytes = ::flistxattr(from.fd(), nullptr, 0);
  if (bytes < 0) {
    if (errno == ENOTSUP) return {};
    return failed("list the attributes", from);
  }
  std::string names(static_cast<std::size_t>(bytes), '\0');
  const ::ssize_t listed = ::flistxattr(from.fd(), names.data(), names.size());
  if (listed < 0) return failed("list the attributes", from);
  std::string_view rest(names.data(), static_cast<std::size_t>(listed));
  while (!rest.empty()) {
    const std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    const std::string value = from.attribute(name.c_str());
    if (::fsetxattr(to.fd(), name.c_str(), value.data(), value.size(), 0) == 0) continue;
    // Labels of a security module belong to its policy, which has given the new file its own.
    if (errno == ENOTSUP || (errno == EPERM && !name.starts_with("system."))) continue;
    return failed("set " + name, to);
  }
  return {};
}

std::string attribute_of(const std::string& path, const char* name) {
  std::string value(kMostAttributeBytes, '\0');
  const ::ssize_t bytes = ::getxattr(path.c_str(), name, value.data(), value.size());
  value.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  return value;
}

}  // namespace dfs::os
