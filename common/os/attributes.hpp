// What a file carries beside its bytes: owner, mode, ACL, extended attributes. A log keeps them
// when another file takes its place.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/os/file.hpp"

namespace dfs::os {

/// Gives `to` the owner, mode and extended attributes (the ACL is one) of `from`, in this order:
/// changing the owner clears bits of the mode, and the mode changes the ACL's mask. Attributes that
/// a file system or a security module keeps to itself are left as the new file has them.
[[nodiscard]] Result<void> copy_attributes(const File& from, const File& to);

/// An extended attribute of what stands at `path`; empty where there is none.
[[nodiscard]] std::string attribute_of(const std::string& path, const char* name);

}  // namespace dfs::os
